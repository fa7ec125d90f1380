"""Hyperbolic tangent."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.fixedpoint import Int, rounding_shift_right
from edgetx.fixedpoint_math import tanh
from edgetx.ir import Array, Node, QuantParams
from edgetx.ops.op import OnnxBuilder, TfliteBuilder, register
from edgetx.ops.pointwise import Pointwise
from edgetx.ops.quant_rule import QuantRule
from edgetx.ops.sigmoidal import sigmoidal_table


@register
@dataclass(frozen=True)
class Tanh(Pointwise):
    """y = tanh(x); in 8 bits y has scale 1/128 and zero point 0."""

    name: ClassVar[str] = "tanh"

    def function(self, x: Array) -> Array:
        return np.asarray(np.tanh(x))

    def table(self, node: Node) -> Array:
        def steps(x: Int, integer_bits: int) -> Int:
            return rounding_shift_right(tanh(x, integer_bits), 24)

        return sigmoidal_table(node.inputs[0].type, steps)

    def quant_rule(self) -> QuantRule:
        return QuantRule({8: QuantParams((1 / 128,), 0)})

    def to_tflite(self, node: Node, b: TfliteBuilder) -> None:
        b.op(node, "TANH")

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        b.result(node, b.op("Tanh", [b.real(node.inputs[0])]))
