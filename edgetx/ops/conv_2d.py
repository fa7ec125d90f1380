"""Two-dimensional convolution; one-dimensional ones have height 1."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.errors import ModelError
from edgetx.ir import Array, Node, TensorType
from edgetx.ops.convolution import Convolution
from edgetx.ops.op import Cost, OnnxBuilder, TfliteBuilder, register
from edgetx.ops.quant_rule import Bias, QuantRule, Weight


@register
@dataclass(frozen=True)
class Conv2D(Convolution):
    """y = activation(x ∗ W + b): x [1, H, W, C], W [out, height, width, C], b [out] (optional)."""

    name: ClassVar[str] = "conv_2d"

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        x, w = inputs[:2]
        if w.rank != 4 or x.shape[-1] != w.shape[-1]:
            raise ModelError(f"conv_2d of {x.shape} with a weight {w.shape}")
        return (TensorType((x.shape[0], *self.window(w.shape).output(x), w.shape[0])),)

    def accumulate(self, patches: Array, weight: Array) -> Array:
        return np.tensordot(patches, weight, ((3, 4, 5), (3, 1, 2)))

    def quant_rule(self) -> QuantRule:
        return QuantRule(consts={1: Weight(0), 2: Bias()})

    def cost(self, node: Node) -> Cost:
        y, w = node.output.type, node.inputs[1].type
        return Cost(macs=y.size * w.size // w.shape[0], elementwise=y.size)

    def to_tflite(self, node: Node, b: TfliteBuilder) -> None:
        b.op(node, "CONV_2D", self.tflite_operands(node, b), self.tflite_options())

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        weight = b.op("Transpose", [b.real(node.inputs[1])], {"perm": [0, 3, 1, 2]})
        self.onnx_conv(node, b, weight, groups=1)
