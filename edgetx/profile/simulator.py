"""A microcontroller that runs a firmware image and knows how many cycles have passed."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from edgetx.errors import DeviceError, EdgetxError
from edgetx.profile.board import Board
from edgetx.profile.bus import Peripheral, Read, Write
from edgetx.profile.cores import load_core, make_model
from edgetx.profile.decode import Decoder
from edgetx.profile.emulator import PAGE, Emulator, Stop, StopKind
from edgetx.profile.exceptions import ExceptionUnit
from edgetx.profile.image import Image, load_image
from edgetx.profile.legal import check_instruction
from edgetx.profile.mapped_io import MappedIo
from edgetx.profile.nvic import SVC, SYS_TICK, Masks, Nvic
from edgetx.profile.semihosting import BREAKPOINT, Semihosting
from edgetx.profile.system import CycleCounter, SystemControl, SysTick
from edgetx.profile.trace.engine import NEVER, Stopped
from edgetx.profile.trace.memory_map import fetch_line_bytes, make_memory_map
from edgetx.profile.trace.tracer import Tracer
from edgetx.profile.uart import cmsdk_uart
from edgetx.targets import Target, load_target

RETURN_ADDRESS = 0x9FFF_F000
NOWHERE = RETURN_ADDRESS + 0x100
DEFAULT_INSTRUCTIONS = 5_000_000_000
DEFAULT_SECONDS = 300.0
MASKED_STEP = 200
RANDOM_SEED = 0x2545_F491


class Simulator:
    """Runs a firmware image on a target.

    The core starts as after a reset, with the image loaded; `call` works without running the start-up code first,
    because initialised data is also put where it belongs in RAM.

    Args:
        target: The board, or its name.
        image: The firmware: a path or an `Image`.
        base: Address of a raw image.
        count: Whether to count cycles and instructions; without, it runs several times faster.
        use_native: Whether to count in C; without, in Python: slower, with the same numbers.
    """

    def __init__(
        self,
        target: Target | str,
        image: Image | str | Path,
        base: int | None = None,
        *,
        count: bool = True,
        use_native: bool = True,
    ) -> None:
        self.target = load_target(target) if isinstance(target, str) else target
        self.image = image if isinstance(image, Image) else load_image(image, base)
        self.core = load_core(self.target.core)
        self.nvic = Nvic()
        self.semihosting = Semihosting()
        self.emulator = Emulator(self.target.core)
        self.mmio = MappedIo(self.target, self.emulator, self._reconsider, self._set_up_memory, self._refuse)
        self._exceptions = ExceptionUnit(self.emulator, self.target.core)
        self._decoder = Decoder()
        self.tracer = self._make_tracer(use_native) if count else None
        self._pc = 0
        self._stop_requested = False
        self._problem: DeviceError | None = None
        self._entered: Callable[[int], None] = lambda _address: None
        self._systick = SysTick(lambda: self.cycles)
        self._system = SystemControl(self.target.core, self.nvic)
        self._board = Board(self.target, self.image, self.emulator)
        self._board.load()
        self.mmio.map_windows()
        self.emulator.map_memory(RETURN_ADDRESS, PAGE)
        self._add_system_peripherals()
        self._set_up_timing()
        self.reset()

    @property
    def cycles(self) -> int:
        """Cycles since the simulator was made; within a callback, up to the access that called."""
        if self.tracer is None:
            return 0
        counted = self.tracer.engine.cycles
        if self.mmio.accessed is None:
            return counted
        return counted - self.tracer.cycles_left(*self.mmio.accessed, self.emulator.register)

    @property
    def instructions(self) -> int:
        """Instructions executed since the simulator was made."""
        return self.tracer.engine.instructions if self.tracer else 0

    @property
    def output(self) -> str:
        """What the firmware has printed, by semihosting or on the board's UART."""
        return self.semihosting.output.decode(errors="replace")

    @property
    def exit_status(self) -> int | None:
        """Status with which the firmware ended by semihosting; None while it has not."""
        return self.semihosting.exit_status

    @property
    def pc(self) -> int:
        """Address of the next instruction."""
        return self._pc

    def symbol(self, name: str) -> int:
        """Address of a symbol of the image.

        Raises:
            DeviceError: If the image has none of that name.
        """
        return self.image.symbol(name).address

    def map_mmio(self, base: int, size: int, read: Read, write: Write) -> None:
        """Add a peripheral; it takes precedence over built-in ones and over those added before.

        Args:
            base: Address of its first register.
            size: Size in bytes.
            read: Called with offset and size of an access; returns the value.
            write: Called with offset, size and value.
        """
        self.mmio.add(Peripheral(base, size, read, write))

    def reset(self) -> None:
        """Start over at the reset vector (or, without one, at the entry point), memory unchanged."""
        table = self._board.vector_table()
        self._system.vector_table = table or 0
        if table is not None:
            self.emulator.set_register("sp", self.emulator.read_word(table))
            self._pc = self.emulator.read_word(table + 4) & ~1
        else:
            self.emulator.set_register("sp", self._board.top_of_stack())
            self._pc = (self.image.entry or self.image.segments[0].address) & ~1

    def call(self, address: int, *args: int, max_instructions: int | None = None) -> int:
        """Call a function and run until it returns.

        Args:
            address: The function.
            args: Integer arguments.
            max_instructions: Limit on executed instructions.

        Returns:
            What it left in r0.

        Raises:
            DeviceError: As `run`.
        """
        stack = self.emulator.register("sp")
        extra = args[4:]
        frame = (stack - 4 * len(extra)) & ~7
        for i, value in enumerate(args[:4]):
            self.emulator.set_register(f"r{i}", value & 0xFFFF_FFFF)
        for i, value in enumerate(extra):
            self.write(frame + 4 * i, (value & 0xFFFF_FFFF).to_bytes(4, "little"))
        self.emulator.set_register("sp", frame)
        self.emulator.set_register("lr", RETURN_ADDRESS | 1)
        self._go(address & ~1)
        if self.tracer:
            self.tracer.engine.enter(address & ~1, RETURN_ADDRESS, RETURN_ADDRESS)
        self.run(until=RETURN_ADDRESS, max_instructions=max_instructions)
        if self.tracer:
            self.tracer.engine.leave(RETURN_ADDRESS)
        self.emulator.set_register("sp", stack)
        return self.emulator.register("r0")

    def interrupt(self, vector_number: int) -> None:
        """Pend an exception (16 is the first interrupt of the chip); it is taken at the next `run`."""
        self.nvic.enabled.add(vector_number)
        self.nvic.pending.add(vector_number)
        if self.mmio.accessed:
            self._reconsider()

    def stop(self) -> None:
        """Make `run` return; from a callback, soon after the access that called."""
        self._stop_requested = True
        if self.tracer:
            self.tracer.engine.stop_requested = True
        else:
            self.emulator.stop()

    def read(self, address: int, size: int) -> bytes:
        """Bytes of memory."""
        return self.emulator.read(address, size)

    def write(self, address: int, data: bytes) -> None:
        """Change memory, read-only or not."""
        self.emulator.write(address, data)

    def run(
        self, until: int | None = None, max_instructions: int | None = None, max_seconds: float = DEFAULT_SECONDS
    ) -> None:
        """Run until an address is reached, the firmware ends, or `stop` is called.

        Started at that very address, it goes on until it is reached again.

        Raises:
            DeviceError: If the firmware faults, waits for ever, or exceeds a limit.
        """
        self._stop_requested = False
        limit = self._set_limit(max_instructions)
        end = NOWHERE if until is None else until & ~1
        if self._pc == end:
            self._leave(end, limit, max_seconds)
        if not self._stop_requested and self.exit_status is None:
            self._run_to(end, limit, max_seconds)

    def _leave(self, end: int, limit: int, seconds: float) -> None:
        """Execute the instruction at `end`, where the core stands."""
        here = self._decoder.first(end, self.emulator.read(end, 4))
        if not here.changes_flow:
            return self._run_to(here.end, limit, seconds)
        stop = self.emulator.run(end, NOWHERE, seconds, 1)
        self._pc = stop.pc
        if stop.kind is not StopKind.STEPPED:
            self._handle(stop, limit)
        return None

    def _run_to(self, end: int, limit: int, seconds: float) -> None:
        while not self._run_once(end, limit, seconds):
            pass

    @contextmanager
    def watching(self, addresses: Collection[int], entered: Callable[[int], None]) -> Iterator[None]:
        """Within this context, `run` and `call` tell `entered` when they come to one of some addresses.

        The addresses must be starts of blocks, as functions are; nothing is told by a simulator that does not count.
        """
        if self.tracer is None:
            yield
            return
        self._entered = entered
        self.tracer.watch(addresses)
        try:
            yield
        finally:
            self.tracer.watch(())

    def _run_once(self, until: int, limit: int, seconds: float) -> bool:
        """Run to the next event; whether that ends `run`."""
        self._take_exceptions()
        self._set_deadline()
        stop = self.emulator.run(self._pc, until, seconds, 0 if self.tracer else self._step(limit))
        self._pc = stop.pc
        if self._problem:
            problem, self._problem = self._problem, None
            raise self._locate(problem)
        if self.tracer and self.tracer.engine.stopped is not Stopped.RUNNING:
            return self._handle_engine(self.tracer)
        return self._handle(stop, limit)

    def _handle(self, stop: Stop, limit: int) -> bool:
        match stop.kind:
            case StopKind.UNTIL:
                return True
            case StopKind.STOPPED:
                return self._stop_requested
            case StopKind.BKPT:
                return self._handle_breakpoint(stop.pc)
            case StopKind.SVC:
                self.nvic.pending.add(SVC)
                return self._stop_requested
            case StopKind.EXC_RETURN:
                return self._handle_return(stop.pc)
            case StopKind.WAIT:
                return self._handle_wait(stop.pc)
            case StopKind.STEPPED:
                return self._handle_step(limit)
            case StopKind.TIMEOUT:
                raise self._error("the time limit is over", stop.pc)
            case StopKind.FAULT:
                raise self._fault(stop)

    def _handle_engine(self, tracer: Tracer) -> bool:
        """The trace engine has stopped the emulator before a block."""
        why = tracer.engine.stopped
        tracer.engine.resume()
        match why:
            case Stopped.UNRESOLVED:
                raise self._locate(tracer.problem)
            case Stopped.LIMIT:
                raise self._error("the instruction limit is reached", self._pc)
            case Stopped.WATCHED:
                self._entered(self._pc)
                return False
            case _:
                return why not in (Stopped.DEADLINE, Stopped.UNMASKED)

    def _step(self, limit: int) -> int:
        """Instructions to execute at once when nothing counts them; few while a masked exception waits."""
        return MASKED_STEP if self.nvic.pending else limit

    def _handle_step(self, limit: int) -> bool:
        if not self.nvic.pending:
            raise self._error(f"the limit of {limit} instructions is reached", self._pc)
        return self._stop_requested

    def _handle_breakpoint(self, pc: int) -> bool:
        if self.nvic.pending and self.nvic.next(self._masks()) is not None:
            return False  # the interrupt would have come within the block that ends here
        if self.emulator.read(pc, 2) != BREAKPOINT:
            raise self._error("a breakpoint that no debugger handles", pc)
        operation, parameter = self.emulator.register("r0"), self.emulator.register("r1")
        centiseconds = self.cycles * 100 // self.target.clock_hz
        answer = self.semihosting.call(operation, parameter, self.emulator, centiseconds)
        self.emulator.set_register("r0", answer)
        self._pc = pc + 2
        return self.exit_status is not None or self._stop_requested

    def _handle_return(self, exc_return: int) -> bool:
        back = self._exceptions.leave(exc_return)
        self.nvic.end(back.number)
        self._go(back.pc)
        if self.tracer:
            self.tracer.engine.leave(back.pc)
        costs = self.core.exceptions
        self._charge(2 * costs.fp_context_cycles * back.moved_fp)
        following = self.nvic.take(self._masks())
        if following is None:
            self._charge(costs.exit_cycles)
        else:
            self._enter(following, costs.tail_chain_cycles)
        return self._stop_requested

    def _handle_wait(self, pc: int) -> bool:
        if self.nvic.next(Masks()) is None:
            if not self._systick.interrupts or self.tracer is None:
                raise self._error("waits for an interrupt that nobody raises", pc)
            idle = self._systick.next_cycle - self.cycles
            self._charge(max(idle, 0))
        return self._stop_requested

    def _take_exceptions(self) -> None:
        if self._systick.expire():
            self.nvic.pending.add(SYS_TICK)
        if not self.nvic.pending:
            return
        number = self.nvic.take(self._masks())
        if number is None:
            return
        self._enter(number, self.core.exceptions.entry_cycles)

    def _enter(self, number: int, cycles: int) -> None:
        return_pc = self._pc
        handler, _ = self._exceptions.enter(number, return_pc, self._system.vector_table)
        if self.tracer:
            self.tracer.engine.enter(handler, return_pc, return_pc)
        self._charge(cycles)
        self._go(handler)

    def _masks(self) -> Masks:
        register = self.emulator.register
        if self.target.core_info.architecture == "ARMv6-M":
            return Masks(primask=register("primask"))
        return Masks(register("primask"), register("faultmask"), register("basepri"))

    def _charge(self, cycles: int) -> None:
        if self.tracer:
            self.tracer.engine.charge(cycles)

    def _go(self, pc: int) -> None:
        self._pc = pc
        if self.tracer:
            self.tracer.restart()

    def _set_limit(self, max_instructions: int | None) -> int:
        if self.tracer:
            engine = self.tracer.engine
            engine.instruction_limit = engine.instructions + (max_instructions or DEFAULT_INSTRUCTIONS)
        return max_instructions or 0

    def _set_deadline(self) -> None:
        if self.tracer is None:
            return
        engine = self.tracer.engine
        engine.deadline = self._systick.next_cycle if self._systick.interrupts else NEVER
        engine.watch_masks(self.nvic.next(Masks()) is not None)

    def _reconsider(self) -> None:
        """After an access to a peripheral: exceptions, timers or memory settings may be different now."""
        if self.tracer:
            self._set_deadline()
        if self.nvic.pending and self.nvic.next(self._masks()) is not None:
            if self.tracer:
                self.tracer.engine.deadline = 0
            else:
                self.emulator.stop()

    def _fault(self, stop: Stop) -> DeviceError:
        at = "" if stop.address is None else f" (address 0x{stop.address:08x})"
        return self._error(f"{stop.what}{at}", stop.pc, "is there a region or peripheral missing in the target?")

    def _error(self, what: str, pc: int, hint: str = "") -> DeviceError:
        return DeviceError(what, where=f"{self.image.path.name}, pc {self.image.describe(pc)}", hint=hint)

    def _locate(self, problem: Exception | None) -> Exception:
        """A problem found by a callback, with the place where the firmware was."""
        if isinstance(problem, EdgetxError):
            return self._error(problem.what, self._pc, problem.hint)
        return problem or RuntimeError("the trace engine stopped without a reason")

    def _make_tracer(self, use_native: bool) -> Tracer:
        return Tracer(
            self.emulator.uc,
            self.emulator.read,
            self.image,
            make_model(self.core),
            lambda instruction: check_instruction(instruction, self.target),
            lambda address: fetch_line_bytes(self.target, address, self.core.bus_cycles),
            self._check_spinning,
            use_native,
        )

    def _check_spinning(self) -> None:
        """A branch to itself ends only by an interrupt."""
        if not self._systick.interrupts and not self.nvic.pending:
            raise DeviceError("an endless loop that no interrupt can end", hint="stop before it: run(until=...)")

    def _set_up_timing(self) -> None:
        if self.tracer is None:
            return
        self.tracer.engine.set_costs(self.core.costs)
        for cache in self.target.cache:
            sets = max(cache.size_bytes // (cache.line_bytes * cache.ways), 1)
            random = RANDOM_SEED if cache.replacement == "random" else 0
            self.tracer.engine.add_cache(cache.line_bytes.bit_length() - 1, sets, cache.ways, random)
        self._set_up_memory()

    def _set_up_memory(self) -> None:
        """Tell the engine of wait states and caches, as the firmware has set them."""
        if self.tracer:
            memory = make_memory_map(self.target, self.mmio.setting, self.core.bus_cycles)
            self.tracer.engine.set_memory(memory, self._board.host_addresses.__getitem__)

    def _refuse(self, problem: DeviceError) -> None:
        """A callback cannot raise through the emulator: stop, and raise behind it."""
        self._problem = problem
        self.emulator.stop()

    def _add_system_peripherals(self) -> None:
        self.mmio.add(self._system.peripheral())
        self.mmio.add(self._systick.peripheral())
        self.mmio.add(CycleCounter(lambda: self.cycles).peripheral())
        if self.target.console.base_address is not None:
            self.mmio.add(cmsdk_uart(self.target.console.base_address, self.semihosting.output))
