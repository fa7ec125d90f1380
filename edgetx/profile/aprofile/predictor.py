"""Branch prediction: two-bit counters by address and recent outcomes, and the last target of indirect branches."""

_OUTCOMES = 8


class Predictor:
    """Predicts conditional and indirect branches; returns are always predicted rightly."""

    def __init__(self) -> None:
        self._counters: dict[tuple[int, int], int] = {}
        self._targets: dict[int, int] = {}
        self._history = 0

    def is_surprised(self, branch: int, taken: bool) -> bool:
        """Whether the outcome of a conditional branch was not the predicted one; learns from it."""
        key = branch, self._history
        counter = self._counters.get(key, 1)
        self._counters[key] = min(3, counter + 1) if taken else max(0, counter - 1)
        self._history = (self._history << 1 | taken) & ((1 << _OUTCOMES) - 1)
        return (counter >= 2) != taken

    def is_surprised_by_target(self, branch: int, target: int) -> bool:
        """Whether an indirect branch went elsewhere than the last time."""
        known = self._targets.get(branch)
        self._targets[branch] = target
        return known != target
