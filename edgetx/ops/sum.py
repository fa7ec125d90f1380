"""Base of sums and differences: both operands are brought to one fine scale, added, and rescaled."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.fixedpoint import Int, multiply_by_quantized_multiplier, quantize_multiplier, requantize
from edgetx.ir import Array, Arrays, DType, Node, Value
from edgetx.ops.activation import activation_range
from edgetx.ops.elementwise import Elementwise

LEFT_SHIFT: dict[DType, int] = {"int8": 20, "int16": 15}


@dataclass(frozen=True)
class Sum(Elementwise):
    """y = activation(a + sign · b)."""

    sign: ClassVar[int]

    def function(self, a: Array, b: Array) -> Array:
        return np.asarray(a + self.sign * b)

    def int_ref(self, node: Node, *inputs: Array) -> Arrays:
        out = node.output.type
        *factors, result = self.multipliers(node)
        low, high = activation_range(self.activation, out)
        a, b = map(_fine, node.inputs, inputs, factors)
        return (requantize(a + self.sign * b, *result, out.zero_point, low, high, out.dtype),)

    def multipliers(self, node: Node) -> list[tuple[int, int]]:
        """Mantissa and shift for each operand and for the result."""
        a, b, y = (value.type.scale for value in (*node.inputs, node.output))
        twice = 2 * max(a, b)
        fine = y * (1 << LEFT_SHIFT[node.output.type.dtype])
        return [quantize_multiplier(factor) for factor in (a / twice, b / twice, twice / fine)]

    def kernel(self, node: Node) -> tuple[str, dict[str, int]]:
        a, b = (value.type for value in node.inputs)
        (a_mantissa, a_shift), (b_mantissa, b_shift), (mantissa, shift) = self.multipliers(node)
        return "add", {
            "left_shift": LEFT_SHIFT[a.dtype],
            "sign": self.sign,
            "a_offset": -a.zero_point,
            "a_mantissa": a_mantissa,
            "a_shift": a_shift,
            "b_offset": -b.zero_point,
            "b_mantissa": b_mantissa,
            "b_shift": b_shift,
            "mantissa": mantissa,
            "shift": shift,
        }


def _fine(value: Value, x: Array, factor: tuple[int, int]) -> Int:
    shifted = (x.astype(np.int64) - value.type.zero_point) << LEFT_SHIFT[value.type.dtype]
    return multiply_by_quantized_multiplier(shifted, *factor)
