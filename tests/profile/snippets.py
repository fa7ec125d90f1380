"""Assembly snippets timed on a simulated core."""

import shutil
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

from edgetx.profile import Simulator
from edgetx.targets import Target, load_target

needs_toolchain = pytest.mark.skipif(not shutil.which("arm-none-eabi-gcc"), reason="needs arm-none-eabi-gcc")

TARGETS = {
    "cortex-m0plus": "nucleo-g0b1re",
    "cortex-m3": "mps2-an385",
    "cortex-m4": "mps2-an386",
    "cortex-m7": "disco-f746ng",
    "cortex-m33": "mps2-an505",
}
GCC_CPU = {"cortex-m7": "cortex-m7+nofp.dp"}
FPU = {"cortex-m4": ["-mfpu=fpv4-sp-d16"], "cortex-m7": ["-mfpu=fpv5-sp-d16"], "cortex-m33": ["-mfpu=fpv5-sp-d16"]}

PROGRAM = """
.syntax unified
.thumb
.global _start, begin, finish, words, other_words
.text
.balign 8
_start:
{setup}
.balign 8
begin:
{code}
finish:
 nop
.balign 4
.ltorg
.balign 8
.space 64
.data
.balign 8
words: .space 256
"""


@cache
def zero_wait_target(core: str) -> Target:
    """A target with that core whose memories need no wait states."""
    target = load_target(TARGETS[core])
    memory = {name: replace(region, tightly_coupled=True) for name, region in target.memory.items()}
    return replace(target, flash=None, cache=(), memory=memory)


def assemble(core: str, text: str, folder: Path) -> Path:
    """An ELF file whose code lies where the target keeps it."""
    target = zero_wait_target(core)
    code, data = (target.memory[target.region_of(role)].base_address for role in ("code", "data"))
    source, image = folder / "snippet.S", folder / "snippet.elf"
    source.write_text(text)
    command = ["arm-none-eabi-gcc", f"-mcpu={core}", "-mthumb", *FPU.get(core, []), "-nostdlib", "-Wl,-e,_start"]
    places = [f"-Wl,-Ttext=0x{code:x}", f"-Wl,-Tdata=0x{data:x}", "-Wl,--no-warn-rwx-segments"]
    if core in FPU:
        command.append("-mfloat-abi=hard")
    subprocess.run([*command, *places, str(source), "-o", str(image)], check=True)
    return image


@cache
def cycles(core: str, code: str, setup: str = "", **options: bool) -> int:
    """Cycles from `begin` to `finish`, the pipeline running into and out of it."""
    image = assemble(core, PROGRAM.format(setup=setup, code=code), Path(mkdtemp()))
    sim = Simulator(zero_wait_target(core), image, **options)
    sim.run(until=sim.symbol("begin"))
    start = sim.cycles
    sim.run(until=sim.symbol("finish"), max_instructions=100_000)
    return sim.cycles - start
