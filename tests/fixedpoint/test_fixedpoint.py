"""Rounding in Python and in C against the written rules in exact arithmetic: ties, rails, and random points."""

import ctypes
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from math import floor
from pathlib import Path

import numpy as np
import pytest
from host_kernels import KERNELS, compile_library
from hypothesis import given, settings
from hypothesis import strategies as st

from edgetx import fixedpoint as fp

unhurried = settings(deadline=None)
INT32 = st.integers(-(2**31), 2**31 - 1)
MANTISSA = st.integers(2**30, 2**31 - 1)
RAILS = [-(2**31), -(2**31) + 1, -(2**30), -1, 0, 1, 2**30, 2**31 - 2, 2**31 - 1]


def half_up(x: Fraction) -> int:
    return floor(x + Fraction(1, 2))


def half_away(x: Fraction) -> int:
    return half_up(x) if x >= 0 else -half_up(-x)


def exact_high_mul(a: int, b: int) -> int:
    return min(half_up(Fraction(a * b, 1 << 31)), 2**31 - 1)


def exact_multiply(x: int, mantissa: int, shift: int) -> int:
    shifted = (x * 2 ** max(shift, 0) + 2**31) % 2**32 - 2**31
    return half_away(Fraction(exact_high_mul(shifted, mantissa), 2 ** max(-shift, 0)))


def exact_multiply_int64(x: int, mantissa: int, shift: int) -> int:
    reduced = min(half_up(Fraction(mantissa, 1 << 16)), 0x7FFF)
    scaled = half_up(Fraction(x * reduced, 1) / Fraction(2) ** (15 - shift))
    return (scaled + 2**31) % 2**32 - 2**31


@cache
def library(folder: str = "") -> ctypes.CDLL:
    """The arithmetic of C, with the headers of a core's folder where one is named."""
    option = ["-include", str(KERNELS / folder / "etx_high_mul.h")]
    exports = compile_library([Path(__file__).with_name("exports.c")], *option)
    exports.multiply_s64.argtypes = [ctypes.c_int64, ctypes.c_int32, ctypes.c_int32]
    exports.reciprocal_root.argtypes = [ctypes.c_uint64, ctypes.c_int32, ctypes.POINTER(ctypes.c_int32)]
    return exports


def python(name: str) -> Callable[..., int]:
    return lambda *args: int(getattr(fp, name)(*args))


def in_c(name: str, folder: str = "") -> Callable[..., int]:
    return lambda *args: int(getattr(library(folder), name)(*args))


HIGH_MUL = [python("rounding_doubling_high_mul"), in_c("high_mul"), in_c("high_mul", "cortex_m0")]
SHIFT_RIGHT = [python("rounding_shift_right"), in_c("shift_right")]
HALF_UP = [python("shift_half_up"), in_c("half_up")]
MULTIPLY = [python("multiply_by_quantized_multiplier"), in_c("multiply")]
MULTIPLY_INT64 = [python("multiply_by_quantized_multiplier_int64"), in_c("multiply_s64")]
REQUANTIZE = [python("requantize"), in_c("requantize")]
LANGUAGES = ["python", "c"]


@pytest.mark.parametrize("multiply", MULTIPLY, ids=LANGUAGES)
@pytest.mark.parametrize("halvings", range(1, 9))
def test_multiply_breaks_ties_as_written(multiply: Callable[..., int], halvings: int) -> None:
    mantissa, shift = 1 << 30, 1 - halvings
    for acc in range(-1500, 1501):
        assert multiply(acc, mantissa, shift) == exact_multiply(acc, mantissa, shift), acc


@pytest.mark.parametrize("multiply", MULTIPLY_INT64, ids=LANGUAGES)
@pytest.mark.parametrize("halvings", range(1, 9))
def test_wide_multiply_breaks_ties_as_written(multiply: Callable[..., int], halvings: int) -> None:
    for acc in range(-1500, 1501):
        assert multiply(acc, 1 << 30, 1 - halvings) == exact_multiply_int64(acc, 1 << 30, 1 - halvings), acc


@pytest.mark.parametrize("requantize", REQUANTIZE, ids=LANGUAGES)
@pytest.mark.parametrize("rail", [-128, 127])
@pytest.mark.parametrize("mantissa", [1 << 30, (1 << 31) - 1, 0x6B5A_93C1])
@pytest.mark.parametrize("zero_point", [-128, 0, 127])
def test_requantize_stops_at_rails(requantize: Callable[..., int], rail: int, mantissa: int, zero_point: int) -> None:
    centre = ((rail - zero_point) << 37) // mantissa
    for acc in [*range(centre - 300, centre + 301), *RAILS]:
        exact = min(max(exact_multiply(acc, mantissa, -6) + zero_point, -128), 127)
        assert requantize(acc, mantissa, -6, zero_point, -128, 127) == exact, acc


