"""What both kinds of core answer: how long a block takes after a certain history."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Protocol

from edgetx.profile.aprofile.instruction import Instruction

Ready = dict[str, tuple[int, int, str]]
"""Register: when its value is there, when it is there for an accumulator of a class, and that class."""


@dataclass(frozen=True, slots=True)
class BlockTime:
    """How long a block takes.

    Attributes:
        cycles: Cycles of each instruction; they add up to those of the block.
        waits: Cycles among them in which nothing was issued for want of an operand.
        state: History for the block that follows.
    """

    cycles: tuple[int, ...]
    waits: int
    state: Hashable


class Pipeline(Protocol):
    """A core without memory and branch prediction."""

    def reset(self) -> Hashable:
        """History of an empty pipeline."""

    def time(self, block: Sequence[Instruction], state: Hashable) -> BlockTime:
        """Time a block."""


def operands_ready(instruction: Instruction, ready: Ready) -> int:
    """When all that an instruction reads is there; a value far in the past is at time 0 or below."""
    latest = max((ready[r][0] for r in instruction.reads if r in ready), default=-(1 << 30))
    accumulator = instruction.accumulator
    if accumulator is None or accumulator not in ready:
        return latest
    normal, early, kind = ready[accumulator]
    return max(latest, early if kind == instruction.kind else normal)


def results_ready(instruction: Instruction, time: int, latency: int, accumulate: int | None, update: int) -> Ready:
    """When what an instruction writes is there."""
    early = latency if accumulate is None else accumulate
    times = dict.fromkeys(instruction.writes, (time + latency, time + early, instruction.kind))
    if instruction.updated:
        times[instruction.updated] = (time + update, time + update, "")
    return times


def freeze(ready: Ready, now: int, least: int) -> tuple[tuple[str, int, int, str], ...]:
    """What of `ready` still matters behind `now`, relative to it."""
    return tuple(sorted((r, a - now, b - now, k) for r, (a, b, k) in ready.items() if a - now > least))
