"""Posteriors, their moving average, a threshold and a refractory time: the one rule by which audio becomes events.

A hop is whatever a model answers for: frames of a stream, or a window that slides over the audio. Per hop of int8
logits: weights exp(−scale · distance from the largest) from a table in Q15, posteriors round(255 · weight / sum), their
sum over the last hops, and an event for the class of the largest sum if it reaches the threshold, is no background and
no event was in the refractory hops before. Ties go to the class named first. After a reset the average counts the
missing hops as 0, so that the first event takes its time.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgetx.errors import ConfigError

CERTAIN = 255
"""A posterior of 1."""


@dataclass(frozen=True)
class Decision:
    """How events are made of posteriors.

    Attributes:
        smoothing: Hops that are averaged.
        threshold: Average posterior that makes an event, above 0 and at most 1.
        refractory: Hops after an event without another.
        background: Classes that are no events.
    """

    smoothing: int = 1
    threshold: float = 0.8
    refractory: int = 0
    background: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.smoothing <= 1024 or self.refractory < 0:
            raise ConfigError(f"smoothing over {self.smoothing}, refractory {self.refractory} hops",
                              where="streaming", hint="1 to 1024, and 0 or more")  # fmt: skip
        if not 0 < self.threshold <= 1:
            raise ConfigError(f"threshold {self.threshold}", where="streaming.threshold", hint="above 0, at most 1")

    @property
    def least(self) -> int:
        """The sum of posteriors that makes an event."""
        return int(np.ceil(self.threshold * CERTAIN * self.smoothing))


@dataclass(frozen=True)
class Event:
    """Something was heard.

    Attributes:
        label: Its class.
        score: Average posterior, 0 to 255.
        hop: The hop that decided, counted from reset.
    """

    label: int
    score: int
    hop: int


class Decider:
    """Decides hop by hop.

    Args:
        decision: The settings.
        classes: Number of logits.
        scale: Their scale.
    """

    def __init__(self, decision: Decision, classes: int, scale: float) -> None:
        self.decision = decision
        self.table = exponentials(scale)
        self._classes = classes
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self._ring: NDArray[np.int64] = np.zeros((self.decision.smoothing, self._classes), np.int64)
        self._hop = self._wait = 0

    def push(self, logits: NDArray[np.int8]) -> Event | None:
        """The event of a hop, if there is one."""
        self._ring[self._hop % len(self._ring)] = posteriors(np.reshape(logits, -1), self.table)
        totals = self._ring.sum(0)
        label = int(totals.argmax())
        hop, self._hop = self._hop, self._hop + 1
        if self._wait > 0:
            self._wait -= 1
            return None
        if label in self.decision.background or totals[label] < self.decision.least:
            return None
        self._wait = self.decision.refractory
        return Event(label, int(totals[label]) // len(self._ring), hop)


def smoothed(logits: NDArray[np.int8], scale: float, hops: int) -> NDArray[np.int64]:
    """Sums of the posteriors of each hop and those before it, `hops` together, as a `Decider` has them.

    Args:
        logits: Hops × classes, from a reset on.
        scale: Scale of the logits.
        hops: How many hops are summed.
    """
    sums = np.cumsum(posteriors(logits, exponentials(scale)), 0)
    return np.asarray(sums - np.concatenate([np.zeros_like(sums[:hops]), sums])[: len(sums)])


def events(totals: NDArray[np.int64], decision: Decision) -> list[Event]:
    """All events of a recording, those that a `Decider` makes of it.

    Args:
        totals: What `smoothed` gives for it.
        decision: The settings.
    """
    labels, largest = totals.argmax(1), totals.max(1)
    candidates = np.flatnonzero((largest >= decision.least) & ~np.isin(labels, decision.background))
    found: list[Event] = []
    for hop in map(int, candidates):
        if not found or hop - found[-1].hop > decision.refractory:
            found.append(Event(int(labels[hop]), int(largest[hop]) // decision.smoothing, hop))
    return found


def exponentials(scale: float) -> NDArray[np.int16]:
    """exp(−scale · d) for d = 0 … 255 in Q15, 1 as 32767."""
    return np.asarray(np.rint(32767 * np.exp(-scale * np.arange(256))), np.int16)


def posteriors(logits: NDArray[np.int8], table: NDArray[np.int16]) -> NDArray[np.int64]:
    """Softmax of int8 logits along the last axis, 255 for 1."""
    q = np.asarray(logits, np.int64)
    weights = table[q.max(-1, keepdims=True) - q].astype(np.int64)
    total = weights.sum(-1, keepdims=True)
    return np.asarray((CERTAIN * weights + total // 2) // total)
