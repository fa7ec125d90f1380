"""Exponential function with a result of 16 bits."""

from dataclasses import dataclass
from typing import ClassVar

from edgetx.errors import QuantError
from edgetx.ir import Array, Node
from edgetx.ops.exp import Exp
from edgetx.ops.linear_recurrence import DECAY, DECAY_BITS
from edgetx.ops.op import register
from edgetx.ops.quant_rule import QuantRule


@register
@dataclass(frozen=True)
class WideExp(Exp):
    """y = exp(x) for x <= 0 of 8 bits, y of 16 with 15 fraction bits; decays of recurrences need them."""

    name: ClassVar[str] = "wide_exp"
    activation_bits: ClassVar[frozenset[int]] = frozenset({16})

    def table(self, node: Node) -> Array:
        if node.inputs[0].type.dtype != "int8":
            raise QuantError("the table of an exponential has 8 bits", where=node.name, hint="static_wi8_ai8")
        return super().table(node)

    def quant_rule(self) -> QuantRule:
        return QuantRule(fixed={0: (DECAY_BITS + 1, DECAY)}, own_widths=True)
