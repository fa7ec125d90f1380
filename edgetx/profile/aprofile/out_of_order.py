"""Cores that issue out of order: dispatch in order, a window, pipes picked by the oldest first, retirement in order."""

from collections import deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import cast

from edgetx.profile.aprofile.instruction import Instruction
from edgetx.profile.aprofile.parameters import ApplicationCore
from edgetx.profile.aprofile.pipeline import BlockTime, Ready, freeze, operands_ready, results_ready

_State = tuple[
    int, int, tuple[tuple[str, int, int, str], ...], tuple[tuple[str, tuple[int, ...]], ...], tuple[int, ...]
]


@dataclass(frozen=True)
class OutOfOrder:
    """Times are relative to the retirement of the last instruction.

    A state is: the cycle in which the last instruction was dispatched and how many were, values to come, cycles in
    which pipes are taken, and when those in the window retire. As instructions are placed one after the other, older
    ones pick their pipes first, and younger ones fill the gaps.
    """

    core: ApplicationCore

    def reset(self) -> Hashable:
        """History of an empty pipeline."""
        return (0, 0, (), (), ())

    def time(self, block: Sequence[Instruction], state: Hashable) -> BlockTime:
        """Time a block."""
        cycle, used, registers, pipes, retiring = cast(_State, state)
        ready: Ready = {r: (a, b, k) for r, a, b, k in registers}
        busy = {pipe: set(times) for pipe, times in pipes}
        window = deque(retiring)
        retired, waits, cycles = 0, 0, []
        for instruction in block:
            row = self.core.row(instruction.kind)
            cycle, used = self._dispatch(cycle, used, window)
            operands = operands_ready(instruction, ready)
            time = self._issue(max(cycle + 1, operands), instruction, busy)
            done = max(retired, time + row.latency)
            cycles.append(done - retired)
            waits += min(done - retired, max(0, operands - cycle - 1))
            retired = done
            window.append(done)
            ready.update(results_ready(instruction, time, row.latency, row.accumulate, self.core.update_latency))
        taken = tuple((p, tuple(sorted(t - retired for t in ts if t > cycle))) for p, ts in sorted(busy.items()))
        in_flight = tuple(t - retired for t in window if t > cycle)
        values = freeze(ready, retired, cycle - retired + 1)
        return BlockTime(tuple(cycles), waits, (cycle - retired, used, values, taken, in_flight))

    def _dispatch(self, cycle: int, used: int, window: deque[int]) -> tuple[int, int]:
        """The cycle in which the next instruction enters the window."""
        if used >= self.core.width:
            cycle, used = cycle + 1, 0
        while window and window[0] <= cycle:
            window.popleft()
        if len(window) >= self.core.window:
            cycle, used = window.popleft(), 0
        return cycle, used + 1

    def _issue(self, earliest: int, instruction: Instruction, busy: dict[str, set[int]]) -> int:
        """Reserve pipes from the first cycle on in which they are free."""
        kept, needs = self.core.demand(self.core.row(instruction.kind), instruction.is_q)
        time = earliest
        while True:
            taken = [_free_pipe(pipes, busy, time, kept) for pipes, _ in needs]
            if all(pipe is not None for pipe in taken):
                break
            time += 1
        for pipe in taken:
            busy.setdefault(cast(str, pipe), set()).update(range(time, time + kept))
        return time


def _free_pipe(pipes: Sequence[str], busy: dict[str, set[int]], time: int, kept: int) -> str | None:
    free = (p for p in pipes if not any(t in busy.get(p, ()) for t in range(time, time + kept)))
    return next(free, None)
