"""Rectified linear unit."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.fixedpoint import quantize_multiplier, requantize
from edgetx.ir import Array, Node
from edgetx.ops.op import OnnxBuilder, TfliteBuilder, register
from edgetx.ops.pointwise import INT8_VALUES, Pointwise


@register
@dataclass(frozen=True)
class Relu(Pointwise):
    """y = max(x, 0)."""

    name: ClassVar[str] = "relu"

    def function(self, x: Array) -> Array:
        return np.maximum(x, 0)

    def table(self, node: Node) -> Array:
        x, y = node.inputs[0].type, node.output.type
        factor = quantize_multiplier(x.scale / y.scale)
        return requantize(INT8_VALUES - x.zero_point, *factor, y.zero_point, max(y.qmin, y.zero_point), y.qmax)

    def to_tflite(self, node: Node, b: TfliteBuilder) -> None:
        b.op(node, "RELU")

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        b.result(node, b.op("Relu", [b.real(node.inputs[0])]))
