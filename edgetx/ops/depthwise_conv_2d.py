"""Depthwise two-dimensional convolution."""

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
class DepthwiseConv2D(Convolution):
    """Every channel convolved on its own: x [1, H, W, C], W [1, height, width, C·m]; channel c gives c·m … c·m+m−1."""

    name: ClassVar[str] = "depthwise_conv_2d"

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        x, w = inputs[:2]
        if w.rank != 4 or w.shape[0] != 1 or w.shape[-1] % x.shape[-1]:
            raise ModelError(f"depthwise_conv_2d of {x.shape} with a weight {w.shape}")
        return (TensorType((x.shape[0], *self.window(w.shape).output(x), w.shape[-1])),)

    def accumulate(self, patches: Array, weight: Array) -> Array:
        channels = patches.shape[3]
        by_channel = weight.reshape(*weight.shape[1:3], channels, -1)
        y = np.einsum("nyxcij,ijcm->nyxcm", patches, by_channel)
        return np.asarray(y.reshape(*y.shape[:3], -1))

    def quant_rule(self) -> QuantRule:
        return QuantRule(consts={1: Weight(3), 2: Bias()})

    def cost(self, node: Node) -> Cost:
        y, (height, width) = node.output.type, node.inputs[1].shape[1:3]
        return Cost(macs=y.size * height * width, elementwise=y.size)

    def to_tflite(self, node: Node, b: TfliteBuilder) -> None:
        multiplier = node.output.shape[-1] // node.inputs[0].shape[-1]
        options = {**self.tflite_options(), "DepthMultiplier": multiplier}
        b.op(node, "DEPTHWISE_CONV_2D", self.tflite_operands(node, b), options)

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        weight = b.op("Transpose", [b.real(node.inputs[1])], {"perm": [3, 0, 1, 2]})
        self.onnx_conv(node, b, weight, groups=node.inputs[0].shape[-1])
