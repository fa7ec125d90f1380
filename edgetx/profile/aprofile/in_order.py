"""Cores that issue in program order, a few instructions per cycle: a scoreboard, pipes and issue slots."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import cast

from edgetx.profile.aprofile.instruction import Branch, Instruction
from edgetx.profile.aprofile.parameters import ApplicationCore
from edgetx.profile.aprofile.pipeline import BlockTime, Ready, freeze, operands_ready, results_ready

_State = tuple[int, tuple[tuple[str, int, int, str], ...], tuple[tuple[str, int], ...]]


@dataclass(frozen=True)
class InOrder:
    """Times are issue cycles; a state is relative to the cycle of the last issue, with the slots used in it."""

    core: ApplicationCore

    def reset(self) -> Hashable:
        """History of an empty pipeline: the next instruction issues in a cycle of its own."""
        return (self.core.width, (), ())

    def time(self, block: Sequence[Instruction], state: Hashable) -> BlockTime:
        """Time a block."""
        used, registers, pipes = cast(_State, state)
        ready: Ready = {r: (a, b, k) for r, a, b, k in registers}
        free = dict(pipes)
        now, waits, cycles = 0, 0, []
        for instruction in block:
            row = self.core.row(instruction.kind)
            kept, needs = self.core.demand(row, instruction.is_q)
            is_first_only = self.core.q_first_slot and instruction.is_q
            earliest = now + 1 if used >= self.core.width or (is_first_only and used) else now
            operands = max(earliest, operands_ready(instruction, ready))
            time, taken = _find_pipes(needs, free, operands)
            cycles.append(time - now)
            waits += max(0, operands - max(earliest, now + 1))
            used = used + 1 if time == now else 1
            now = time
            for pipe in taken:
                free[pipe] = time + kept
            ready.update(results_ready(instruction, time, row.latency, row.accumulate, self.core.update_latency))
            if instruction.branch is not Branch.NONE:
                used = self.core.width
        left = tuple(sorted((pipe, t - now) for pipe, t in free.items() if t > now))
        return BlockTime(tuple(cycles), waits, (used, freeze(ready, now, 0), left))


def _find_pipes(
    needs: Sequence[tuple[tuple[str, ...], int]], free: dict[str, int], earliest: int
) -> tuple[int, list[str]]:
    """The first cycle in which enough pipes of each unit are free, and those pipes."""
    taken = [pipe for pipes, count in needs for pipe in sorted(pipes, key=lambda p: free.get(p, 0))[:count]]
    return max([earliest, *(free.get(pipe, 0) for pipe in taken)]), taken
