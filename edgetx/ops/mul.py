"""Multiplication."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.fixedpoint import quantize_multiplier, requantize
from edgetx.ir import Array, Arrays, Node
from edgetx.ops.activation import activation_range
from edgetx.ops.elementwise import Elementwise
from edgetx.ops.op import register


@register
@dataclass(frozen=True)
class Mul(Elementwise):
    """y = activation(a · b), with broadcasting."""

    name: ClassVar[str] = "mul"
    onnx_name: ClassVar[str] = "Mul"

    def function(self, a: Array, b: Array) -> Array:
        return a * b

    def multiplier(self, node: Node) -> tuple[int, int]:
        """Mantissa and shift of scale(a) · scale(b) / scale(y)."""
        a, b = (value.type.scale for value in node.inputs)
        return quantize_multiplier(a * b / node.output.type.scale)

    def int_ref(self, node: Node, *inputs: Array) -> Arrays:
        out = node.output.type
        a, b = (x.astype(np.int64) - v.type.zero_point for x, v in zip(inputs, node.inputs, strict=True))
        low, high = activation_range(self.activation, out)
        return (requantize(a * b, *self.multiplier(node), out.zero_point, low, high, out.dtype),)

    def kernel(self, node: Node) -> tuple[str, dict[str, int]]:
        a, b = (value.type.zero_point for value in node.inputs)
        mantissa, shift = self.multiplier(node)
        return "mul", {"a_offset": -a, "b_offset": -b, "mantissa": mantissa, "shift": shift}
