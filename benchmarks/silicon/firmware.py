"""Builds of benchmark programs, simulated without wait states."""

import re
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from edgetx.profile import Simulator
from edgetx.targets import Target, load_target

TARGETS = {
    "cortex-m0plus": "nucleo-g0b1re",
    "cortex-m4": "mps2-an386",
    "cortex-m7": "mps2-an500",
    "cortex-m33": "mps2-an505",
}
_FUNCTION = r"(\t\.type\t{name}, %function\n){name}:"
_ANY_FUNCTION = re.compile(r"\t\.type\t(\w+), %function\n\1:")


def target_without_waits(core: str) -> Target:
    """A target with that core whose memories answer at once."""
    target = load_target(TARGETS[core])
    memory = {name: replace(region, tightly_coupled=True) for name, region in target.memory.items()}
    return replace(target, flash=None, cache=(), memory=memory)


def compile_to_assembly(core: str, sources: Sequence[Path], options: Sequence[str], folder: Path) -> list[str]:
    """The assembly of each source."""
    texts = []
    for source in sources:
        output = folder / f"{source.stem}.s"
        command = ["arm-none-eabi-gcc", f"-mcpu={core}", "-mthumb", "-ffunction-sections", *options, "-S", "-w"]
        subprocess.run([*command, str(source), "-o", str(output)], check=True)
        texts.append(output.read_text(encoding="utf-8"))
    return texts


def functions(assembly: Sequence[str]) -> list[str]:
    """Names of the functions in a program."""
    return [name for text in assembly for name in _ANY_FUNCTION.findall(text)]


def shift(assembly: Sequence[str], function: str) -> list[str]:
    """The same program with a function that starts two bytes behind a word."""
    pattern = _FUNCTION.format(name=re.escape(function))
    return [re.sub(pattern, rf"\t.balign 8\n\tnop\n\g<1>{function}:", text) for text in assembly]


def simulate(core: str, assembly: Sequence[str], folder: Path) -> Simulator:
    """A simulator with a program in it."""
    target = target_without_waits(core)
    code, data = (target.memory[target.region_of(role)].base_address for role in ("code", "data"))
    paths = []
    for i, text in enumerate(assembly):
        paths.append(folder / f"part{i}.s")
        paths[-1].write_text(text, encoding="utf-8")
    image = folder / "program.elf"
    command = [
        "arm-none-eabi-gcc",
        f"-mcpu={core}",
        "-mthumb",
        "-nostartfiles",
        "--specs=nosys.specs",
        *map(str, paths),
    ]
    places = [f"-Wl,-Ttext=0x{code:x}", f"-Wl,-Tdata=0x{data:x}", "-Wl,--no-warn-rwx-segments", "-Wl,-e,main"]
    subprocess.run([*command, *places, "-o", str(image)], check=True, stderr=subprocess.DEVNULL)
    return Simulator(target, image)


def calls(sim: Simulator, function: str, *arguments: int) -> tuple[int, int]:
    """Cycles and instructions of a call."""
    cycles, instructions = sim.cycles, sim.instructions
    sim.call(sim.symbol(function), *arguments)
    return sim.cycles - cycles, sim.instructions - instructions
