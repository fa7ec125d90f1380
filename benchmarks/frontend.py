"""What the audio front end costs: cycles per hop on the simulated core, memory of the generated C.

    python benchmarks/frontend.py > benchmarks/results/frontend.md

Compiled with `arm-none-eabi-gcc -O2`; the audio is noise at full scale.
"""

import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from edgetx.audio.frontend import FixedPointFrontEnd
from edgetx.audio.quantizer import fit_quantizer
from edgetx.backends.c import emit_frontend
from edgetx.firmware import elf_symbols, section_sizes
from edgetx.firmware.toolchain import core_flags
from edgetx.profile import Simulator
from edgetx.recipe import FRONT_ENDS, FrontEnd
from edgetx.targets import Target, load_target

RATE = 16_000
BOARDS = ("nucleo-g0b1re", "nucleo-l4r5zi", "nucleo-u575zi", "nucleo-h7a3zi")
SETTINGS = {"zoo: 49×40 log mel": FrontEnd(mean=12.5, std=7.0), **FRONT_ENDS}
HOPS = 5
MAIN = """
#include "frontend.h"
edgetx_frontend state;
int16_t hop[EDGETX_FRONTEND_HOP];
int8_t row[EDGETX_FRONTEND_FEATURES];
void _start(void) { for (;;) edgetx_frontend_push(&state, hop, row); }
"""


def sources(setting: FrontEnd) -> Mapping[str, str]:
    front = FixedPointFrontEnd(setting, RATE)
    return {**emit_frontend(front, fit_quantizer(front, 0.03, 0)), "main.c": MAIN}


def build(files: Mapping[str, str], target: Target, folder: Path) -> Path:
    for name, text in files.items():
        (folder / name).write_text(text)
    rom, ram = (target.memory[target.region_of(role)].base_address for role in ("code", "data"))
    flags = [*core_flags(target), "-mthumb", "-O2", "-ffreestanding", "-nostartfiles", "-ffunction-sections"]
    flags += ["-Wl,--gc-sections", f"-Wl,-Ttext=0x{rom:x}", f"-Wl,-Tbss=0x{ram:x}", "-Wl,--no-warn-rwx-segments"]
    image = folder / "image.elf"
    subprocess.run(
        ["arm-none-eabi-gcc", *flags, str(folder / "frontend.c"), str(folder / "main.c"), "-o", image], check=True
    )
    return image


def cycles_per_hop(target: Target, image: Path, samples: int) -> int:
    sim = Simulator(target, image)
    rng = np.random.default_rng(0)
    spent = []
    for _ in range(HOPS):
        noise = rng.integers(-32768, 32768, samples).astype(np.int16)
        sim.write(sim.symbol("hop"), noise.tobytes())
        before = sim.cycles
        sim.call(*map(sim.symbol, ("edgetx_frontend_push", "state", "hop", "row")))
        spent.append(sim.cycles - before)
    return max(spent)


def main() -> None:
    print("| front end | board | cycles per hop | share of the hop | flash bytes | RAM bytes |")
    print("|---|---|---:|---:|---:|---:|")
    for name, setting in SETTINGS.items():
        for board in BOARDS:
            target = load_target(board)
            with tempfile.TemporaryDirectory() as folder:
                image = build(sources(setting), target, Path(folder))
                cycles = cycles_per_hop(target, image, round(setting.hop_ms * RATE / 1000))
                sizes = section_sizes(image)
                state = next(s.size_bytes for s in elf_symbols(image) if s.name == "state")
            share = cycles / (target.clock_hz * setting.hop_ms / 1000)
            flash = sizes["text"] + sizes["rodata"]
            print(f"| {name} | {board} | {cycles:,} | {share:.1%} | {flash:,} | {state:,} |")


if __name__ == "__main__":
    main()
