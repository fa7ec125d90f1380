"""Keyword spotting on continuous audio: false accepts per hour against misses."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]

SMOOTHING = 3
"""Windows whose probabilities are averaged."""
PAUSE_S = 1.0
"""Time after a detection in which nothing else is detected."""
TOLERANCE_S = 0.5
"""How long after its end a keyword may still be detected."""


@dataclass(frozen=True)
class Event:
    """A word in a recording.

    Attributes:
        start_s: Its beginning.
        end_s: Its end.
        label: Its class.
    """

    start_s: float
    end_s: float
    label: str


@dataclass(frozen=True)
class Spotting:
    """Operating points on continuous audio, by rising threshold.

    Attributes:
        hours: Length of the audio.
        keywords: Keywords in it, by its own account; 0 if it has none.
        thresholds: A probability of at least this is a detection.
        false_accepts_per_hour: Detections that are no keyword, or another one.
        miss_rate: Share of the keywords that are not detected; None if there are none.
    """

    hours: float
    keywords: int
    thresholds: list[float]
    false_accepts_per_hour: list[float]
    miss_rate: list[float] | None

    def at_rate(self, false_accepts_per_hour: float) -> tuple[float, float | None]:
        """The lowest threshold with at most so many false accepts per hour, and its miss rate."""
        good = [i for i, rate in enumerate(self.false_accepts_per_hour) if rate <= false_accepts_per_hour]
        index = good[0] if good else -1
        return self.thresholds[index], self.miss_rate[index] if self.miss_rate else None


@dataclass(frozen=True)
class Track:
    """What a model heard in one recording.

    Attributes:
        probabilities: Windows × classes.
        ends_s: Time of the end of each window.
        seconds: Length of the recording.
        events: What is in it; empty for noise.
    """

    probabilities: Scores
    ends_s: Scores
    seconds: float
    events: Sequence[Event] = ()


def spot(tracks: Sequence[Track], classes: Sequence[str], keywords: Sequence[int], points: int = 99) -> Spotting:
    """Operating points of a keyword spotter.

    Probabilities are averaged over a few windows; the most probable keyword is detected where it reaches the threshold,
    and then nothing for a while. A detection is right if it falls between the start of an event of its label and
    `TOLERANCE_S` after its end; each event counts once, and a second right detection of it is not a false accept.

    Args:
        tracks: Recordings, each heard from its beginning.
        classes: Names of the classes.
        keywords: Indices of those that are keywords.
        points: Thresholds, spread evenly in log odds.
    """
    odds = np.linspace(-4.6, 9.2, points)
    thresholds = 1 / (1 + np.exp(-odds))
    names = {classes[k] for k in keywords}
    smooth = [replace(track, probabilities=_smoothed(track.probabilities)) for track in tracks]
    hours = sum(track.seconds for track in tracks) / 3600
    total = sum(event.label in names for track in tracks for event in track.events)
    wrong, hit = np.zeros(points), np.zeros(points)
    for i, threshold in enumerate(thresholds):
        for track in smooth:
            found = detections(track, classes, keywords, float(threshold))
            w, h = _match(found, [event for event in track.events if event.label in names])
            wrong[i], hit[i] = wrong[i] + w, hit[i] + h
    return Spotting(
        hours,
        total,
        thresholds.tolist(),
        (wrong / hours).tolist(),
        (1 - hit / total).tolist() if total else None,
    )


def detections(
    track: Track, classes: Sequence[str], keywords: Sequence[int], threshold: float
) -> list[tuple[float, str]]:
    """Times and labels at which a keyword reaches the threshold; smoothing is up to the caller."""
    scores = track.probabilities[:, list(keywords)]
    candidates = np.flatnonzero(scores.max(axis=1) >= threshold)
    found: list[tuple[float, str]] = []
    for i in candidates:
        time = float(track.ends_s[i])
        if not found or time - found[-1][0] >= PAUSE_S:
            found.append((time, classes[keywords[int(scores[i].argmax())]]))
    return found


def _smoothed(probabilities: Scores) -> Scores:
    """Mean over the last windows; at the beginning over those there are."""
    sums = np.cumsum(np.pad(probabilities, ((1, 0), (0, 0))), axis=0)
    last = np.arange(1, len(sums))
    first = np.maximum(0, last - SMOOTHING)
    return np.asarray((sums[last] - sums[first]) / (last - first)[:, None])


def _match(found: Sequence[tuple[float, str]], events: Sequence[Event]) -> tuple[int, int]:
    """Wrong detections, and events detected."""
    wrong, hit = 0, set()
    for time, label in found:
        right = [i for i, e in enumerate(events) if e.label == label and e.start_s <= time <= e.end_s + TOLERANCE_S]
        hit.update(right[:1])
        wrong += not right
    return wrong, len(hit)
