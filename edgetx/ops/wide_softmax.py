"""Softmax of 8-bit rows with a result of 16 bits."""

from dataclasses import dataclass
from typing import ClassVar

from edgetx.ir import QuantParams
from edgetx.ops.op import register
from edgetx.ops.quant_rule import QuantRule
from edgetx.ops.softmax import Softmax


@register
@dataclass(frozen=True)
class WideSoftmax(Softmax):
    """y = exp(beta · x) / Σ exp(beta · x) of int8 rows; y has scale 1/65536 and zero point −32768."""

    name: ClassVar[str] = "wide_softmax"
    activation_bits: ClassVar[frozenset[int]] = frozenset({16})
    kernel: ClassVar[str] = "softmax_s8_s16"
    in_place: ClassVar[int | None] = None

    def quant_rule(self) -> QuantRule:
        return QuantRule({16: QuantParams((1 / 65536,), -32768)})
