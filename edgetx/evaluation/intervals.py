"""Confidence intervals of an accuracy."""

import math

import numpy as np
from numpy.typing import NDArray

_DRAWS = 4000


def wilson_interval(correct: int, clips: int) -> tuple[float, float]:
    """Wilson's 95 % score interval of a proportion (Wilson, 1927); takes clips as independent."""
    z, p = 1.959964, correct / clips
    centre = (p + z**2 / (2 * clips)) / (1 + z**2 / clips)
    half = z / (1 + z**2 / clips) * math.sqrt(p * (1 - p) / clips + z**2 / (4 * clips**2))
    return max(0.0, centre - half), min(1.0, centre + half)


def bootstrap_interval(correct: NDArray[np.bool_], groups: NDArray[np.str_], seed: int = 0) -> tuple[float, float]:
    """95 % percentile interval of an accuracy when whole groups (speakers) are drawn anew (Efron, 1979).

    Clips of one speaker fail together; with few speakers this interval is wider than Wilson's, and nearer the truth.
    With fewer than about ten groups it is still too narrow.

    Args:
        correct: One truth value per clip.
        groups: The group of each clip.
        seed: Seed of the draws.
    """
    _, index = np.unique(groups, return_inverse=True)
    clips = np.bincount(index)
    right = np.bincount(index, weights=correct)
    drawn = np.random.default_rng(seed).integers(len(clips), size=(_DRAWS, len(clips)))
    low, high = np.percentile(right[drawn].sum(axis=1) / clips[drawn].sum(axis=1), (2.5, 97.5))
    return float(low), float(high)
