"""Exceptions as they happen: when they are taken, what they cost, where execution goes on."""

from edgetx.profile.clock import Clock
from edgetx.profile.emulator import Emulator
from edgetx.profile.exceptions import ExceptionParameters, ExceptionUnit
from edgetx.profile.nvic import SYS_TICK, Masks, Nvic
from edgetx.profile.system import SystemControl, SysTick
from edgetx.targets import Target

FPCCR = 0xE000_EF34
_ALWAYS, _LAZY = 1 << 31, 1 << 30


class Interrupts:
    """Decides which exception is taken, and lets the cycles of entry and return pass.

    An exception is taken between two instructions. One that arrives while another is being entered or left, and is more
    urgent, takes the other's place (late arrival) or follows without unstacking (tail-chaining).

    Attributes:
        nvic: What is pending, enabled and active.
        systick: The timer.
        system: The registers.
    """

    def __init__(self, target: Target, emulator: Emulator, costs: ExceptionParameters, clock: Clock) -> None:
        self.nvic = Nvic(priority_mask=target.priority_mask)
        self.systick = SysTick(lambda: clock.cycles)
        self.system = SystemControl(target.core, self.nvic)
        self._emulator, self._costs, self._clock = emulator, costs, clock
        self._exceptions = ExceptionUnit(emulator, target.core)
        self._has_masks = target.core_info.architecture != "ARMv6-M"

    @property
    def is_due(self) -> bool:
        """Whether an exception is to be taken now."""
        return bool(self.nvic.pending) and self.nvic.next(self._masks()) is not None

    @property
    def is_waiting(self) -> bool:
        """Whether an exception is pending that is masked, or less urgent than what runs."""
        return self.nvic.next(Masks()) is not None

    @property
    def next_cycle(self) -> int | None:
        """When the timer expires next; None if it does not run."""
        return self.systick.next_cycle if self.systick.interrupts else None

    def take(self, pc: int) -> int:
        """Enter the exception that is due, if there is one; returns where execution goes on."""
        self._expire(self._clock.cycles)
        number = self.nvic.take(self._masks()) if self.nvic.pending else None
        return pc if number is None else self._enter(number, pc, self._costs.entry_cycles)

    def leave(self, exc_return: int) -> int:
        """Return from a handler; returns where execution goes on."""
        settings = self.system.registers.get(FPCCR, _ALWAYS | _LAZY)
        back = self._exceptions.leave(exc_return, bool(settings & _LAZY))
        self.nvic.end(back.number)
        self._clock.jump()
        self._clock.leave(back.pc)
        self._clock.charge(2 * self._costs.fp_context_cycles * back.moved_fp)
        self._expire(self._clock.cycles + self._costs.exit_cycles)
        following = self.nvic.take(self._masks()) if self.nvic.pending else None
        if following is not None:
            return self._enter(following, back.pc, self._costs.tail_chain_cycles)
        self._clock.charge(self._costs.exit_cycles)
        return back.pc

    def sleep(self) -> bool:
        """Let time pass until an exception is pending; whether one ever will be."""
        if self.is_waiting:
            return True
        wake = self.next_cycle
        if wake is None or not self._clock.counts:
            return False
        self._clock.charge(max(wake - self._clock.cycles, 0))
        return True

    def _enter(self, number: int, pc: int, cycles: int) -> int:
        with_fp = bool(self.system.registers.get(FPCCR, _ALWAYS | _LAZY) & _ALWAYS)
        self._exceptions.enter(pc, with_fp)
        self._expire(self._clock.cycles + cycles)
        late = self.nvic.take(self._masks()) if self.nvic.pending else None
        if late is not None:
            self.nvic.end(number)
            self.nvic.pending.add(number)
            number = late
        handler = self._exceptions.vector(number, self.system.vector_table)
        self._clock.jump()
        self._clock.enter(handler, pc)
        self._clock.charge(cycles)
        return handler

    def _expire(self, cycle: int) -> None:
        if self.systick.expire(cycle):
            self.nvic.pending.add(SYS_TICK)

    def _masks(self) -> Masks:
        register = self._emulator.register
        if not self._has_masks:
            return Masks(primask=register("primask"))
        return Masks(register("primask"), register("faultmask"), register("basepri") & self.nvic.priority_mask)
