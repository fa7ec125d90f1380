"""A static program for 64-bit Arm Linux, started up to a function of it; then its functions are called one by one.

Everything that touches `unicorn` is here.
"""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from edgetx.errors import DeviceError, ToolchainError
from edgetx.profile.image import load_image

try:
    import unicorn
    from unicorn import arm64_const as arm64
except ImportError as missing:  # pragma: no cover - depends on the installation
    raise ToolchainError(
        "the simulator needs the package 'unicorn'", hint="pip install 'edgetx[simulate]'"
    ) from missing

_unicorn: Any = unicorn

PAGE = 0x1000
STACK_TOP, STACK_BYTES = 0x7F_F000_0000, 8 << 20
RETURN_ADDRESS = 0x7F_F800_0000
HEAP_BYTES = 16 << 20
MAPPED = 0x70_0000_0000
SECONDS = 300
_ENOSYS = -38
_AT_PAGESZ, _AT_HWCAP, _AT_RANDOM, _AT_NULL = 6, 16, 25, 0
_CAPABILITIES = 1 << 0 | 1 << 1 | 1 << 20  # floating point, vectors and dot products, as the emulated core has
_FP_ENABLED = 3 << 20

OnBlock = Callable[[int, int], None]
OnAccess = Callable[[int, int, bool], None]


class Process:
    """A program in memory, with the system calls that start-up code makes.

    Args:
        path: A static executable.

    Raises:
        DeviceError: If it is not a static program for 64-bit Arm Linux.
    """

    def __init__(self, path: Path) -> None:
        self.image = load_image(path, machine="EM_AARCH64")
        self.uc: Any = _unicorn.Uc(unicorn.UC_ARCH_ARM64, unicorn.UC_MODE_ARM)
        self.uc.ctl_set_cpu_model(arm64.UC_CPU_ARM64_MAX)
        self._problem: str | None = None
        try:
            self._load(path)
            self._set_up_stack(path.name)
        except (_unicorn.UcError, ELFError, KeyError, ValueError) as problem:
            raise DeviceError(f"damaged program: {problem}", where=str(path)) from problem
        self.uc.mem_map(RETURN_ADDRESS, PAGE)
        self.uc.reg_write(arm64.UC_ARM64_REG_CPACR_EL1, _FP_ENABLED)
        self.uc.hook_add(unicorn.UC_HOOK_INTR, self._on_interrupt)
        self.uc.hook_add(unicorn.UC_HOOK_MEM_INVALID, self._on_bad_access)

    @property
    def stack(self) -> int:
        """The stack pointer."""
        value: int = self.uc.reg_read(arm64.UC_ARM64_REG_SP)
        return value

    def start(self, function: str) -> None:
        """Run the program's own start-up code until it enters a function.

        Raises:
            DeviceError: If it does not come there.
        """
        self._run(self.image.entry or 0, self.image.symbol(function).address)

    def call(self, address: int) -> None:
        """Call a function without arguments.

        Raises:
            DeviceError: If the program faults.
        """
        self.uc.reg_write(arm64.UC_ARM64_REG_LR, RETURN_ADDRESS)
        self._run(address, RETURN_ADDRESS)

    def watch(self, on_block: OnBlock, on_access: OnAccess) -> None:
        """Report from now on every basic block, by address and size, and every access: address, size, is it a write."""
        self.uc.ctl_flush_tb()
        self.uc.hook_add(unicorn.UC_HOOK_BLOCK, lambda _uc, address, size, _data: on_block(address, size))
        for kind, is_write in ((unicorn.UC_HOOK_MEM_READ, False), (unicorn.UC_HOOK_MEM_WRITE, True)):
            self.uc.hook_add(kind, lambda _uc, _kind, a, size, _value, _data, w=is_write: on_access(a, size, w))

    def read(self, address: int, size: int) -> bytes:
        """Memory of the program."""
        return bytes(self.uc.mem_read(address, size))

    def _load(self, path: Path) -> None:
        with path.open("rb") as stream:
            headers = [part.header for part in ELFFile(stream).iter_segments("PT_LOAD")]
            if any(ELFFile(stream).iter_segments("PT_INTERP")):
                raise DeviceError("a program that is linked dynamically", where=str(path), hint="link with -static")
        begin: int = min(h["p_vaddr"] for h in headers) // PAGE * PAGE
        end: int = -(-max(h["p_vaddr"] + h["p_memsz"] for h in headers) // PAGE) * PAGE
        if begin < PAGE or end - begin > 1 << 30:
            raise DeviceError("segments that no program for Linux has", where=str(path))
        self.uc.mem_map(begin, end - begin + HEAP_BYTES)
        for segment in self.image.segments:
            self.uc.mem_write(segment.address, segment.data)
        self._break, self._break_limit, self._mapped = end, end + HEAP_BYTES, MAPPED

    def _set_up_stack(self, name: str) -> None:
        """Argument count and vector, an empty environment, and the auxiliary vector."""
        self.uc.mem_map(STACK_TOP - STACK_BYTES, STACK_BYTES)
        text = STACK_TOP - 256
        self.uc.mem_write(text, name.encode()[:200] + b"\0")
        words = [1, text, 0, 0, _AT_PAGESZ, PAGE, _AT_HWCAP, _CAPABILITIES, _AT_RANDOM, text, _AT_NULL, 0]
        self.uc.mem_write(STACK_TOP - 1024, struct.pack(f"<{len(words)}Q", *words))
        self.uc.reg_write(arm64.UC_ARM64_REG_SP, STACK_TOP - 1024)

    def _run(self, begin: int, end: int) -> None:
        self._problem = None
        try:
            self.uc.emu_start(begin, end, SECONDS * 1_000_000)
        except _unicorn.UcError as problem:
            self._problem = self._problem or str(problem)
        pc = self.uc.reg_read(arm64.UC_ARM64_REG_PC)
        if self._problem is None and pc != end:
            self._problem = f"it did not come to an end within {SECONDS} s"
        if self._problem:
            raise DeviceError(self._problem, where=f"{self.image.path.name}, {self.image.describe(pc)}")

    def _on_interrupt(self, _uc: Any, number: int, _data: Any) -> None:
        if number != 2:
            self._problem = f"processor exception {number}"
            self.uc.emu_stop()
            return
        call: int = self.uc.reg_read(arm64.UC_ARM64_REG_X8)
        arguments: list[int] = [self.uc.reg_read(arm64.UC_ARM64_REG_X0 + n) for n in range(3)]
        self.uc.reg_write(arm64.UC_ARM64_REG_X0, self._system_call(call, arguments) & (1 << 64) - 1)

    def _system_call(self, call: int, arguments: list[int]) -> int:
        match call:
            case 214:  # brk
                if self._break <= arguments[0] <= self._break_limit:
                    self._break = arguments[0]
                return self._break
            case 222:  # mmap
                size = -(-arguments[1] // PAGE) * PAGE
                address, self._mapped = self._mapped, self._mapped + size + PAGE
                self.uc.mem_map(address, max(PAGE, size))
                return address
            case 64:  # write
                return arguments[2]
            case 93 | 94:  # exit, exit_group
                self._problem = f"the program ended with status {arguments[0]}"
                self.uc.emu_stop()
                return 0
            case 96 | 99 | 215 | 226:  # set_tid_address, set_robust_list, munmap, mprotect
                return 0
            case _:
                return _ENOSYS

    def _on_bad_access(self, _uc: Any, _kind: int, address: int, size: int, _value: int, _data: Any) -> bool:
        self._problem = f"access of {size} bytes at 0x{address:x}, where there is nothing"
        return False
