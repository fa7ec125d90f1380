"""Cross compilers for Cortex-M, all driven through one interface."""

import importlib.resources
import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Protocol

from edgetx.errors import ToolchainError
from edgetx.targets import Target

WARNINGS = ("-Wall", "-Wextra", "-Werror", "-Wconversion")
_ERROR_LINES = 8
_THUMB_ARCHITECTURES = {
    "ARMv6-M": "thumbv6m",
    "ARMv7-M": "thumbv7m",
    "ARMv7E-M": "thumbv7em",
    "ARMv8-M.main": "thumbv8m.main",
}


class Toolchain(Protocol):
    """A cross compiler that takes GCC's options."""

    name: ClassVar[str]

    def is_available(self) -> bool:
        """Whether it is installed."""

    def version(self) -> str:
        """Name and version, for reports."""

    def compile_command(self, target: Target) -> list[str]:
        """Command, with the options of the target's core, to which options and one source are appended."""

    def link_command(self, target: Target) -> list[str]:
        """Command, with the options of the target's core, to which linker script and objects are appended."""

    def link_libraries(self) -> list[str]:
        """Options that come behind the objects."""


class Gcc:
    """Arm GNU toolchain."""

    name: ClassVar[str] = "arm-none-eabi-gcc"

    def is_available(self) -> bool:
        """Whether the compiler is on PATH."""
        return shutil.which(self.name) is not None

    def version(self) -> str:
        """Name and version."""
        return f"{self.name} {run_tool([self.name, '-dumpfullversion']).strip()}"

    def compile_command(self, target: Target) -> list[str]:
        """Compiler with the options of the core."""
        return [self.name, "-mthumb", *core_flags(target)]

    def link_command(self, target: Target) -> list[str]:
        """Compiler as linker, without start files and libraries."""
        return [*self.compile_command(target), "-nostdlib"]

    def link_libraries(self) -> list[str]:
        """Arithmetic helpers that the core has no instruction for."""
        return ["-lgcc"]


class Zig:
    """Clang, lld and compiler-rt as the Python package `ziglang` brings them."""

    name: ClassVar[str] = "ziglang"

    def is_available(self) -> bool:
        """Whether the package is installed."""
        return importlib.util.find_spec(self.name) is not None

    def version(self) -> str:
        """Name and version."""
        return f"{self.name} {run_tool([*self._zig(), 'version']).strip()}"

    def compile_command(self, target: Target) -> list[str]:
        """Clang itself: unlike `zig cc` it writes stack usage files."""
        architecture = _THUMB_ARCHITECTURES[target.core_info.architecture]
        triple = f"--target={architecture}-none-{_abi(target)}"
        headers = self._headers()
        paths = ["-isystem", str(headers), f"-ffile-prefix-map={headers}=include"]
        # Arena and states stay variables of their own, which the linker script places by name.
        return [*self._zig(), "clang", triple, *core_flags(target), "-mno-global-merge", *paths]

    def link_command(self, target: Target) -> list[str]:
        """`zig cc`, which builds compiler-rt for the core on first use."""
        cpu = target.core.replace("-", "_")
        return [*self._zig(), "cc", "-target", f"thumb-freestanding-{_abi(target)}", f"-mcpu={cpu}"]

    def link_libraries(self) -> list[str]:
        """Nothing: compiler-rt comes by itself."""
        return []

    def _zig(self) -> list[str]:
        return [sys.executable, "-m", self.name]

    def _headers(self) -> Path:
        return Path(str(importlib.resources.files(self.name))) / "lib" / "include"


TOOLCHAINS: tuple[Toolchain, ...] = (Gcc(), Zig())


def find_toolchain(name: str | None = None) -> Toolchain:
    """The first installed toolchain, or the one called `name`.

    Raises:
        ToolchainError: If there is none.
    """
    for toolchain in TOOLCHAINS:
        if name in (None, toolchain.name) and toolchain.is_available():
            return toolchain
    raise ToolchainError(
        f"{name} is not installed" if name else "no compiler for Cortex-M is installed",
        hint="apt install gcc-arm-none-eabi, or pip install 'edgetx[firmware]' for ziglang",
    )


def core_flags(target: Target) -> list[str]:
    """Options that select the core, its optional parts and the calling convention."""
    cpu = target.core
    if "dsp" in target.core_info.features and "dsp" not in target.features:
        cpu += "+nodsp"
    unit = _floating_point_unit(target)
    return [f"-mcpu={cpu}", *([f"-mfpu={unit}", "-mfloat-abi=hard"] if unit else ["-mfloat-abi=soft"])]


def run_tool(command: Sequence[str], cwd: Path | None = None) -> str:
    """Run a compiler or linker and give back what it printed.

    Raises:
        ToolchainError: With the first error lines, if it fails or cannot be started.
    """
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, errors="replace", check=False)
    except OSError as problem:
        raise ToolchainError(f"cannot run: {problem.strerror}", where=command[0]) from problem
    if done.returncode != 0:
        raise ToolchainError(_first_errors(done.stderr or done.stdout), where=" ".join(command[:3]))
    return done.stdout


def _first_errors(output: str) -> str:
    lines = output.splitlines()
    errors = [line for line in lines if "error" in line or "undefined" in line or "overflowed" in line]
    return "\n".join((errors or lines)[:_ERROR_LINES]) or "failed without a message"


def _floating_point_unit(target: Target) -> str | None:
    if "fpu-dp" in target.features:
        return "fpv5-d16"
    if "fpu-sp" in target.features:
        return "fpv4-sp-d16" if target.core == "cortex-m4" else "fpv5-sp-d16"
    return None


def _abi(target: Target) -> str:
    return "eabihf" if _floating_point_unit(target) else "eabi"
