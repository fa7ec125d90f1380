"""Observe what a float graph computes, and derive the range of each activation."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from edgetx.errors import QuantError
from edgetx.ir import Array, Graph
from edgetx.quant.recipe import Method
from edgetx.reference import execute, initial_state

Ranges = Mapping[str, tuple[float, float]]

BINS = 2048


@dataclass
class Histogram:
    """Counts of values over a range that grows with what is observed."""

    low: float = 0.0
    high: float = 0.0
    counts: Array = field(default_factory=lambda: np.zeros(BINS, np.int64))

    def add(self, data: Array) -> None:
        """Count the elements of `data`."""
        low, high = min(self.low, float(data.min())), max(self.high, float(data.max()))
        if (low, high) != (self.low, self.high):
            self._widen(low, high)
        if high > low:
            self.counts += np.histogram(data, BINS, (low, high))[0]

    @property
    def centres(self) -> Array:
        """The value each bin stands for."""
        edges = np.linspace(self.low, self.high, BINS + 1)
        return (edges[1:] + edges[:-1]) / 2

    def _widen(self, low: float, high: float) -> None:
        if self.counts.any():
            self.counts = np.histogram(self.centres, BINS, (low, high), weights=self.counts)[0].astype(np.int64)
        self.low, self.high = low, high


def calibrate(
    graph: Graph,
    samples: Iterable[tuple[Array, ...]],
    method: Method = "mse",
    progress: Callable[[int], None] | None = None,
) -> Ranges:
    """Range of every activation over the samples; see `observe` and `ranges_of`."""
    return ranges_of(observe(graph, samples, progress), method)


def observe(
    graph: Graph,
    samples: Iterable[tuple[Array, ...]],
    progress: Callable[[int], None] | None = None,
    seen: Mapping[str, Histogram] | None = None,
) -> dict[str, Histogram]:
    """What every activation is over the samples.

    Args:
        graph: A float graph.
        samples: Inputs of consecutive invocations; states are carried from one to the next.
        progress: Called with the number of samples seen.
        seen: What was seen of values of the same names before; counted along, and changed.

    Raises:
        QuantError: If there are no samples, or a value is not finite.
    """
    histograms = dict(seen or {})

    def add(name: str, data: Array) -> None:
        if not np.isfinite(data).all():
            raise QuantError("not a finite number during calibration", where=name, hint="check weights and inputs")
        histograms.setdefault(name, Histogram()).add(data)

    state = initial_state(graph)
    count = 0
    for count, inputs in enumerate(samples, 1):
        execute(graph, inputs, state, add)
        if progress:
            progress(count)
    if count == 0:
        raise QuantError("no calibration data", hint="pass --data with at least one input")
    return histograms


def ranges_of(
    seen: Mapping[str, Histogram], method: Method, whole: Collection[str] = ()
) -> dict[str, tuple[float, float]]:
    """The range in which each value is quantized.

    Args:
        seen: What was observed.
        method: `minmax` covers everything observed; `percentile` drops one value in ten thousand at each end;
            `mse` chooses the range with the least mean squared error at 8 bits.
        whole: Values of which nothing may be cut off, whatever the method.
    """
    choose = {"minmax": _minmax, "percentile": _percentile, "mse": _least_error}[method]
    return {name: (_minmax if name in whole else choose)(histogram) for name, histogram in seen.items()}


def row_peaks(graph: Graph, samples: Iterable[tuple[Array, ...]]) -> dict[str, Array]:
    """Largest magnitude, over the samples, in each row (all axes but the last) of every activation."""
    peaks: dict[str, Array] = {}

    def observe(name: str, data: Array) -> None:
        peak = np.abs(data).max(-1) if data.ndim else np.abs(data)
        peaks[name] = np.maximum(peaks.get(name, 0.0), peak)

    state = initial_state(graph)
    for inputs in samples:
        execute(graph, inputs, state, observe)
    return peaks


def _minmax(h: Histogram) -> tuple[float, float]:
    return h.low, h.high


def _percentile(h: Histogram, tail: float = 1e-4) -> tuple[float, float]:
    total = h.counts.sum()
    if total == 0:
        return h.low, h.high
    share = np.cumsum(h.counts) / total
    low, high = int(np.searchsorted(share, tail)), int(np.searchsorted(share, 1 - tail))
    centres = h.centres
    return min(0.0, float(centres[low])), max(0.0, float(centres[min(high, BINS - 1)]))


def _least_error(h: Histogram, levels: int = 256) -> tuple[float, float]:
    """Shrink the range step by step, from both ends alike, and keep the best."""
    candidates = [(h.low * f, h.high * f) for f in np.linspace(1.0, 0.4, 61)]
    centres = h.centres
    errors = [_squared_error(h.counts, centres, low, high, levels) for low, high in candidates]
    return candidates[int(np.argmin(errors))]


def _squared_error(counts: Array, centres: Array, low: float, high: float, levels: int) -> float:
    """Sum of squared distances between the observed values and their quantized form."""
    step = (high - low) / (levels - 1) or 1.0
    clipped = np.clip(centres, low, high)
    rounding = np.where(clipped == centres, step * step / 12, 0.0)
    return float((counts * ((centres - clipped) ** 2 + rounding)).sum())
