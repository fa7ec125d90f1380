"""Rectified linear unit that lets a part of negative numbers through."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.fixedpoint import multiply_by_quantized_multiplier, quantize_multiplier, saturate
from edgetx.ir import Array, Node
from edgetx.ops.op import OnnxBuilder, TfliteBuilder, register
from edgetx.ops.pointwise import INT8_VALUES, Pointwise


@register
@dataclass(frozen=True)
class LeakyRelu(Pointwise):
    """y = x above 0, alpha · x below."""

    name: ClassVar[str] = "leaky_relu"

    alpha: float

    def function(self, x: Array) -> Array:
        return np.where(x > 0, x, self.alpha * x)

    def table(self, node: Node) -> Array:
        """In the arithmetic of TFLite Micro's kernel, to which alpha is a number in single precision."""
        x, y = node.inputs[0].type, node.output.type
        d = INT8_VALUES - x.zero_point
        above = multiply_by_quantized_multiplier(d, *quantize_multiplier(x.scale / y.scale))
        mantissa, shift = quantize_multiplier(x.scale * float(np.float32(abs(self.alpha))) / y.scale)
        below = multiply_by_quantized_multiplier(d, mantissa if self.alpha > 0 else -mantissa, shift)
        return saturate(np.where(d >= 0, above, below) + y.zero_point, "int8")

    def to_tflite(self, node: Node, b: TfliteBuilder) -> None:
        b.op(node, "LEAKY_RELU", options={"Alpha": self.alpha})

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        b.result(node, b.op("LeakyRelu", [b.real(node.inputs[0])], {"alpha": self.alpha}))
