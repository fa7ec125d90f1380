"""Firmware images from generated C."""

import os
import re
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from edgetx.errors import FitError, TargetError, ToolchainError
from edgetx.firmware.board import board_header
from edgetx.firmware.golden import GoldenAudio, GoldenCase, golden_source
from edgetx.firmware.image import Symbol, elf_symbols
from edgetx.firmware.linker import linker_script
from edgetx.firmware.measure import Firmware, measure_firmware
from edgetx.firmware.stack import worst_case_stack
from edgetx.firmware.toolchain import WARNINGS, Toolchain, find_toolchain, run_tool
from edgetx.targets import Target

RUNTIME = Path(__file__).parent / "runtime"
_COMPILE = ("-std=c11", "-ffreestanding", "-g", "-ffunction-sections", "-fdata-sections", "-fstack-usage", "-c")
_LINK = ("-Wl,--gc-sections", "-Wl,--build-id=none", "-Wl,--entry=Reset_Handler", "-Wl,-T,image.ld")
_LARGEST = 5  # symbols named when an image does not fit
INTERRUPT_BYTES = 256
"""Reserved on top of the deepest calls, for one interrupt: up to 104 bytes are the core's, where it has an FPU."""
_UNBOUNDED_BYTES = 4096  # reserved where calls cannot be followed to their end
_OVERFLOW = re.compile(r"region [`'](\w+)'.*overflowed by (\d+) bytes")


def build_firmware(
    sources: Path,
    target: Target,
    elf: Path,
    golden: Sequence[GoldenCase],
    *,
    audio: GoldenAudio | None = None,
    toolchain: Toolchain | None = None,
    optimization: str = "-O2",
    stack_bytes: int | None = None,
) -> Firmware:
    """Compile generated C into an image that runs the golden cases and prints PASS or FAIL.

    Args:
        sources: Folder with `model.h` and all C files of the model.
        target: A microcontroller target.
        elf: Where the image goes; nothing is left there on failure.
        golden: What the image runs and checks.
        audio: What it checks the front end with, if there is one among the sources.
        toolchain: Compiler; by default the first that is installed.
        optimization: Optimization option of the compiler.
        stack_bytes: Stack to reserve; by default what the deepest calls and an interrupt need.

    Raises:
        FitError: If the image does not fit into the target's memory, or calls go deeper than the stack.
        TargetError: If the target is not a microcontroller.
        ToolchainError: If no compiler is installed, or it refuses the sources.
    """
    if target.kind != "mcu":
        raise TargetError(f"no firmware is built for a {target.kind}", where=target.name)
    toolchain = toolchain or find_toolchain()
    elf.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=elf.parent, prefix=".firmware-") as folder:
        build = _Build(Path(folder), sources.resolve(), target, toolchain)
        build.generate(golden, audio or GoldenAudio())
        build.compile(optimization)
        deepest = build.deepest_stack(build.link(0))
        image = build.link(build.stack_to_reserve(deepest, stack_bytes))
        return measure_firmware(image.replace(elf), toolchain, deepest)


def image_id(sources: Path) -> int:
    """What an image answers when a host asks which model it holds: a CRC over the generated C."""
    crc = 0
    for path in sorted(sources.glob("*.[ch]")):
        crc = zlib.crc32(path.read_bytes(), zlib.crc32(path.name.encode(), crc))
    return crc


@dataclass(frozen=True)
class _Build:
    folder: Path
    sources: Path
    target: Target
    toolchain: Toolchain

    def generate(self, golden: Sequence[GoldenCase], audio: GoldenAudio) -> None:
        (self.folder / "etx_board.h").write_text(board_header(self.target, image_id(self.sources)), encoding="utf-8")
        (self.folder / "etx_golden.c").write_text(golden_source(golden, audio), encoding="utf-8")

    def compile(self, optimization: str) -> None:
        sources = [source for root in self._roots() for source in sorted(root.glob("*.c"))]
        objects = [self.folder / f"{i}-{source.stem}.o" for i, source in enumerate(sources)]
        options = [*WARNINGS, *_COMPILE, optimization, *self._paths()]
        command = [*self.toolchain.compile_command(self.target), *options]
        commands = [[*command, str(s), "-o", str(o)] for s, o in zip(sources, objects, strict=True)]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda command: run_tool(command, cwd=self.folder), commands))

    def link(self, stack_bytes: int) -> Path:
        (self.folder / "image.ld").write_text(linker_script(self.target, stack_bytes), encoding="utf-8")
        objects = sorted(path.name for path in self.folder.glob("*.o"))
        command = [*self.toolchain.link_command(self.target), *_LINK, *objects, *self.toolchain.link_libraries()]
        try:
            run_tool([*command, "-o", "image.elf"], cwd=self.folder)
        except ToolchainError as problem:
            if misfit := self._misfit(problem.what):
                raise misfit from problem
            raise
        return self.folder / "image.elf"

    def deepest_stack(self, image: Path) -> int | None:
        return worst_case_stack(image, list(self.folder.glob("*.su")))

    def stack_to_reserve(self, deepest: int | None, wanted: int | None) -> int:
        if wanted is None:
            return _UNBOUNDED_BYTES if deepest is None else deepest + INTERRUPT_BYTES
        if deepest is not None and deepest > wanted:
            raise FitError(f"needs {deepest} bytes of stack, has {wanted}", where=self.target.name)
        return wanted

    def _roots(self) -> tuple[Path, ...]:
        return self.sources, RUNTIME, self.folder

    def _paths(self) -> Iterator[str]:
        """Include folders, and names for them that are the same on every machine."""
        for root, name in zip(self._roots(), ("model", "runtime", "build"), strict=True):
            yield from (f"-I{root}", f"-ffile-prefix-map={root}={name}")

    def _misfit(self, message: str) -> FitError | None:
        """The error to raise if a linker's message says that a memory region is too small."""
        overflows = {region: int(excess) for region, excess in _OVERFLOW.findall(message)}
        if not overflows:
            return None
        region, excess = max(overflows.items(), key=lambda item: item[1])
        has = self.target.memory[region].usable_bytes
        largest = ", ".join(f"{s.name} {s.size_bytes}" for s in self._largest(region))
        return FitError(
            f"needs {has + excess} bytes of '{region}', has {has}", where=self.target.name, hint=f"largest: {largest}"
        )

    def _largest(self, region: str) -> list[Symbol]:
        is_constant = bool({"code", "weights"} & set(self.target.memory[region].roles))
        symbols = [s for path in self.folder.glob("*.o") for s in elf_symbols(path)]
        there = [s for s in symbols if s.section.startswith(".bss") != is_constant]
        return sorted(there, key=lambda s: -s.size_bytes)[:_LARGEST]
