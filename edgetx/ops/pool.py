"""Base of the pooling ops."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.ir import Array, Node, TensorType
from edgetx.ops.activation import Activation, activation_range, onnx_activation
from edgetx.ops.op import KERNEL_SUFFIX, Cost, KernelCall, OnnxBuilder, Op, TfliteBuilder
from edgetx.ops.quant_rule import SAME_AS_INPUT, QuantRule
from edgetx.ops.window import Padding, Pair, Window


@dataclass(frozen=True)
class Pool(Op):
    """One number for each window and channel of [1, H, W, C]; padding does not take part."""

    activation_bits: ClassVar[frozenset[int]] = frozenset({8, 16})

    size: Pair
    stride: Pair
    padding: Padding = "valid"
    activation: Activation = "none"

    @property
    def window(self) -> Window:
        """The window that moves."""
        return Window(self.size, self.stride, padding=self.padding)

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        (x,) = inputs
        return (TensorType((x.shape[0], *self.window.output(x), x.shape[-1])),)

    def quant_rule(self) -> QuantRule:
        return SAME_AS_INPUT

    def cost(self, node: Node) -> Cost:
        return Cost(elementwise=node.output.type.size * self.size[0] * self.size[1])

    def to_tflite(self, node: Node, b: TfliteBuilder) -> None:
        options = {
            "Padding": self.padding,
            "StrideH": self.stride[0],
            "StrideW": self.stride[1],
            "FilterHeight": self.size[0],
            "FilterWidth": self.size[1],
            "FusedActivationFunction": self.activation,
        }
        b.op(node, self.name.upper(), options=options)

    def onnx_pool(self, node: Node, b: OnnxBuilder, op_type: str) -> None:
        """The ONNX form, which is channels-first."""
        (top, bottom), (left, right) = self.window.pads(node.inputs[0].type)
        attributes = {"kernel_shape": self.size, "strides": self.stride, "pads": [top, left, bottom, right]}
        image = b.op("Transpose", [b.real(node.inputs[0])], {"perm": [0, 3, 1, 2]})
        y = b.op("Transpose", [b.op(op_type, [image], attributes)], {"perm": [0, 2, 3, 1]})
        b.result(node, onnx_activation(b, y, self.activation))

    def to_c(self, node: Node) -> KernelCall:
        x, y = node.inputs[0].type, node.output.type
        low, high = activation_range(self.activation, y)
        params = {**self.window.params(x, y), "low": low, "high": high}
        return KernelCall(f"{self.name}_{KERNEL_SUFFIX[x.dtype]}", params, node.inputs, "pool")


def taken(window: Window, x: Array) -> Array:
    """How many elements each window holds: [1, rows, columns, 1]."""
    ones = x[:1, :, :, :1] * 0 + 1
    return np.asarray(window.patches(ones).sum((-1, -2)))
