"""Tables of functions that level off on both sides, as TFLite's reference kernels compute them."""

from collections.abc import Callable

import numpy as np

from edgetx.fixedpoint import Int, multiply_by_quantized_multiplier, quantize_multiplier, saturate
from edgetx.fixedpoint_math import input_radius
from edgetx.ir import Array, TensorType
from edgetx.ops.pointwise import INT8_VALUES

INTEGER_BITS = 4
"""Operands beyond ±15 give the rails."""


def sigmoidal_table(x: TensorType, steps: Callable[[Int, int], Int]) -> Array:
    """The results for all int8 operands of type `x`.

    Args:
        x: Type of the operand.
        steps: The result in its own units, from a fixed-point number and its count of integer bits.
    """
    mantissa, shift = quantize_multiplier(x.scale * (1 << (31 - INTEGER_BITS)))
    radius = input_radius(INTEGER_BITS, shift)
    d = INT8_VALUES.astype(np.int64) - x.zero_point
    inside = steps(multiply_by_quantized_multiplier(np.clip(d, -radius, radius), mantissa, shift), INTEGER_BITS)
    return saturate(np.where(d <= -radius, -128, np.where(d >= radius, 127, inside)), "int8")
