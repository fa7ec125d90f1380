"""Logistic function, torch's sigmoid."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.ir import Array, Node, QuantParams
from edgetx.ops.op import OnnxBuilder, register
from edgetx.ops.pointwise import Pointwise
from edgetx.ops.quant_rule import QuantRule


@register
@dataclass(frozen=True)
class Logistic(Pointwise):
    """y = 1 / (1 + exp(−x)); in 8 bits y has scale 1/256 and zero point −128."""

    name: ClassVar[str] = "logistic"

    def function(self, x: Array) -> Array:
        return sigmoid(x)

    def quant_rule(self) -> QuantRule:
        return QuantRule({8: QuantParams((1 / 256,), -128)})

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        b.result(node, b.op("Sigmoid", [b.real(node.inputs[0])]))


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(−x)) without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * x)))
