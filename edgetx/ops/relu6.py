"""Rectified linear unit that stops at 6."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.ir import Array, Node
from edgetx.ops.activation import activation_range, onnx_activation
from edgetx.ops.op import OnnxBuilder, TfliteBuilder, register
from edgetx.ops.pointwise import INT8_VALUES, Pointwise
from edgetx.ops.quant_rule import SAME_AS_INPUT, QuantRule


@register
@dataclass(frozen=True)
class Relu6(Pointwise):
    """y = min(max(x, 0), 6); TFLite clamps integers, so y has the quantization of x."""

    name: ClassVar[str] = "relu6"

    def function(self, x: Array) -> Array:
        return np.clip(x, 0, 6)

    def table(self, node: Node) -> Array:
        return np.clip(INT8_VALUES, *activation_range("relu6", node.inputs[0].type)).astype(np.int8)

    def quant_rule(self) -> QuantRule:
        return SAME_AS_INPUT

    def to_tflite(self, node: Node, b: TfliteBuilder) -> None:
        b.op(node, "RELU6")

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        b.result(node, onnx_activation(b, b.real(node.inputs[0]), "relu6"))
