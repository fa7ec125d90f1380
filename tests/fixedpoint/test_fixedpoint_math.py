"""Functions in fixed point: C equals Python, and both are close to the real functions."""

import ctypes
import math

import numpy as np
import pytest
from test_fixedpoint import library

from edgetx import fixedpoint_math as fm
from edgetx.ops.normalize import reciprocal_root

EXP_ERROR = 0.125**5 / 120
"""The first term that the series around -1/8 leaves out."""
RNG = np.random.default_rng(0)


def sweep(low: int, high: int, count: int = 4000) -> np.ndarray:
    """Random integers, the ends, and everything around powers of two, in [low, high]."""
    powers = [sign * (1 << k) + d for k in range(32) for d in (-1, 0, 1) for sign in (-1, 1)]
    points = np.concatenate([RNG.integers(low, high + 1, count), [low, high], powers])
    return np.unique(points[(points >= low) & (points <= high)])


def test_exponential_in_c_equals_python() -> None:
    points = sweep(-(2**31) + 1, 0)
    assert [library().exponential(int(x)) for x in points] == fm.exp_on_negative_values(points, 5).tolist()


def test_reciprocal_in_c_equals_python() -> None:
    points = sweep(0, 2**31 - 1)
    assert [library().one_over_one_plus(int(x)) for x in points] == fm.one_over_one_plus(points).tolist()


def test_inverse_square_root_in_c_equals_python() -> None:
    shift = ctypes.c_int32()
    for x in [*range(300), *sweep(0, 2**31 - 1, 1000).tolist()]:
        mantissa = library().inverse_sqrt(x, ctypes.byref(shift))
        assert (mantissa, shift.value) == fm.inverse_sqrt_multiplier(x), x


@pytest.mark.parametrize("bits", [8, 13, 16])
def test_reciprocal_root_in_c_equals_python(bits: int) -> None:
    exponent = ctypes.c_int32()
    points = np.unique(np.concatenate([sweep(1, 2**31 - 1, 1000), RNG.integers(1, 2**62, 1000), [1, 2**62 - 1]]))
    roots, exponents = reciprocal_root(points, bits)
    for v, root, e in zip(points.tolist(), roots.tolist(), exponents.tolist(), strict=True):
        assert (library().reciprocal_root(v, bits, ctypes.byref(exponent)), exponent.value) == (root, e), v


@pytest.mark.parametrize("integer_bits", [0, 3, 4, 5])
def test_exponential_is_close_to_the_real_one(integer_bits: int) -> None:
    points = sweep(-(2**31) + 1, 0)
    real = np.exp(np.ldexp(points.astype(float), integer_bits - 31))
    assert np.abs(fm.exp_on_negative_values(points, integer_bits) / 2.0**31 - real).max() < EXP_ERROR


def test_reciprocal_root_is_close_to_the_real_one() -> None:
    points = np.unique(RNG.integers(1, 2**50, 5000))
    roots, exponents = reciprocal_root(points, 16)
    assert np.abs(np.ldexp(roots.astype(float), -exponents) * np.sqrt(points) - 1).max() < 2.0**-14


def test_inverse_square_root_is_close_to_the_real_one() -> None:
    for x in sweep(2, 2**31 - 1, 1000).tolist():
        mantissa, shift = fm.inverse_sqrt_multiplier(x)
        assert math.isclose(math.ldexp(mantissa, shift - 31), x**-0.5, rel_tol=2.0**-18), x
