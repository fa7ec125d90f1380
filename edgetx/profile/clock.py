"""The time of a simulated core: counted by a trace engine, or not at all."""

from collections.abc import Callable

from edgetx.profile.trace.engine import NEVER
from edgetx.profile.trace.tracer import Tracer

DEFAULT_INSTRUCTIONS = 5_000_000_000
Access = tuple[int, bool]


class Clock:
    """What the parts of the simulator do to time; nothing happens where nobody counts.

    Args:
        tracer: What counts; None if nothing does.
        accessed: Address and direction of the access to a peripheral in progress.
    """

    def __init__(self, tracer: Tracer | None, accessed: Callable[[], Access | None]) -> None:
        self._tracer, self._accessed = tracer, accessed

    @property
    def counts(self) -> bool:
        """Whether time passes."""
        return self._tracer is not None

    @property
    def cycles(self) -> int:
        """Cycles so far; within a callback, up to the end of the access that called."""
        if self._tracer is None:
            return 0
        access = self._accessed()
        left = self._tracer.cycles_left(*access) if access else 0
        return self._tracer.engine.cycles - left

    @property
    def instructions(self) -> int:
        """Instructions executed so far."""
        return self._tracer.engine.instructions if self._tracer else 0

    def charge(self, cycles: int) -> None:
        """Let cycles pass that belong to no instruction."""
        if self._tracer:
            self._tracer.engine.charge(cycles)

    def jump(self) -> None:
        """Execution goes on somewhere else: the next block starts with an empty pipeline."""
        if self._tracer:
            self._tracer.restart()

    def enter(self, function: int, return_pc: int) -> None:
        """Go down the call tree."""
        if self._tracer:
            self._tracer.engine.enter(function, return_pc, return_pc)

    def leave(self, return_pc: int) -> None:
        """Come back up to the caller that waits there."""
        if self._tracer:
            self._tracer.engine.leave(return_pc)

    def allow(self, max_instructions: int | None) -> None:
        """Limit how many more instructions may be executed."""
        if self._tracer:
            engine = self._tracer.engine
            engine.instruction_limit = engine.instructions + (max_instructions or DEFAULT_INSTRUCTIONS)

    def wake_at(self, cycle: int | None, watch_masks: bool) -> None:
        """Stop the emulator at a cycle, and when a register changes that masks exceptions."""
        if self._tracer:
            self._tracer.engine.deadline = NEVER if cycle is None else cycle
            self._tracer.engine.watch_masks(watch_masks)

    def wake_now(self) -> None:
        """Stop the emulator before the next instruction that is counted apart."""
        if self._tracer:
            self._tracer.engine.deadline = 0
