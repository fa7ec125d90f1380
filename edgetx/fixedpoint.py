"""Fixed-point arithmetic: the only place where rounding is written in Python.

`kernels/etx_fixedpoint.h` is its counterpart in C; the two are proven equal near ties and at the rails. The rules are
those of TFLite's int8 specification with double rounding: a doubling high multiplication that rounds to nearest with
ties upwards, then a right shift that rounds to nearest with ties away from zero.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Int = npt.NDArray[np.int64]
IntLike = npt.NDArray[Any] | int

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1


def quantize_multiplier(real: float) -> tuple[int, int]:
    """Split a positive real into a Q31 mantissa and a power of two: real = mantissa · 2**(shift − 31).

    Returns:
        The mantissa, in [2**30, 2**31), or 0 for a multiplier below 2**-31; and the shift, left if positive.
    """
    if real == 0.0:
        return 0, 0
    fraction, shift = math.frexp(real)
    mantissa = math.floor(fraction * (1 << 31) + 0.5)
    if mantissa == 1 << 31:
        mantissa, shift = mantissa // 2, shift + 1
    if shift < -31:
        return 0, 0
    if shift > 30:
        return INT32_MAX, 30
    return mantissa, shift


def quantize_multipliers(reals: npt.ArrayLike) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """`quantize_multiplier` of each element: int32 mantissas and int32 shifts."""
    pairs = [quantize_multiplier(float(real)) for real in np.ravel(reals)]
    mantissas, shifts = zip(*pairs, strict=True)
    return np.array(mantissas, np.int32), np.array(shifts, np.int32)


def rounding_doubling_high_mul(a: IntLike, b: IntLike) -> Int:
    """(a · b) / 2**31 to nearest, ties upwards, saturated at INT32_MAX."""
    product: Int = np.asarray(a, np.int64) * np.asarray(b, np.int64)
    return np.minimum(np.asarray((product + (1 << 30)) >> 31), INT32_MAX)


def rounding_shift_right(x: IntLike, shift: IntLike) -> Int:
    """x / 2**shift to nearest, ties away from zero; `shift` in 0..31."""
    x = np.asarray(x, np.int64)
    shift = np.asarray(shift, np.int64)
    half: Int = (np.int64(1) << shift) >> 1
    return np.where(x >= 0, np.asarray((x + half) >> shift), -((-x + half) >> shift))


def shift_half_up(x: IntLike, shift: IntLike) -> Int:
    """x / 2**shift to nearest, ties upwards; the cheap rounding inside our own kernels."""
    x = np.asarray(x, np.int64)
    half: Int = (np.int64(1) << np.asarray(shift, np.int64)) >> 1
    return np.asarray((x + half) >> shift, np.int64)


def bit_length(x: IntLike) -> Int:
    """Number of bits of each non-negative integer."""
    x = np.asarray(x, np.int64)
    length = np.frexp(x.astype(np.float64))[1].astype(np.int64)
    rounded_up = (x >> np.maximum(length - 1, 0) == 0) & (length > 0)
    return np.asarray(length - rounded_up)


def integer_root(x: IntLike) -> Int:
    """floor(sqrt(x)) for x in 0..2**52."""
    root = np.sqrt(np.asarray(x, np.float64)).astype(np.int64)
    return np.asarray(root - (root * root > x))


def wrap_int32(x: IntLike) -> Int:
    """The value modulo 2**32 as a signed number."""
    return ((np.asarray(x, np.int64) + 2**31) & 0xFFFF_FFFF) - 2**31


def multiply_by_quantized_multiplier(x: IntLike, mantissa: IntLike, shift: IntLike) -> Int:
    """x · mantissa · 2**(shift − 31) with TFLite's double rounding; x is an int32 accumulator."""
    shift = np.asarray(shift, np.int64)
    shifted = wrap_int32(np.asarray(x, np.int64) << np.maximum(shift, 0))
    return rounding_shift_right(rounding_doubling_high_mul(shifted, mantissa), np.maximum(-shift, 0))


def multiply_by_quantized_multiplier_int64(x: IntLike, mantissa: IntLike, shift: IntLike) -> Int:
    """The same for the 64-bit accumulators of int16 activations: 16-bit mantissa, one rounding, ties upwards."""
    mantissa = np.asarray(mantissa, np.int64)
    reduced = np.where(mantissa < 0x7FFF_0000, (mantissa + (1 << 15)) >> 16, 0x7FFF)
    return wrap_int32(shift_half_up(np.asarray(x, np.int64) * reduced, 15 - np.asarray(shift, np.int64)))


def multiply_once(x: IntLike, mantissa: IntLike, shift: IntLike) -> Int:
    """x · mantissa · 2**(shift − 31) with one rounding to nearest, ties upwards, as LiteRT's fully connected layers."""
    return shift_half_up(np.asarray(x, np.int64) * np.asarray(mantissa, np.int64), 31 - np.asarray(shift, np.int64))


def saturate(x: IntLike, dtype: str) -> npt.NDArray[Any]:
    """Clamp to the range of an integer type and convert."""
    info = np.iinfo(dtype)
    return np.clip(np.asarray(x, np.int64), info.min, info.max).astype(dtype)


def requantize(
    acc: IntLike, mantissa: IntLike, shift: IntLike, zero_point: int, low: int, high: int, dtype: str = "int8"
) -> npt.NDArray[Any]:
    """Scale an accumulator, add the zero point and clamp to [low, high]."""
    scaled = multiply_by_quantized_multiplier(acc, mantissa, shift) + zero_point
    return np.clip(scaled, low, high).astype(dtype)


def quantize(
    real: npt.ArrayLike, scale: float | npt.NDArray[np.float64], zero_point: int, dtype: str
) -> npt.NDArray[Any]:
    """Nearest integer to real / scale + zero_point, ties to even, saturated."""
    nearest = np.clip(np.rint(np.asarray(real, np.float64) / scale), -(2.0**62), 2.0**62)
    return saturate(nearest.astype(np.int64) + zero_point, dtype)


def dequantize(q: npt.ArrayLike, scale: float | npt.NDArray[np.float64], zero_point: int) -> npt.NDArray[np.float32]:
    """scale · (q − zero_point)."""
    return ((np.asarray(q, np.int64) - zero_point) * np.asarray(scale, np.float64)).astype(np.float32)


def integer_matmul(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> Int:
    """Exact product of integer matrices, by way of doubles: every sum here stays far below 2**53."""
    return (a.astype(np.float64) @ b.astype(np.float64)).astype(np.int64)
