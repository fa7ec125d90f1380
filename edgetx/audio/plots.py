"""A recording with its detections, as a PNG file."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

matplotlib.use("Agg")

_INCHES_PER_SECOND, _LEAST_INCHES, _MOST_INCHES = 0.6, 8.0, 60.0
_COLOUR = "#e4572e"


def plot_detections(
    path: Path,
    audio: NDArray[np.int16],
    sample_rate_hz: int,
    rows: NDArray[np.int8],
    detections: Sequence[tuple[float, str]],
) -> None:
    """Waveform above, the model's input below, a named line at each detection.

    Args:
        path: What to write.
        audio: Samples.
        sample_rate_hz: Their rate.
        rows: Features, time × bands.
        detections: Seconds and label of each.
    """
    seconds = len(audio) / sample_rate_hz
    width = min(_MOST_INCHES, max(_LEAST_INCHES, _INCHES_PER_SECOND * seconds))
    figure = Figure(figsize=(width, 4), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(1, 2))
    above.plot(np.arange(len(audio)) / sample_rate_hz, audio / 32768, linewidth=0.4, color="#4878a8")
    above.set(ylabel="amplitude", ylim=(-1, 1), xlim=(0, seconds))
    below.imshow(rows.T, origin="lower", aspect="auto", cmap="magma", extent=(0, seconds, 0, rows.shape[1]))
    below.set(xlabel="seconds", ylabel="band")
    for place, label in detections:
        for axes in (above, below):
            axes.axvline(place, color=_COLOUR, linewidth=1.2)
        above.text(place, 1, f"{label} ", color=_COLOUR, ha="right", va="top", fontsize=9)
    figure.savefig(path, format="png", dpi=100)
