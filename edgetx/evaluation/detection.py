"""Keyword or not: misses against false accepts, over all thresholds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """Operating points, by rising threshold.

    Attributes:
        thresholds: A score of at least this is accepted.
        miss_rate: Share of keyword clips that are rejected or taken for another keyword.
        false_accept_rate: Share of the other clips that are accepted.
        equal_error_rate: Where both rates meet.
        area: Area under the receiver operating characteristic (1 − miss rate over the false accept rate).
    """

    thresholds: list[float]
    miss_rate: list[float]
    false_accept_rate: list[float]
    equal_error_rate: float
    area: float


def keywords_of(classes: Sequence[str]) -> list[int]:
    """Indices of the keywords: the classes that are not written with underscores, as in `_unknown_`."""
    return [i for i, name in enumerate(classes) if not name.startswith("_")]


def softmax(logits: Scores) -> Scores:
    """Probabilities along the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def detection_curve(probabilities: Scores, labels: NDArray[np.int64], classes: Sequence[str]) -> Curve | None:
    """Keyword detection on clips.

    A clip's score is the probability of its most probable keyword.

    Args:
        probabilities: Clips × classes.
        labels: Index of the label per clip.
        classes: Names of the indices.

    Returns:
        The curve; None if no class, or no clip, is a keyword or other than a keyword.
    """
    keywords = keywords_of(classes)
    is_keyword = np.isin(labels, keywords)
    if not is_keyword.any() or is_keyword.all():
        return None
    best = probabilities[:, keywords].argmax(axis=1)
    score = probabilities[np.arange(len(labels)), np.array(keywords)[best]]
    right = np.array(keywords)[best] == labels
    accepted_right = np.sort(np.where(right, score, -1.0)[is_keyword])
    accepted_wrong = np.sort(score[~is_keyword])
    thresholds = np.unique(np.concatenate((score, [0.0, np.nextafter(1.0, 2.0)])))
    misses = np.searchsorted(accepted_right, thresholds, side="left") / len(accepted_right)
    accepts = 1 - np.searchsorted(accepted_wrong, thresholds, side="left") / len(accepted_wrong)
    return Curve(
        thresholds.tolist(), misses.tolist(), accepts.tolist(), _equal_error(misses, accepts), _area(misses, accepts)
    )


def _equal_error(misses: Scores, accepts: Scores) -> float:
    """Where the rates cross, between the operating points beside it."""
    gap = misses - accepts
    after = int(np.argmax(gap >= 0))
    if gap[after] < 0:
        return float(max(misses[-1], accepts[-1]))
    before = max(0, after - 1)
    rise = gap[after] - gap[before]
    share = -gap[before] / rise if rise > 0 else 0.0
    return float(misses[before] + share * (misses[after] - misses[before]))


def _area(misses: Scores, accepts: Scores) -> float:
    """Trapezoids; where the loosest threshold still misses, the curve ends there."""
    hits, accepts = np.append(1 - misses[::-1], 1 - misses[0]), np.append(accepts[::-1], 1.0)
    return float(np.trapezoid(hits, accepts))
