"""Firmware images from generated C."""

import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from edgetx.errors import FitError, TargetError, ToolchainError
from edgetx.firmware.board import board_header
from edgetx.firmware.golden import GoldenCase, golden_source
from edgetx.firmware.image import elf_symbols, section_sizes
from edgetx.firmware.linker import linker_script
from edgetx.firmware.stack import worst_case_stack
from edgetx.firmware.toolchain import WARNINGS, Toolchain, find_toolchain, run_tool
from edgetx.targets import Target

RUNTIME = Path(__file__).parent / "runtime"
_COMPILE = ("-std=c11", "-ffreestanding", "-g", "-ffunction-sections", "-fdata-sections", "-fstack-usage", "-c")
_LINK = ("-Wl,--gc-sections", "-Wl,--build-id=none", "-Wl,--entry=Reset_Handler", "-Wl,-T,image.ld")
_OVERFLOW = re.compile(r"region [`'](\w+)'.*overflowed by (\d+) bytes")


@dataclass(frozen=True)
class Firmware:
    """An image and what it takes on the device.

    Attributes:
        elf: The image.
        toolchain: Name and version of the compiler.
        code_bytes: Vector table, code and the initial values of variables.
        weights_bytes: Constants.
        golden_bytes: Test inputs that are part of the image.
        arena_bytes: Memory for activations.
        state_bytes: Memory for state that outlives a call of the model.
        data_bytes: Other variables.
        stack_bytes: Reserved stack.
        worst_case_stack_bytes: Stack along the deepest chain of calls, or None if there is no static bound.
    """

    elf: Path
    toolchain: str
    code_bytes: int
    weights_bytes: int
    golden_bytes: int
    arena_bytes: int
    state_bytes: int
    data_bytes: int
    stack_bytes: int
    worst_case_stack_bytes: int | None

    @property
    def flash_bytes(self) -> int:
        """What the model needs of the flash, without test inputs."""
        return self.code_bytes + self.weights_bytes

    @property
    def ram_bytes(self) -> int:
        """All memory that is written."""
        return self.arena_bytes + self.state_bytes + self.data_bytes + self.stack_bytes


def build_firmware(
    sources: Path,
    target: Target,
    elf: Path,
    golden: Sequence[GoldenCase],
    *,
    toolchain: Toolchain | None = None,
    optimization: str = "-O2",
    stack_bytes: int = 4096,
) -> Firmware:
    """Compile generated C into an image that runs the golden cases and prints PASS or FAIL.

    Args:
        sources: Folder with `model.h` and all C files of the model.
        target: A microcontroller target.
        elf: Where the image goes; nothing is left there on failure.
        golden: What the image runs and checks.
        toolchain: Compiler; by default the first that is installed.
        optimization: Optimization option of the compiler.
        stack_bytes: Stack to reserve.

    Raises:
        FitError: If the image does not fit into the target's memory.
        TargetError: If the target is not a microcontroller.
        ToolchainError: If no compiler is installed, or it refuses the sources.
    """
    if target.kind != "mcu":
        raise TargetError(f"no firmware is built for a {target.kind}", where=target.name)
    toolchain = toolchain or find_toolchain()
    elf.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        build = _Build(Path(folder), sources.resolve(), target, toolchain)
        build.generate(golden, stack_bytes)
        objects = build.compile(optimization)
        image = build.link(objects, elf.with_name(f".{elf.name}.part"))
        worst_case_stack_bytes = worst_case_stack(image, list(build.folder.glob("*.su")))
    return _measure(image.replace(elf), toolchain, worst_case_stack_bytes)


@dataclass(frozen=True)
class _Build:
    folder: Path
    sources: Path
    target: Target
    toolchain: Toolchain

    def generate(self, golden: Sequence[GoldenCase], stack_bytes: int) -> None:
        (self.folder / "etx_board.h").write_text(board_header(self.target))
        (self.folder / "etx_golden.c").write_text(golden_source(golden))
        (self.folder / "image.ld").write_text(linker_script(self.target, stack_bytes))

    def compile(self, optimization: str) -> list[Path]:
        sources = [source for root in self._roots() for source in sorted(root.rglob("*.c"))]
        objects = [self.folder / f"{i}-{source.stem}.o" for i, source in enumerate(sources)]
        options = [*WARNINGS, *_COMPILE, optimization, *self._paths()]
        command = [*self.toolchain.compile_command(self.target), *options]
        commands = [[*command, str(s), "-o", str(o)] for s, o in zip(sources, objects, strict=True)]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda command: run_tool(command, cwd=self.folder), commands))
        return objects

    def link(self, objects: Sequence[Path], image: Path) -> Path:
        command = [*self.toolchain.link_command(self.target), *_LINK, *map(str, objects)]
        output = [*self.toolchain.link_libraries(), "-o", str(image.resolve())]
        try:
            run_tool([*command, *output], cwd=self.folder)
        except ToolchainError as problem:
            raise self._explain(problem, objects) from problem
        return image

    def _roots(self) -> tuple[Path, ...]:
        return self.sources, RUNTIME, self.folder

    def _paths(self) -> Iterator[str]:
        """Include folders, and names for them that are the same on every machine."""
        for root, name in zip(self._roots(), ("model", "runtime", "build"), strict=True):
            yield from (f"-I{root}", f"-ffile-prefix-map={root}={name}")

    def _explain(self, problem: ToolchainError, objects: Sequence[Path]) -> Exception:
        overflows = {region: int(excess) for region, excess in _OVERFLOW.findall(problem.what)}
        if not overflows:
            return problem
        region, excess = max(overflows.items(), key=lambda item: item[1])
        has = self.target.memory[region].usable_bytes
        largest = sorted((s for o in objects for s in elf_symbols(o)), key=lambda s: -s.size_bytes)[:5]
        return FitError(
            f"needs {has + excess} bytes of '{region}', has {has}",
            where=self.target.name,
            hint=f"largest: {', '.join(f'{s.name} {s.size_bytes}' for s in largest)}",
        )


def _measure(elf: Path, toolchain: Toolchain, worst_case_stack_bytes: int | None) -> Firmware:
    sizes = section_sizes(elf)
    return Firmware(
        elf=elf,
        toolchain=toolchain.version(),
        code_bytes=sizes["vectors"] + sizes["text"] + sizes.get("data", 0),
        weights_bytes=sizes.get("rodata", 0),
        golden_bytes=sizes.get("golden", 0),
        arena_bytes=sizes.get("arena", 0),
        state_bytes=sizes.get("state", 0),
        data_bytes=sizes.get("data", 0) + sizes.get("bss", 0),
        stack_bytes=sizes["stack"],
        worst_case_stack_bytes=worst_case_stack_bytes,
    )
