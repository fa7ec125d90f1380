"""Plots of an evaluation, as PNG files."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import NormalDist

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from edgetx.evaluation.classification import Classification
from edgetx.evaluation.detection import Curve
from edgetx.evaluation.spotting import Spotting

matplotlib.use("Agg")

_TICKS = (0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.4)


def plot_confusion(path: Path, result: Classification) -> None:
    """Clips by label and answer, shaded by share of the label."""
    counts = np.array(result.confusion)
    names = list(result.classes)
    size = max(4.0, 1.5 + 0.42 * len(names))
    with _figure(path, size, size) as axes:
        axes.imshow(counts / np.maximum(1, counts.sum(axis=1, keepdims=True)), cmap="Blues", vmin=0, vmax=1)
        for row, column in np.argwhere(counts):
            share = counts[row, column] / counts[row].sum()
            colour = "white" if share > 0.5 else "black"
            axes.text(column, row, str(counts[row, column]), ha="center", va="center", fontsize=7, color=colour)
        axes.set_xticks(range(len(names)), names, rotation=90, fontsize=8)
        axes.set_yticks(range(len(names)), names, fontsize=8)
        axes.set(xlabel="answer", ylabel="label")


def plot_speakers(path: Path, speakers: Mapping[str, float], overall: float) -> None:
    """Accuracy of each speaker, from the weakest."""
    ranked = sorted(speakers.items(), key=lambda item: item[1])
    with _figure(path, 6, max(2.0, 0.8 + 0.22 * len(ranked))) as axes:
        axes.barh(range(len(ranked)), [value for _, value in ranked], color="#4878a8")
        axes.axvline(overall, color="black", linewidth=1, linestyle="--")
        axes.set_yticks(range(len(ranked)), [name for name, _ in ranked], fontsize=8)
        axes.set(xlim=(min([0.9, *(value - 0.02 for _, value in ranked)]), 1.0), xlabel="accuracy")


def plot_det(path: Path, curve: Curve) -> None:
    """Misses over false accepts on normal-deviate axes (Martin et al., 1997)."""
    low = 5e-4
    inside = NormalDist().inv_cdf
    points = [
        (inside(min(max(a, low), 1 - low)), inside(min(max(m, low), 1 - low)))
        for a, m in zip(curve.false_accept_rate, curve.miss_rate, strict=True)
    ]
    with _figure(path, 5, 5) as axes:
        axes.step(*zip(*points, strict=True), where="post", color="#4878a8")
        axes.plot([inside(low), inside(0.5)], [inside(low), inside(0.5)], color="grey", linewidth=0.8, linestyle=":")
        ticks, labels = [inside(t) for t in _TICKS], [f"{100 * t:g}" for t in _TICKS]
        axes.set_xticks(ticks, labels)
        axes.set_yticks(ticks, labels)
        axes.set(xlim=(inside(low), inside(0.5)), ylim=(inside(low), inside(0.5)))
        axes.set(xlabel="clips without a keyword accepted, %", ylabel="keywords missed, %")
        axes.set_title(f"equal error rate {curve.equal_error_rate:.2%}", fontsize=10)


def plot_roc(path: Path, curve: Curve) -> None:
    """Hits over false accepts."""
    with _figure(path, 5, 5) as axes:
        axes.plot(curve.false_accept_rate, [1 - m for m in curve.miss_rate], color="#4878a8")
        axes.set(xlabel="clips without a keyword accepted", ylabel="keywords found", xlim=(0, 1), ylim=(0, 1.01))
        axes.set_title(f"area {curve.area:.4f}", fontsize=10)


def plot_spotting(path: Path, result: Spotting) -> None:
    """False accepts per hour: over misses where the audio has keywords, else over the threshold; misses over delay."""
    floor = 0.5 / result.hours
    rates = [max(floor, point.false_accepts_per_hour) for point in result.points]
    title = f"{result.hours:.2f} h of audio, {result.keywords} keywords"
    if not result.keywords:
        with _figure(path, 6, 4) as axes:
            axes.step([point.threshold for point in result.points], rates, where="post", color="#4878a8")
            axes.set(xlabel="threshold", yscale="log", ylabel="false accepts per hour", title=title)
        return
    misses = [100 * (point.miss_rate or 0.0) for point in result.points]
    heard = [(p.median_delay_s, p.late_delay_s, m) for p, m in zip(result.points, misses, strict=True)]
    with _figures(path, 10, 4, 2) as (left, right):
        left.step(rates, misses, where="post", color="#4878a8")
        left.set(xlabel="false accepts per hour", xscale="log", ylabel="keywords missed, %", title=title)
        for which, name, colour in ((0, "median", "#4878a8"), (1, "95 %", "#b0653a")):
            delays = [(row[which], row[2]) for row in heard if row[which] is not None]
            if delays:
                right.plot(*zip(*delays, strict=True), ".-", color=colour, label=name)
        right.set(xlabel="heard, seconds after the end of the clip", title="early decision, by threshold")
        if right.lines:
            right.legend()


@contextmanager
def _figure(path: Path, width: float, height: float) -> Iterator[Axes]:
    with _figures(path, width, height, 1) as (axes,):
        yield axes


@contextmanager
def _figures(path: Path, width: float, height: float, columns: int) -> Iterator[Sequence[Axes]]:
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(1, columns, squeeze=False)[0]
    for part in axes:
        part.grid(visible=False)
    yield axes
    figure.savefig(path, dpi=120, metadata={"Software": None})


def plot_all(
    folder: Path, result: Classification, curve: Curve | None, streams: Sequence[tuple[str, Spotting]]
) -> list[str]:
    """Draw what there is to draw; the names of the files."""
    names = ["confusion.png"]
    plot_confusion(folder / names[0], result)
    if len(result.speakers) > 1:
        names.append("speakers.png")
        plot_speakers(folder / names[-1], result.speakers, result.accuracy)
    if curve is not None:
        names += ["det.png", "roc.png"]
        plot_det(folder / "det.png", curve)
        plot_roc(folder / "roc.png", curve)
    for name, spotting in streams:
        names.append(f"stream_{name}.png")
        plot_spotting(folder / names[-1], spotting)
    return names
