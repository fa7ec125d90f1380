"""From a model's scores, window after window, to detections: integer smoothing, a margin and a pause.

The scores of the last windows are summed class by class. The class with the largest sum is detected when its sum is
ahead of every other by `margin`, unless it is one of the classes that mean nothing; then nothing is detected for
`pause` windows. `edgetx/audio/c/etx_detector.h` does the same in firmware.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

NOTHING = -1


@dataclass(frozen=True)
class DetectorSettings:
    """How scores become detections.

    Attributes:
        classes: Number of classes.
        ignored: Classes that are never detected, such as `_unknown_`.
        length: Windows that are summed.
        margin: How far ahead the sum has to be, in steps of the model's output.
        pause: Windows after a detection in which there is no other.
    """

    classes: int
    ignored: frozenset[int]
    length: int
    margin: int
    pause: int


@dataclass
class Detector:
    """The state of a detector."""

    settings: DetectorSettings
    _scores: deque[Sequence[int]] = field(default_factory=deque)
    _waiting: int = 0

    def push(self, scores: Sequence[int]) -> int:
        """The class that is detected with the scores of one more window, or NOTHING."""
        s = self.settings
        self._scores.append(scores)
        if len(self._scores) > s.length:
            self._scores.popleft()
        sums = [sum(column) for column in zip(*self._scores, strict=True)]
        best = max(range(s.classes), key=lambda c: (sums[c], -c))
        second = max(sums[c] for c in range(s.classes) if c != best)
        if self._waiting:
            self._waiting -= 1
            return NOTHING
        if len(self._scores) < s.length or best in s.ignored or sums[best] - second < s.margin:
            return NOTHING
        self._waiting = s.pause
        return best
