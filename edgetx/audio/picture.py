"""Spectrograms with detections, in a terminal."""

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_SHADES = " .:-=+*#%@"

Level = NDArray[np.float64]


def levels(rows: NDArray[np.generic]) -> Level:
    """Feature rows (time × bands) as numbers from 0 to 1."""
    values = np.asarray(rows, np.float64)
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    return (values - low) / (high - low) if high > low else np.zeros_like(values)


def text_picture(rows: NDArray[np.generic], marks: Sequence[tuple[int, str]], width: int, height: int = 12) -> str:
    """A spectrogram in characters, the lowest band at the bottom, with a line of marks below.

    Args:
        rows: Features, time × bands.
        marks: Row and label of each detection.
        width: Characters per line.
        height: Lines.
    """
    level = levels(rows)
    count, bands = level.shape
    columns = min(width, count)
    edges = np.linspace(0, count, columns + 1).astype(int)
    heights = np.linspace(0, bands, min(height, bands) + 1).astype(int)
    cells = [
        [level[a:b, low:high].mean() for a, b in itertools.pairwise(edges)] for low, high in itertools.pairwise(heights)
    ]
    lines = ["".join(_SHADES[min(int(cell * len(_SHADES)), len(_SHADES) - 1)] for cell in line) for line in cells[::-1]]
    below = [" "] * columns
    for row, label in marks:
        place = min(row * columns // max(count, 1), columns - 1)
        for i, character in enumerate("^" + label):
            if place + i < columns:
                below[place + i] = character
    return "\n".join([*lines, "".join(below).rstrip()])
