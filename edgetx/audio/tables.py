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


def mel_filters(frontend: FrontEnd, size: int, sample_rate_hz: int) -> Floats:
    """Triangles of height 1 between equally spaced mel frequencies: spectrum bins × mels."""
    low, high = _mel(np.array([frontend.low_hz, frontend.high_hz]))
    edges = np.linspace(low, high, frontend.mels + 2)
    bins = _mel(np.arange(size // 2 + 1) * sample_rate_hz / size)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.asarray(np.maximum(0, np.minimum(rising, falling)), np.float64)


def cosine_transform(mels: int, coefficients: int) -> Floats:
    """The first coefficients of the orthonormal cosine transform (DCT-II): mels × coefficients."""
    k, n = np.arange(coefficients), np.arange(mels)[:, None]
    scale = np.where(k == 0, 1.0, np.sqrt(2.0)) / np.sqrt(mels)
    return np.asarray(scale * np.cos(np.pi * k * (2 * n + 1) / (2 * mels)), np.float64)


def log2_segments() -> Floats:
    """log2(1 + i / 32) in Q15, for i up to 32."""
    return np.asarray(np.rint(np.log2(1 + np.arange(33) / 32) * 2**15), np.float64)


def _mel(hz: NDArray[np.float64]) -> Floats:
    return np.asarray(2595 * np.log10(1 + hz / 700), np.float64)