@pytest.mark.parametrize("high_mul", HIGH_MUL, ids=[*LANGUAGES, "cortex_m0"])
def test_high_multiplication_at_rails(high_mul: Callable[..., int]) -> None:
    for a in RAILS:
        for b in RAILS:
            assert high_mul(a, b) == exact_high_mul(a, b), (a, b)


@pytest.mark.parametrize("shift_right", SHIFT_RIGHT, ids=LANGUAGES)
@pytest.mark.parametrize("shift", range(32))
def test_right_shift_around_every_tie(shift_right: Callable[..., int], shift: int) -> None:
    half = 1 << shift >> 1
    near = {k * (1 << shift) + half + d for k in range(-3, 3) for d in (-1, 0, 1)}
    for x in [*RAILS, *(x for x in near if -(2**31) <= x < 2**31)]:
        assert shift_right(x, shift) == half_away(Fraction(x, 1 << shift)), x


@pytest.mark.parametrize("shift_half_up", HALF_UP, ids=LANGUAGES)
@pytest.mark.parametrize("shift", range(31))
def test_cheap_right_shift_around_every_tie(shift_half_up: Callable[..., int], shift: int) -> None:
    half = 1 << shift >> 1
    near = {k * (1 << shift) + half + d for k in range(-3, 3) for d in (-1, 0, 1)}
    for x in (x for x in near if -(2**31) <= x < 2**31 - half):
        assert shift_half_up(x, shift) == half_up(Fraction(x, 1 << shift)), x


@settings(deadline=None, max_examples=1000)
@given(INT32, INT32)
def test_high_multiplication_is_the_written_rule(a: int, b: int) -> None:
    assert [f(a, b) for f in HIGH_MUL] == [exact_high_mul(a, b)] * 3


@unhurried
@given(INT32, MANTISSA, st.integers(-31, 30))
def test_multiply_is_the_written_rule(x: int, mantissa: int, shift: int) -> None:
    assert [f(x, mantissa, shift) for f in MULTIPLY] == [exact_multiply(x, mantissa, shift)] * 2


@unhurried
@given(st.integers(-(2**47), 2**47 - 1), MANTISSA, st.integers(-31, 7))
def test_wide_multiply_is_the_written_rule(x: int, mantissa: int, shift: int) -> None:
    assert [f(x, mantissa, shift) for f in MULTIPLY_INT64] == [exact_multiply_int64(x, mantissa, shift)] * 2


@unhurried
@given(INT32, MANTISSA, st.integers(-31, 30), st.integers(-128, 127))
def test_requantize_never_overflows(acc: int, mantissa: int, shift: int, zero_point: int) -> None:
    exact = min(max(exact_multiply(acc, mantissa, shift) + zero_point, -128), 127)
    assert [f(acc, mantissa, shift, zero_point, -128, 127) for f in REQUANTIZE] == [exact] * 2


@unhurried
@given(st.floats(2.0**-31, 2.0**29))
def test_quantize_multiplier_keeps_31_bits(real: float) -> None:
    mantissa, shift = fp.quantize_multiplier(real)
    assert 2**30 <= mantissa < 2**31
    assert abs(Fraction(mantissa) * Fraction(2) ** (shift - 31) / Fraction(real) - 1) <= Fraction(1, 2**31)


def test_quantize_multiplier_at_its_limits() -> None:
    assert fp.quantize_multiplier(0.0) == (0, 0)
    assert fp.quantize_multiplier(2.0**-40) == (0, 0)
    assert fp.quantize_multiplier(2.0**40) == (2**31 - 1, 30)
    assert fp.quantize_multiplier(1 - 2.0**-33) == (2**30, 1)


@unhurried
@given(st.integers(0, 2**63 - 1))
def test_bit_length_of_any_integer(x: int) -> None:
    assert int(fp.bit_length(x)) == x.bit_length()


def test_bit_length_around_powers_of_two() -> None:
    values = [max(0, (1 << k) + d) for k in range(63) for d in (-1, 0, 1)]
    assert fp.bit_length(np.array(values)).tolist() == [value.bit_length() for value in values]


def test_quantize_saturates_what_no_integer_holds() -> None:
    reals = np.array([-np.inf, -1e300, -1.5, -0.5, 0.5, 1.5, 1e300, np.inf])
    assert fp.quantize(reals, 1.0, 3, "int8").tolist() == [-128, -128, 1, 3, 3, 5, 127, 127]
