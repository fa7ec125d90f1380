"""Keyword spotting on continuous audio: false accepts per hour against misses, and how late a keyword is heard."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edgetx.decision import Decision, events, smoothed

TOLERANCE_S = 0.5
"""How long after its end a keyword may still be detected."""
LATE = 95
"""Percentile of the delays that counts as late."""


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
class Point:
    """What one threshold makes of the audio.

    Attributes:
        threshold: Average posterior that makes an event.
        false_accepts_per_hour: Detections that are no keyword, or another one.
        miss_rate: Share of the keywords that are not detected; None if there are none.
        median_delay_s: From the end of a keyword's clip to its detection; below 0 it is heard before the clip ends.
        late_delay_s: The same, which all but 5 % of the keywords keep.
    """

    threshold: float
    false_accepts_per_hour: float
    miss_rate: float | None
    median_delay_s: float | None
    late_delay_s: float | None


@dataclass(frozen=True)
class Spotting:
    """Operating points on continuous audio, by rising threshold.

    Attributes:
        hours: Length of the audio.
        keywords: Keywords in it, by its own account; 0 if it has none.
        compiled: The point of the threshold that the model was compiled with.
        points: Other thresholds.
    """

    hours: float
    keywords: int
    compiled: Point
    points: list[Point]

    def at_rate(self, false_accepts_per_hour: float) -> Point:
        """The lowest threshold with at most so many false accepts per hour; the highest if none keeps that."""
        good = (point for point in self.points if point.false_accepts_per_hour <= false_accepts_per_hour)
        return next(good, self.points[-1])


@dataclass(frozen=True)
class Track:
    """What a model said to one recording.

    Attributes:
        logits: Answers × classes, int8, from the beginning on.
        scale: Their scale.
        ends_s: Time of the end of the audio that each answer has heard.
        seconds: Length of the recording.
        events: What is in it; empty for noise.
    """

    logits: NDArray[np.int8]
    scale: float
    ends_s: NDArray[np.float64]
    seconds: float
    events: Sequence[Event] = ()


@dataclass(frozen=True)
class _Heard:
    """A track with its posteriors summed, and the words that count."""

    track: Track
    totals: NDArray[np.int64]
    words: Sequence[Event]


def spot(tracks: Sequence[Track], classes: Sequence[str], decision: Decision, points: int = 99) -> Spotting:
    """Operating points of a keyword spotter, by the rule of its firmware.

    A detection is right if it falls between the start of an event of its label and `TOLERANCE_S` after its end; each
    event counts once, and a second right detection of it is not a false accept.

    Args:
        tracks: Recordings, each heard from its beginning.
        classes: Names of the classes.
        decision: How answers become events; all but its threshold is kept.
        points: Thresholds, spread evenly in log odds.
    """
    names = {name for i, name in enumerate(classes) if i not in decision.background}
    heard = [
        _Heard(
            track,
            smoothed(track.logits, track.scale, decision.smoothing),
            [e for e in track.events if e.label in names],
        )
        for track in tracks
    ]
    thresholds = 1 / (1 + np.exp(-np.linspace(-4.6, 6.2, points)))
    hours = sum(track.seconds for track in tracks) / 3600
    total = sum(len(h.words) for h in heard)
    swept = [_point(heard, classes, replace(decision, threshold=float(t)), hours, total) for t in thresholds]
    return Spotting(hours, total, _point(heard, classes, decision, hours, total), swept)


def _heard(track: Track, decision: Decision, names: Collection[str]) -> _Heard:
    totals = smoothed(track.logits, track.scale, decision.smoothing)
    return _Heard(track, totals, [event for event in track.events if event.label in names])


def detections(track: Track, classes: Sequence[str], decision: Decision) -> list[tuple[float, str]]:
    """Times and labels of the events of a recording."""
    return _found(track, smoothed(track.logits, track.scale, decision.smoothing), classes, decision)


def _found(
    track: Track, totals: NDArray[np.int64], classes: Sequence[str], decision: Decision
) -> list[tuple[float, str]]:
    return [(float(track.ends_s[e.hop]), classes[e.label]) for e in events(totals, decision)]


def _point(heard: Sequence[_Heard], classes: Sequence[str], decision: Decision, hours: float, total: int) -> Point:
    wrong, delays = 0, list[float]()
    for h in heard:
        w, d = _match(_found(h.track, h.totals, classes, decision), h.words)
        wrong, delays = wrong + w, delays + d
    median, late = np.percentile(delays, (50, LATE)).tolist() if delays else (None, None)
    return Point(decision.threshold, wrong / hours, 1 - len(delays) / total if total else None, median, late)


def _match(found: Sequence[tuple[float, str]], words: Sequence[Event]) -> tuple[int, list[float]]:
    """Wrong detections, and from the end of each word that was detected to its first detection."""
    wrong, delays = 0, dict[int, float]()
    for time, label in found:
        right = [i for i, e in enumerate(words) if e.label == label and e.start_s <= time <= e.end_s + TOLERANCE_S]
        for i in right[:1]:
            delays.setdefault(i, time - words[i].end_s)
        wrong += not right
    return wrong, list(delays.values())
