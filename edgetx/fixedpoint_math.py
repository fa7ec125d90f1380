"""Functions in fixed point, as TFLite's reference kernels compute them (after Google's gemmlowp library).

Numbers are int32 with a stated count n of integer bits, so that real = raw · 2**(n − 31).
`kernels/etx_fixedpoint_math.h` holds the counterparts that kernels need at run time.
"""

import math

import numpy as np

from edgetx.fixedpoint import (
    INT32_MAX,
    INT32_MIN,
    Int,
    IntLike,
    bit_length,
    rounding_doubling_high_mul,
    rounding_shift_right,
)

EXP_OF_MINUS_EIGHTH = 1895147668
ONE_THIRD = 715827883
EXP_OF_MINUS_POWERS = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)
"""exp(−2**k) for k = −2 … 4, without integer bits."""
FORTY_EIGHT_SEVENTEENTHS = 1515870810
MINUS_THIRTY_TWO_SEVENTEENTHS = -1010580540
HALF_SQRT_2 = 1518500250


def saturating_shift_left(x: IntLike, shift: int) -> Int:
    """x · 2**shift, saturated to 32 bits."""
    shifted: Int = np.asarray(x, np.int64) << shift
    return np.clip(shifted, INT32_MIN, INT32_MAX)


def exp_on_negative_values(x: IntLike, integer_bits: int) -> Int:
    """exp(x) without integer bits, for x <= 0 with at most 5."""
    x = np.asarray(x, np.int64)
    fraction_bits = 31 - integer_bits
    quarter = 1 << (fraction_bits - 2)
    in_quarter = (x & (quarter - 1)) - quarter
    result = _exp_in_quarter(saturating_shift_left(in_quarter, integer_bits))
    remainder = in_quarter - x
    for power, factor in enumerate(EXP_OF_MINUS_POWERS, -2):
        if power < integer_bits:
            taken = (remainder >> (fraction_bits + power)) & 1
            result = np.where(taken == 1, rounding_doubling_high_mul(result, factor), result)
    return np.where(x == 0, INT32_MAX, result)


def _exp_in_quarter(x: Int) -> Int:
    """exp(x) for x in [−1/4, 0), by the Taylor series around −1/8."""
    mul = rounding_doubling_high_mul
    d = x + (1 << 28)
    d2 = mul(d, d)
    d3, d4 = mul(d2, d), mul(d2, d2)
    tail = rounding_shift_right(mul(rounding_shift_right(d4, 2) + d3, ONE_THIRD) + d2, 1)
    return EXP_OF_MINUS_EIGHTH + mul(EXP_OF_MINUS_EIGHTH, d + tail)


def one_over_one_plus(x: IntLike) -> Int:
    """1 / (1 + x) without integer bits, for x in [0, 1]; three Newton-Raphson steps from a linear estimate."""
    mul = rounding_doubling_high_mul
    half = (np.asarray(x, np.int64) + INT32_MAX + 1) >> 1
    y = FORTY_EIGHT_SEVENTEENTHS + mul(half, MINUS_THIRTY_TWO_SEVENTEENTHS)
    for _ in range(3):
        y = y + saturating_shift_left(mul(y, (1 << 29) - mul(half, y)), 2)
    return saturating_shift_left(y, 1)


def reciprocal(x: IntLike, integer_bits: int) -> tuple[Int, Int]:
    """1 / x for x > 0 with `integer_bits`: mantissa without integer bits, and the bits of x above one."""
    x = np.asarray(x, np.int64)
    headroom = 32 - bit_length(x)
    return one_over_one_plus((x << headroom) - (1 << 31)), integer_bits - headroom


def inverse_sqrt_multiplier(x: int) -> tuple[int, int]:
    """Multiplier of 1 / sqrt(x) for an int32 x >= 0: mantissa and shift, as `quantize_multiplier` gives them."""
    if x <= 1:
        return INT32_MAX, 0
    right = 11
    while x >= 1 << 29:
        x, right = x // 4, right + 1
    pairs = (31 - x.bit_length()) // 2 - 1
    right, x = right - pairs, x << 2 * pairs
    mantissa = _inverse_sqrt(x >> 1)
    return (mantissa, -right) if right >= 0 else (mantissa << -right, 0)


def _inverse_sqrt(x: int) -> int:
    """1 / sqrt(2 x), for x with 3 integer bits; five Newton-Raphson steps."""
    mul = rounding_doubling_high_mul
    half = rounding_shift_right(x, 1)
    three_halves = 3 << 27
    y: Int = np.asarray(1 << 28, np.int64)
    for _ in range(5):
        cube = saturating_shift_left(mul(mul(y, y), y), 6)
        y = saturating_shift_left(mul(three_halves, y) - mul(half, cube), 3)
    return int(mul(y, HALF_SQRT_2))


def input_radius(integer_bits: int, left_shift: int) -> int:
    """Largest magnitude that still fits `integer_bits` when shifted left, for 31-bit numbers."""
    return math.floor(math.ldexp((1 << integer_bits) - 1, 31 - integer_bits - left_shift))
