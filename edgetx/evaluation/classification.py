"""Accuracy of a classifier on labelled clips, with everything that qualifies it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgetx.evaluation.intervals import bootstrap_interval, wilson_interval


@dataclass(frozen=True)
class ClassScore:
    """One class.

    Attributes:
        clips: Clips that have this label.
        recall: Share of them that get it; None without clips.
        precision: Share of the clips that get it that have it; None if none does.
    """

    clips: int
    recall: float | None
    precision: float | None


@dataclass(frozen=True)
class Classification:
    """Answers of a model on labelled clips.

    Attributes:
        clips: How many.
        accuracy: Share of right answers.
        interval_95: Wilson's interval, taking clips as independent.
        speaker_interval_95: Interval by drawing speakers anew; None with fewer than two known speakers.
        classes: By name.
        speakers: Accuracy by speaker.
        confusion: Clips by label (rows) and answer (columns).
    """

    clips: int
    accuracy: float
    interval_95: tuple[float, float]
    speaker_interval_95: tuple[float, float] | None
    classes: dict[str, ClassScore]
    speakers: dict[str, float]
    confusion: list[list[int]]


def classify(
    answers: NDArray[np.int64], labels: NDArray[np.int64], classes: Sequence[str], speakers: NDArray[np.str_]
) -> Classification:
    """Compare answers with labels.

    Args:
        answers: Index of the answer per clip.
        labels: Index of the label per clip.
        classes: Names of the indices.
        speakers: Speaker per clip, "" if unknown; or empty.
    """
    correct = answers == labels
    confusion = np.zeros((len(classes), len(classes)), np.int64)
    np.add.at(confusion, (labels, answers), 1)
    names = sorted(set(speakers.tolist()) - {""})
    known = speakers != "" if len(speakers) else np.zeros(len(labels), bool)
    return Classification(
        clips=len(labels),
        accuracy=float(correct.mean()),
        interval_95=wilson_interval(int(correct.sum()), len(correct)),
        speaker_interval_95=bootstrap_interval(correct[known], speakers[known]) if len(names) > 1 else None,
        classes={name: _class_score(confusion, i) for i, name in enumerate(classes)},
        speakers={name: float(correct[speakers == name].mean()) for name in names},
        confusion=confusion.tolist(),
    )


def _class_score(confusion: NDArray[np.int64], index: int) -> ClassScore:
    right, clips, answered = confusion[index, index], confusion[index].sum(), confusion[:, index].sum()
    recall, precision = (float(right / total) if total else None for total in (clips, answered))
    return ClassScore(int(clips), recall, precision)
