"""A microcontroller that runs a firmware image and knows how many cycles have passed."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from edgetx.errors import DeviceError
from edgetx.profile.board import Board
from edgetx.profile.bus import Peripheral, Read, Write
from edgetx.profile.clock import Clock
from edgetx.profile.cores import load_core, make_model
from edgetx.profile.emulator import PAGE, Emulator
from edgetx.profile.execution import NEVER_ENDS, Execution
from edgetx.profile.image import Image, load_image
from edgetx.profile.instruction import Instruction
from edgetx.profile.interrupts import Interrupts
from edgetx.profile.legal import check_fpu_is_on, check_instruction
from edgetx.profile.mapped_io import MappedIo
from edgetx.profile.semihosting import Semihosting
from edgetx.profile.system import CycleCounter
from edgetx.profile.trace.memory_map import fetch_line_bytes, make_memory_map
from edgetx.profile.trace.tracer import Tracer
from edgetx.profile.uart import UARTS
from edgetx.targets import Target, load_target

RETURN_ADDRESS = 0x9FFF_F000
DEFAULT_SECONDS = 300.0
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
        self.semihosting = Semihosting()
        self.emulator = Emulator(self.target.core)
        self.mmio = MappedIo(
            self.target,
            self.emulator,
            written=lambda: self._execution.reconsider(),
            rearranged=self._set_up_memory,
            refuse=lambda problem: self._execution.refuse(problem),
        )
        self.tracer = self._make_tracer(use_native) if count else None
        self._clock = Clock(self.tracer, lambda: self.mmio.accessed)
        self._interrupts = Interrupts(self.target, self.emulator, self.core.exceptions, self._clock)
        self._execution = Execution(
            self.target,
            self.image,
            self.emulator,
            self.mmio,
            self.tracer,
            self._clock,
            self._interrupts,
            self.semihosting,
        )
        self._skips_start_up = False
        self._board = Board(self.target, self.image, self.emulator)
        self._board.load()
        self.mmio.map_windows()
        self.emulator.map_memory(RETURN_ADDRESS, PAGE)
        self._add_system_peripherals()
        self._set_up_timing()
        self.reset()

    @property
    def cycles(self) -> int:
        """Cycles since the simulator was made; within a callback, up to the end of the access that called."""
        return self._clock.cycles

    @property
    def instructions(self) -> int:
        """Instructions executed since the simulator was made."""
        return self._clock.instructions

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
        return self._execution.pc

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
        self._skips_start_up = table is None
        self._interrupts.system.vector_table = table or 0
        if table is not None:
            self.emulator.set_register("sp", self.emulator.read_word(table))
            self._execution.pc = self.emulator.read_word(table + 4) & ~1
        else:
            self.emulator.set_register("sp", self._board.top_of_stack())
            self._execution.pc = (self.image.entry or self.image.segments[0].address) & ~1

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
        self._skips_start_up = True
        stack = self.emulator.register("sp")
        extra = args[4:]
        frame = (stack - 4 * len(extra)) & ~7
        for i, value in enumerate(args[:4]):
            self.emulator.set_register(f"r{i}", value & 0xFFFF_FFFF)
        for i, value in enumerate(extra):
            self.write(frame + 4 * i, (value & 0xFFFF_FFFF).to_bytes(4, "little"))
        self.emulator.set_register("sp", frame)
        self.emulator.set_register("lr", RETURN_ADDRESS | 1)
        self._execution.pc = address & ~1
        self._clock.jump()
        self._clock.enter(address & ~1, RETURN_ADDRESS)
        self.run(until=RETURN_ADDRESS, max_instructions=max_instructions)
        self._clock.leave(RETURN_ADDRESS)
        self.emulator.set_register("sp", stack)
        return self.emulator.register("r0")

    def interrupt(self, vector_number: int) -> None:
        """Pend an exception (16 is the first interrupt of the chip); it is taken at the next `run`."""
        nvic = self._interrupts.nvic
        nvic.enabled.add(vector_number)
        nvic.pending.add(vector_number)
        if self.mmio.accessed:
            self._execution.reconsider()

    def stop(self) -> None:
        """Make `run` return; from a callback, soon after the access that called."""
        self._execution.stop()

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
        self._execution.run(until, max_instructions, max_seconds)

    @contextmanager
    def watching(self, addresses: Collection[int], entered: Callable[[int], None]) -> Iterator[None]:
        """Within this context, `run` and `call` tell `entered` when they come to one of some addresses.

        The addresses must be starts of blocks, as functions are; nothing is told by a simulator that does not count.
        """
        if self.tracer is None:
            yield
            return
        self._execution.entered = entered
        self.tracer.watch(addresses)
        try:
            yield
        finally:
            self.tracer.watch(())

    def _make_tracer(self, use_native: bool) -> Tracer:
        return Tracer(
            self.emulator,
            self.image,
            make_model(self.core),
            self.core.skips_failed,
            self._check_instruction,
            lambda address: fetch_line_bytes(self.target, address, self.core.bus_cycles),
            self._check_spinning,
            use_native,
        )

    def _check_instruction(self, instruction: Instruction) -> None:
        check_instruction(instruction, self.target)
        if not self._skips_start_up:
            check_fpu_is_on(instruction, self._interrupts.system)

    def _check_spinning(self) -> None:
        """A branch to itself ends only by an interrupt."""
        if self._interrupts.next_cycle is None and not self._interrupts.nvic.pending:
            raise DeviceError("an endless loop that no interrupt can end", hint=NEVER_ENDS)

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

    def _add_system_peripherals(self) -> None:
        self.mmio.add(self._interrupts.system.peripheral())
        self.mmio.add(self._interrupts.systick.peripheral())
        self.mmio.add(CycleCounter(lambda: self.cycles).peripheral())
        console = self.target.console
        if console.base_address is not None:
            self.mmio.add(UARTS[console.kind](console.base_address, self.semihosting.output))
