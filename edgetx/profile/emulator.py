"""The functional emulator: what the instructions do, not how long they take.

Everything that touches `unicorn` is here, so that it can be replaced.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from edgetx.errors import DeviceError, TargetError, ToolchainError

try:
    import unicorn
    from unicorn import arm_const
except ImportError as missing:  # pragma: no cover - depends on the installation
    raise ToolchainError(
        "the simulator needs the package 'unicorn'", hint="pip install 'edgetx[simulate]'"
    ) from missing

_unicorn: Any = unicorn

CPU_MODELS = {
    "cortex-m0": arm_const.UC_CPU_ARM_CORTEX_M0,
    "cortex-m0plus": arm_const.UC_CPU_ARM_CORTEX_M0,
    "cortex-m3": arm_const.UC_CPU_ARM_CORTEX_M3,
    "cortex-m4": arm_const.UC_CPU_ARM_CORTEX_M4,
    "cortex-m7": arm_const.UC_CPU_ARM_CORTEX_M7,
    "cortex-m33": arm_const.UC_CPU_ARM_CORTEX_M33,
}
_NAMES = (
    *(f"R{i}" for i in range(13)), "SP", "LR", "PC", "XPSR", "APSR", "IPSR", "MSP", "PSP", "CONTROL",
    "PRIMASK", "BASEPRI", "FAULTMASK", "FPSCR", *(f"S{i}" for i in range(32)),
)  # fmt: skip
REGISTERS: dict[str, int] = {name.lower(): getattr(arm_const, f"UC_ARM_REG_{name}") for name in _NAMES}

_EXC_RETURN = 0xFFFF_FF00
_WAITS = (b"\x30\xbf", b"\x20\xbf")
PAGE = 0x1000

ReadCallback = Callable[[int, int], int]
WriteCallback = Callable[[int, int, int], None]


class StopKind(Enum):
    """Why the emulator came back; STEPPED when the given number of instructions is done."""

    UNTIL = auto()
    STOPPED = auto()
    WAIT = auto()
    SVC = auto()
    BKPT = auto()
    EXC_RETURN = auto()
    FAULT = auto()
    TIMEOUT = auto()
    STEPPED = auto()


@dataclass(frozen=True)
class Stop:
    """Where and why the emulator came back.

    Attributes:
        kind: The reason.
        pc: Address of the next instruction; for BKPT that of the BKPT itself, for EXC_RETURN its magic value.
        what: For a fault, what went wrong.
        address: For a memory fault, the address that was accessed.
    """

    kind: StopKind
    pc: int
    what: str = ""
    address: int | None = None


class Emulator:
    """A Cortex-M core without time, peripherals or exceptions."""

    def __init__(self, core: str) -> None:
        if core not in CPU_MODELS:
            raise TargetError(f"cannot simulate a {core}", hint=f"cores: {', '.join(CPU_MODELS)}")
        # UC_MODE_MCLASS would silently select a Cortex-M33 whatever the model says
        self.uc: Any = _unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB)
        self.uc.ctl_set_cpu_model(CPU_MODELS[core])
        self._core = core
        self._fault: tuple[str, int] | None = None
        self._interrupt: int | None = None
        self._stopping = False
        self._keep_alive: list[object] = []
        self._add_hooks()

    def map_memory(self, base: int, size: int, writable: bool = True) -> None:
        """Map RAM (or ROM), zero-filled."""
        protection = unicorn.UC_PROT_ALL if writable else unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC
        self.uc.mem_map(base, -(-size // PAGE) * PAGE, protection)

    def map_alias(self, base: int, size: int, memory: object, host_address: int, writable: bool) -> None:
        """Map host memory that `memory` keeps alive; the same may appear at several addresses."""
        protection = unicorn.UC_PROT_ALL if writable else unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC
        self._keep_alive.append(memory)
        self.uc.mem_map_ptr(base, size, protection, host_address)

    def map_mmio(self, base: int, size: int, read: ReadCallback, write: WriteCallback) -> None:
        """Map a range whose accesses call back; callbacks get the offset into it."""
        self.uc.mmio_map(
            base,
            size,
            lambda _uc, offset, width, _data: read(offset, width),
            None,
            lambda _uc, offset, width, value, _data: write(offset, width, value),
            None,
        )

    def read(self, address: int, size: int) -> bytes:
        """Bytes of mapped memory.

        Raises:
            DeviceError: If there is no memory.
        """
        try:
            return bytes(self.uc.mem_read(address, size))
        except _unicorn.UcError as problem:
            raise _no_memory(address, size) from problem

    def write(self, address: int, data: bytes) -> None:
        """Change mapped memory, read-only or not.

        Raises:
            DeviceError: If there is no memory.
        """
        try:
            self.uc.mem_write(address, data)
        except _unicorn.UcError as problem:
            raise _no_memory(address, len(data)) from problem

    def read_word(self, address: int) -> int:
        """A 32-bit word of mapped memory.

        Raises:
            DeviceError: If there is no memory.
        """
        return int.from_bytes(self.read(address, 4), "little")

    def register(self, name: str) -> int:
        """Value of a register, named as in assembly."""
        value: int = self.uc.reg_read(REGISTERS[name])
        return value

    def set_register(self, name: str, value: int) -> None:
        """Set a register, named as in assembly."""
        self.uc.reg_write(REGISTERS[name], value)

    def forget_translation(self, begin: int, end: int) -> None:
        """Translate a range anew, so that hooks added since take effect."""
        self.uc.ctl_remove_cache(begin, end)

    def stop(self) -> None:
        """Come back from `run` at once; the instruction in flight completes."""
        self._stopping = True
        self.uc.emu_stop()

    def run(self, pc: int, until: int, timeout_s: float = 0.0, instructions: int = 0) -> Stop:
        """Execute from `pc` until something happens.

        Args:
            pc: Address of the first instruction.
            until: Address before which to stop.
            timeout_s: Wall time limit; zero for none.
            instructions: Limit on executed instructions; zero for none (and full speed).
        """
        if pc == until:
            return Stop(StopKind.UNTIL, pc)
        self._fault = self._interrupt = None
        self._stopping = False
        try:
            self.uc.emu_start(pc | 1, until, int(timeout_s * 1_000_000), instructions)
        except _unicorn.UcError as problem:
            return self._faulted(problem)
        return self._stopped(until, instructions)

    def _stopped(self, until: int, instructions: int) -> Stop:
        pc = self.register("pc")
        match self._interrupt:
            case 2:
                return Stop(StopKind.SVC, pc)
            case 7:
                return Stop(StopKind.BKPT, pc)
            case 8:
                return Stop(StopKind.EXC_RETURN, pc | 1)
            case 3 if pc >= _EXC_RETURN:
                return Stop(StopKind.EXC_RETURN, pc | 1)
            case int(number):
                return Stop(StopKind.FAULT, pc, f"processor exception {number}")
        if self._fault:
            return Stop(StopKind.FAULT, pc, *self._fault)
        if pc == until:
            return Stop(StopKind.UNTIL, pc)
        if self._stopping:
            return Stop(StopKind.STOPPED, pc)
        if self.uc.query(unicorn.UC_QUERY_TIMEOUT):
            return Stop(StopKind.TIMEOUT, pc)
        waits = instructions != 1 and self.read(pc - 2, 2) in _WAITS
        return Stop(StopKind.WAIT if waits else StopKind.STEPPED, pc)

    def _faulted(self, problem: Any) -> Stop:
        pc = self.register("pc")
        if self._fault and self._fault[1] >= _EXC_RETURN:
            return Stop(StopKind.EXC_RETURN, self._fault[1] | 1)
        if self._fault:
            return Stop(StopKind.FAULT, pc, *self._fault)
        if problem.errno in (unicorn.UC_ERR_INSN_INVALID, unicorn.UC_ERR_EXCEPTION):
            return Stop(StopKind.FAULT, pc, f"the {self._core} cannot execute this instruction")
        return Stop(StopKind.FAULT, pc, str(problem))

    def _add_hooks(self) -> None:
        self.uc.hook_add(unicorn.UC_HOOK_INTR, self._on_interrupt)
        self.uc.hook_add(unicorn.UC_HOOK_MEM_INVALID, self._on_bad_access)

    def _on_interrupt(self, _uc: Any, number: int, _data: Any) -> None:
        self._interrupt = number
        self.uc.emu_stop()

    def _on_bad_access(self, _uc: Any, access: int, address: int, size: int, value: int, _data: Any) -> bool:
        self._fault = _describe_access(access, size, value), address
        return False


def _no_memory(address: int, size: int) -> DeviceError:
    return DeviceError(f"there is no memory for {size} bytes at 0x{address & 0xFFFF_FFFF:08x}")


def _describe_access(access: int, size: int, value: int) -> str:
    match access:
        case unicorn.UC_MEM_WRITE_UNMAPPED:
            return f"write of {size} bytes (0x{value & 0xFFFF_FFFF:x}) to an address where there is nothing"
        case unicorn.UC_MEM_WRITE_PROT:
            return f"write of {size} bytes (0x{value & 0xFFFF_FFFF:x}) to read-only memory"
        case unicorn.UC_MEM_FETCH_UNMAPPED:
            return "execution of an address where there is nothing"
        case _:
            return f"read of {size} bytes from an address where there is nothing"
