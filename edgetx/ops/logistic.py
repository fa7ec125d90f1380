"""Logistic function, torch's sigmoid."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.fixedpoint import Int, rounding_shift_right
from edgetx.fixedpoint_math import logistic
from edgetx.ir import Array, Node, QuantParams
from edgetx.ops.op import OnnxBuilder, TfliteBuilder, register
from edgetx.ops.pointwise import Pointwise
from edgetx.ops.quant_rule import QuantRule
from edgetx.ops.sigmoidal import sigmoidal_table


@register
@dataclass(frozen=True)
class Logistic(Pointwise):
    """y = 1 / (1 + exp(−x)); in 8 bits y has scale 1/256 and zero point −128."""

    name: ClassVar[str] = "logistic"

    def function(self, x: Array) -> Array:
        return sigmoid(x)

    def table(self, node: Node) -> Array:
        def steps(x: Int, integer_bits: int) -> Int:
            return rounding_shift_right(logistic(x, integer_bits), 23) - 128

        return sigmoidal_table(node.inputs[0].type, steps)

    def quant_rule(self) -> QuantRule:
        return QuantRule({8: QuantParams((1 / 256,), -128)})

    def to_tflite(self, node: Node, b: TfliteBuilder) -> None:
        b.op(node, "LOGISTIC")

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        b.result(node, b.op("Sigmoid", [b.real(node.inputs[0])]))


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(−x)) without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * x)))
