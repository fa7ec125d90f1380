"""Spectrograms with detections, in a terminal and as PNG files."""

import itertools
import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_SHADES = " .:-=+*#%@"
_COLOURS = np.array([(0, 0, 4), (87, 16, 110), (188, 55, 84), (249, 142, 9), (252, 255, 164)], float)
_MARK = (0, 255, 255)

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


def png_picture(rows: NDArray[np.generic], marks: Sequence[int], zoom: int = 4) -> bytes:
    """A spectrogram as a PNG file, with a line at each detection.

    Args:
        rows: Features, time × bands.
        marks: Rows of the detections.
        zoom: Pixels per row and band.
    """
    level = levels(rows).T[::-1]
    place = level * (len(_COLOURS) - 1)
    low = np.minimum(place.astype(int), len(_COLOURS) - 2)
    share = (place - low)[..., None]
    pixels = (_COLOURS[low] * (1 - share) + _COLOURS[low + 1] * share).round().astype(np.uint8)
    for row in marks:
        pixels[:, min(row, pixels.shape[1] - 1)] = _MARK
    return _png(pixels.repeat(zoom, 0).repeat(zoom, 1))


def _png(pixels: NDArray[np.uint8]) -> bytes:
    """RGB pixels as PNG (ISO/IEC 15948), every line without a filter."""
    height, width, _ = pixels.shape
    lines = b"".join(b"\0" + line.tobytes() for line in pixels)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
