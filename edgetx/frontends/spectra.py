"""Fourier transforms as matrices."""

import numpy as np

from edgetx.ir import Array


def forward_matrix(taken: int, length: int, bins: int | None = None) -> Array:
    """The transform of real numbers.

    Args:
        taken: Numbers that there are; beyond them are zeros.
        length: Length of the transform.
        bins: Frequencies; those up to half the sampling rate by default.

    Returns:
        [2 · bins, taken]: real and imaginary part of each frequency in turn.
    """
    count = length // 2 + 1 if bins is None else bins
    angle = -2 * np.pi / length * np.outer(np.arange(count), np.arange(taken))
    return np.stack([np.cos(angle), np.sin(angle)], 1).reshape(2 * count, taken).astype(np.float32)
