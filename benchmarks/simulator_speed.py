"""Speed of the simulator, counting and not, relative to the bare emulator in the same run.

    python benchmarks/simulator_speed.py

The work is an int8 matrix product with requantization, compiled for each core with `arm-none-eabi-gcc -O2`.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from edgetx.profile import Simulator
from edgetx.targets import load_target

BOARDS = ("nucleo-g0b1re", "mps2-an385", "nucleo-l4r5zi", "nucleo-u575zi", "nucleo-h7a3zi")
CODE = """
#include <stdint.h>
#define N 64
int8_t a[N * N], c[N * N];
const int8_t b[N * N] = {1, 2, 3};
void work(int repeats) {
    for (int r = 0; r < repeats; r++)
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) {
                int32_t sum = 0;
                for (int k = 0; k < N; k += 4) {
                    sum += a[i * N + k] * b[j * N + k] + a[i * N + k + 1] * b[j * N + k + 1];
                    sum += a[i * N + k + 2] * b[j * N + k + 2] + a[i * N + k + 3] * b[j * N + k + 3];
                }
                sum = (sum * 77) >> 9;
                c[i * N + j] = (int8_t)(sum > 127 ? 127 : sum < -128 ? -128 : sum);
            }
}
void _start(void) { work(1); for (;;) {} }
"""


def build(board: str, folder: Path) -> Path:
    target = load_target(board)
    rom, ram = (target.memory[target.region_of(role)].base_address for role in ("code", "data"))
    source, image = folder / "work.c", folder / f"{board}.elf"
    source.write_text(CODE)
    flags = [f"-mcpu={target.core}", "-mthumb", "-O2", "-ffreestanding", "-nostdlib", f"-Wl,-Ttext=0x{rom:x}"]
    places = [f"-Wl,-Tdata=0x{ram:x}", f"-Wl,-Tbss=0x{ram:x}", "-Wl,--no-warn-rwx-segments"]
    subprocess.run(["arm-none-eabi-gcc", *flags, *places, str(source), "-o", str(image), "-lgcc"], check=True)
    return image


def seconds(sim: Simulator, repeats: int) -> float:
    work = sim.symbol("work")
    sim.call(work, 1)
    start = time.process_time()
    sim.call(work, repeats)
    return time.process_time() - start


def main() -> None:
    print(f"{'board':16}{'instructions':>14}{'bare M/s':>10}{'counting M/s':>14}{'ratio':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for board in BOARDS:
            image = build(board, Path(folder))
            counting, bare = Simulator(board, image), Simulator(board, image, count=False)
            counting.call(counting.symbol("work"), 1)
            one = counting.instructions
            repeats = max(1, 40_000_000 // one)
            ratios = []
            for _ in range(3):
                fast, slow = seconds(bare, repeats), seconds(counting, repeats)
                ratios.append((slow / fast, fast, slow))
            ratio, fast, slow = sorted(ratios)[1]
            speed = [repeats * one / spent / 1e6 for spent in (fast, slow)]
            print(f"{board:16}{repeats * one:14,}{speed[0]:10.0f}{speed[1]:14.0f}{ratio:8.2f}")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
