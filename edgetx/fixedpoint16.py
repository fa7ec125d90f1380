"""Sigmoid and hyperbolic tangent in 16-bit fixed point, as TFLite's recurrent kernels compute them.

Numbers are int16 with a stated count n of integer bits, so that real = raw · 2**(n − 15). The constants are those of
the 32-bit functions without their lower half. `kernels/etx_fixedpoint16.h` is the counterpart in C.
"""

import numpy as np

from edgetx.fixedpoint import Int, IntLike, rounding_shift_right, shift_half_up

INT16_MIN, INT16_MAX = -(2**15), 2**15 - 1
EXP_OF_MINUS_EIGHTH = 28918
ONE_THIRD = 10923
EXP_OF_MINUS_POWERS = (25520, 19875, 12055, 4435, 600, 11, 0)
"""exp(−2**k) for k = −2 … 4, without integer bits."""
FORTY_EIGHT_SEVENTEENTHS = 23130
MINUS_THIRTY_TWO_SEVENTEENTHS = -15420


def high_mul(a: IntLike, b: IntLike) -> Int:
    """(a · b) / 2**15 to nearest, ties upwards, saturated at 2**15 − 1."""
    return np.minimum(shift_half_up(np.asarray(a, np.int64) * np.asarray(b, np.int64), 15), INT16_MAX)


def saturating_shift_left(x: IntLike, shift: int) -> Int:
    """x · 2**shift, saturated to 16 bits."""
    shifted: Int = np.asarray(x, np.int64) << shift
    return np.clip(shifted, INT16_MIN, INT16_MAX)


def exp_on_negative_values(x: IntLike, integer_bits: int) -> Int:
    """exp(x) without integer bits, for x <= 0 with at most 5."""
    x = np.asarray(x, np.int64)
    fraction_bits = 15 - integer_bits
    quarter = 1 << (fraction_bits - 2)
    in_quarter = (x & (quarter - 1)) - quarter
    result = _exp_in_quarter(saturating_shift_left(in_quarter, integer_bits))
    remainder = in_quarter - x
    for power, factor in enumerate(EXP_OF_MINUS_POWERS, -2):
        if power < integer_bits:
            taken = (remainder >> (fraction_bits + power)) & 1
            result = np.where(taken == 1, high_mul(result, factor), result)
    return np.where(x == 0, INT16_MAX, result)


def _exp_in_quarter(x: Int) -> Int:
    """exp(x) for x in [−1/4, 0), by the Taylor series around −1/8."""
    d = x + (1 << 12)
    d2 = high_mul(d, d)
    d3, d4 = high_mul(d2, d), high_mul(d2, d2)
    tail = rounding_shift_right(high_mul(rounding_shift_right(d4, 2) + d3, ONE_THIRD) + d2, 1)
    return EXP_OF_MINUS_EIGHTH + high_mul(EXP_OF_MINUS_EIGHTH, d + tail)


def _reciprocal_of_half_one_plus(x: Int) -> Int:
    """2 / (1 + x) with 2 integer bits, for x in [0, 1] without; three Newton-Raphson steps."""
    half = (x + INT16_MAX + 1) >> 1
    y = FORTY_EIGHT_SEVENTEENTHS + high_mul(half, MINUS_THIRTY_TWO_SEVENTEENTHS)
    for _ in range(3):
        y = y + saturating_shift_left(high_mul(y, (1 << 13) - high_mul(half, y)), 2)
    return y


def logistic(x: IntLike, integer_bits: int) -> Int:
    """1 / (1 + exp(−x)) without integer bits."""
    x = np.asarray(x, np.int64)
    reciprocal = _reciprocal_of_half_one_plus(exp_on_negative_values(-np.abs(x), integer_bits))
    positive = saturating_shift_left(reciprocal, 1)
    return np.where(x == 0, 1 << 14, np.where(x > 0, positive, INT16_MAX - positive))


def tanh(x: IntLike, integer_bits: int) -> Int:
    """Hyperbolic tangent without integer bits."""
    x = np.asarray(x, np.int64)
    exponential = exp_on_negative_values(-np.abs(x), integer_bits + 1)
    magnitude = saturating_shift_left(_reciprocal_of_half_one_plus(exponential) - (1 << 13), 2)
    return np.where(x == 0, 0, np.where(x < 0, -magnitude, magnitude))
