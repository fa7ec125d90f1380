"""The loop that drives the emulator from one event to the next."""

from collections.abc import Callable
from time import monotonic

from edgetx.errors import DeviceError, EdgetxError
from edgetx.profile.clock import Clock
from edgetx.profile.decode import Decoder
from edgetx.profile.emulator import Emulator, Stop, StopKind
from edgetx.profile.image import Image
from edgetx.profile.interrupts import Interrupts
from edgetx.profile.mapped_io import MappedIo
from edgetx.profile.nvic import SVC
from edgetx.profile.semihosting import BREAKPOINT, Semihosting
from edgetx.profile.trace.engine import Stopped
from edgetx.profile.trace.tracer import Tracer
from edgetx.targets import Target

NOWHERE = 0x9FFF_F100
UNIT_BYTES = 2 + 4 * 4
UNCOUNTED_STEP = 200
NEVER_ENDS = "of firmware that never ends, profile one function (--function NAME), or stop it: run(until=...)"


class Execution:
    """Executes instructions, and does what follows when the emulator comes back.

    Attributes:
        pc: Address of the next instruction.
        entered: Called with the address of a watched block.
    """

    def __init__(
        self,
        target: Target,
        image: Image,
        emulator: Emulator,
        mmio: MappedIo,
        tracer: Tracer | None,
        clock: Clock,
        interrupts: Interrupts,
        semihosting: Semihosting,
    ) -> None:
        self.pc = 0
        self.entered: Callable[[int], None] = lambda _address: None
        self._target, self._image, self._emulator, self._mmio = target, image, emulator, mmio
        self._tracer, self._clock, self._interrupts = tracer, clock, interrupts
        self._semihosting = semihosting
        self._decoder = Decoder()
        self._stop_requested = self._overruns = False
        self._problem: DeviceError | None = None
        self._limit, self._time_over = 0, 0.0

    def run(self, until: int | None, max_instructions: int | None, max_seconds: float) -> None:
        """Run until an address is reached, the firmware ends, or `stop` is called.

        Raises:
            DeviceError: If the firmware faults, waits for ever, or exceeds a limit.
        """
        self._stop_requested = self._overruns = False
        self._limit, self._time_over = max_instructions or 0, monotonic() + max_seconds
        self._clock.allow(max_instructions)
        end = NOWHERE if until is None else until & ~1
        self._emulator.forget_translation(end, end + 2)
        if self.pc == end:
            self._leave(end)
        while not self._stop_requested and self._semihosting.exit_status is None:
            if self._run_once(end):
                return

    def stop(self) -> None:
        """Make `run` return soon."""
        self._stop_requested = True
        if self._tracer:
            self._tracer.engine.stop_requested = True
        else:
            self._emulator.stop()

    def refuse(self, problem: DeviceError) -> None:
        """A callback cannot raise through the emulator: stop, and raise behind it."""
        self._problem = problem
        self._emulator.stop()

    def reconsider(self) -> None:
        """After an access to a peripheral: exceptions and timers may be different now."""
        self._set_alarm()
        if self._interrupts.is_due:
            self._clock.wake_now()
            if not self._clock.counts:
                self._emulator.stop()

    def locate(self, problem: Exception | None) -> Exception:
        """A problem found by a callback, with the place where the firmware was."""
        if isinstance(problem, EdgetxError):
            return self._error(problem.what, problem.hint)
        return problem or RuntimeError("the trace engine stopped without a reason")

    def _leave(self, end: int) -> None:
        """Execute the instruction at `end`, where the core stands."""
        here = self._decoder.first(end, self._emulator.read(end, 4))
        if here.changes_flow:
            stop = self._emulator.run(end, NOWHERE, self._seconds_left(), 1)
            self.pc = stop.pc
            if stop.kind is not StopKind.STEPPED:
                self._after(stop, NOWHERE)
        else:
            while not self._stop_requested and self._semihosting.exit_status is None and not self._run_once(here.end):
                pass

    def _run_once(self, until: int) -> bool:
        """Run to the next event; whether `until` is reached."""
        self.pc = self._interrupts.take(self.pc)
        self._set_alarm()
        if self._overruns:
            return self._run_over_deadline(until)
        instructions = 0 if self._tracer else self._uncounted_step()
        return self._after(self._emulator.run(self.pc, until, self._seconds_left(), instructions), until)

    def _run_over_deadline(self, until: int) -> bool:
        """Execute one instruction, or IT block, by itself: a timer expires within the block it belongs to."""
        assert self._tracer
        engine = self._tracer.engine
        engine.may_overrun = True
        end = self._decoder.end_of_unit(self.pc, self._emulator.read(self.pc, UNIT_BYTES))
        self._emulator.forget_translation(end, end + 2)
        self._overruns = False
        finished = self._after(self._emulator.run(self.pc, end, self._seconds_left()), until)
        self._overruns = engine.cycles < engine.deadline
        return finished

    def _after(self, stop: Stop, until: int) -> bool:
        """What follows from the emulator's having come back; whether `until` is reached."""
        self.pc = stop.pc
        if self._problem:
            problem, self._problem = self._problem, None
            raise self.locate(problem)
        if self._tracer and self._tracer.engine.stopped is not Stopped.RUNNING:
            self._resume(self._tracer)
            return False
        match stop.kind:
            case StopKind.UNTIL:
                return stop.pc == until
            case StopKind.BKPT:
                self._break()
            case StopKind.SVC:
                self._interrupts.nvic.pending.add(SVC)
            case StopKind.EXC_RETURN:
                self.pc = self._interrupts.leave(stop.pc)
            case StopKind.WAIT:
                if not self._interrupts.sleep():
                    raise self._error("waits for an interrupt that nobody raises", "sim.interrupt(number) raises one")
            case StopKind.STEPPED:
                self._check_limit()
            case StopKind.TIMEOUT:
                raise self._error("the time limit is over", self._mmio.suspicion or NEVER_ENDS)
            case StopKind.FAULT:
                at = "" if stop.address is None else f" (address 0x{stop.address:08x})"
                raise self._error(f"{stop.what}{at}", "is there a region or peripheral missing in the target?")
        return False

    def _resume(self, tracer: Tracer) -> None:
        """The trace engine has stopped the emulator before a block."""
        why = tracer.engine.stopped
        tracer.engine.resume()
        match why:
            case Stopped.UNRESOLVED:
                if not tracer.cut_where_wanted():
                    raise self.locate(tracer.problem)
            case Stopped.DEVICE:
                tracer.cut_around_device_access()
            case Stopped.LIMIT:
                raise self._error("the instruction limit is reached", self._mmio.suspicion)
            case Stopped.WATCHED:
                self.entered(self.pc)
            case Stopped.DEADLINE:
                self._overruns = tracer.engine.cycles < tracer.engine.deadline

    def _uncounted_step(self) -> int:
        """Instructions to execute at once when nothing counts them; few while a masked exception waits."""
        return UNCOUNTED_STEP if self._interrupts.nvic.pending else self._limit

    def _check_limit(self) -> None:
        if not self._clock.counts and not self._interrupts.nvic.pending:
            raise self._error(f"the limit of {self._limit} instructions is reached", self._mmio.suspicion)

    def _break(self) -> None:
        """Answer a semihosting call."""
        if self._interrupts.is_due:
            return  # the interrupt would have come within the block that ends here
        emulator = self._emulator
        if emulator.read(self.pc, 2) != BREAKPOINT:
            raise self._error("a breakpoint that no debugger handles")
        centiseconds = self._clock.cycles * 100 // self._target.clock_hz
        answer = self._semihosting.call(emulator.register("r0"), emulator.register("r1"), emulator, centiseconds)
        emulator.set_register("r0", answer)
        self.pc += 2

    def _set_alarm(self) -> None:
        self._clock.wake_at(self._interrupts.next_cycle, self._interrupts.is_waiting)

    def _seconds_left(self) -> float:
        left = self._time_over - monotonic()
        if left <= 0:
            raise self._error("the time limit is over", self._mmio.suspicion or NEVER_ENDS)
        return left

    def _error(self, what: str, hint: str = "") -> DeviceError:
        return DeviceError(what, where=f"{self._image.path.name}, pc {self._image.describe(self.pc)}", hint=hint)
