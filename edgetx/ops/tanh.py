"""Hyperbolic tangent."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.ir import Array, Node, QuantParams
from edgetx.ops.op import OnnxBuilder, register
from edgetx.ops.pointwise import Pointwise
from edgetx.ops.quant_rule import QuantRule


@register
@dataclass(frozen=True)
class Tanh(Pointwise):
    """y = tanh(x); in 8 bits y has scale 1/128 and zero point 0."""

    name: ClassVar[str] = "tanh"

    def function(self, x: Array) -> Array:
        return np.asarray(np.tanh(x))

    def quant_rule(self) -> QuantRule:
        return QuantRule({8: QuantParams((1 / 128,), 0)})

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        b.result(node, b.op("Tanh", [b.real(node.inputs[0])]))
