"""What every core model answers: how long a block takes, and why."""

from collections.abc import Hashable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from edgetx.profile.instruction import Block


class Cause(Enum):
    """What cycles are spent on."""

    ISSUE = "issue"
    MEMORY = "memory"
    DEPENDENCE = "dependence"
    FETCH = "fetch"
    BRANCH = "branch"
    DIVIDE = "divide"
    FP = "fp"


@dataclass(frozen=True, slots=True)
class Cost:
    """Cycles of one instruction: those of its issue, and stalls by cause."""

    cycles: int
    stalls: tuple[tuple[Cause, int], ...] = ()

    @property
    def total(self) -> int:
        """All cycles."""
        return self.cycles + sum(cycles for _, cycles in self.stalls)


@dataclass(frozen=True, slots=True)
class Fetch:
    """A request of the fetch unit.

    Attributes:
        address: The word.
        offset: When it is requested, in cycles behind the entry of the block.
        hidden: Cycles by which it may be late without delaying anything.
    """

    address: int
    offset: int
    hidden: int


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a block takes after a certain history.

    Attributes:
        entry: What the branch into the block costs; it belongs to the instruction before.
        costs: Cost of each instruction.
        state: History for the block that follows.
        fetches: Requests of the fetch unit.
        chained: Instructions whose access overlaps the access before, as long as both are to the same memory.
        paired: Instructions whose access is issued together with the access before.
        early_flags: Whether the branch at its end finds its flags settled, so that a wrong prediction costs less.
    """

    entry: Cost
    costs: tuple[Cost, ...]
    state: Hashable
    fetches: tuple[Fetch, ...] = ()
    chained: frozenset[int] = frozenset()
    paired: frozenset[int] = frozenset()
    early_flags: bool = False

    @property
    def cycles(self) -> int:
        """All cycles."""
        return self.entry.total + sum(cost.total for cost in self.costs)


class CoreModel(Protocol):
    """The pipeline of a core."""

    def reset(self) -> Hashable:
        """History of a core that has just started."""

    def time(self, state: Hashable, block: Block) -> Timing:
        """Time a block that follows a history."""
