"""The constants of the fixed-point front end."""

import numpy as np
from numpy.typing import NDArray

from edgetx.recipe import FrontEnd

Floats = NDArray[np.float64]


def fixed(values: Floats, bits: int) -> Floats:
    """The nearest multiples of 2**-bits."""
    return np.asarray(np.rint(values * 2**bits) / 2**bits, np.float64)


def hann(window: int) -> Floats:
    """The periodic Hann window."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)


def bit_reversal(points: int) -> NDArray[np.int64]:
    """The order in which a radix-2 transform by decimation in time reads its input."""
    order = np.zeros(1, np.int64)
    while len(order) < points:
        order = np.concatenate((2 * order, 2 * order + 1))
    return order


def twiddles(points: int, count: int) -> tuple[Floats, Floats]:
    """Cosine and sine of the first `count` of `points` steps around the circle."""
    angle = 2 * np.pi * np.arange(count) / points
    return np.cos(angle), np.sin(angle)


def mel_positions(frontend: FrontEnd, size: int, sample_rate_hz: int) -> Floats:
    """Where spectrum bins lie among equally spaced mel frequencies: 0 is the lowest, mels + 1 the highest."""
    low, high = _mel(np.array([frontend.low_hz, frontend.high_hz]))
    bins = _mel(np.arange(size // 2 + 1) * sample_rate_hz / size)
    return np.asarray((bins - low) / (high - low) * (frontend.mels + 1), np.float64)


def mel_filters(positions: Floats, mels: int) -> Floats:
    """Triangles of height 1 from each mel frequency to its neighbours: spectrum bins × mels."""
    return np.asarray(np.maximum(0, 1 - np.abs(positions[:, None] - np.arange(1, mels + 1))), np.float64)


def cosine_transform(mels: int, coefficients: int) -> Floats:
    """The first coefficients of the cosine transform (DCT-II) as HTK and TensorFlow scale it: mels × coefficients."""
    k, n = np.arange(coefficients), np.arange(mels)[:, None]
    return np.asarray(np.sqrt(2 / mels) * np.cos(np.pi * k * (2 * n + 1) / (2 * mels)), np.float64)


def log2_segments() -> Floats:
    """log2(1 + i / 32) in Q15, for i up to 32."""
    return np.asarray(np.rint(np.log2(1 + np.arange(33) / 32) * 2**15), np.float64)


def _mel(hz: NDArray[np.float64]) -> Floats:
    return np.asarray(2595 * np.log10(1 + hz / 700), np.float64)
