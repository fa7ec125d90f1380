"""CoreMark on simulated cores: `python benchmarks/silicon/coremark.py CHECKOUT` of eembc/coremark.

The published scores are of other compilers, so they are a band: see `docs/timing-model.md`.
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

from firmware import TARGETS, calls, compile_to_assembly, simulate

SOURCES = ("core_list_join.c", "core_matrix.c", "core_state.c", "core_util.c")
LEVELS = ("-O2", "-O3", "-O3 -funroll-loops")
PORT = """
typedef signed short ee_s16; typedef unsigned short ee_u16; typedef signed int ee_s32;
typedef unsigned char ee_u8; typedef unsigned int ee_u32; typedef ee_u32 ee_ptr_int; typedef __SIZE_TYPE__ ee_size_t;
typedef ee_u32 CORE_TICKS; typedef double ee_f32; typedef struct { ee_u8 portable_id; } core_portable;
#define NULL ((void *)0)
#define align_mem(x) (void *)(4 + (((ee_ptr_int)(x)-1) & ~3))
#define SEED_METHOD SEED_VOLATILE
#define MEM_METHOD MEM_STATIC
#define MULTITHREAD 1
#define HAS_FLOAT 0
#define HAS_STDIO 0
#define HAS_PRINTF 0
"""
MAIN = """
#include "coremark.h"
volatile ee_s32 seed1_volatile, seed2_volatile, seed3_volatile = 0x66, seed4_volatile, seed5_volatile;
int ee_printf(const char *format, ...) { return 0; }
static ee_u8 block[2000] __attribute__((aligned(8)));
core_results results;
void set_up(void) {
    core_results *r = &results;
    r->seed3 = 0x66;
    r->size = sizeof block / 3;
    for (int i = 0; i < 3; i++) r->memblock[i + 1] = block + r->size * i;
    r->list = core_list_init(r->size, r->memblock[1], r->seed1);
    core_init_matrix(r->size, r->memblock[2], 0, &r->mat);
    core_init_state(r->size, r->seed1, r->memblock[3]);
}
void one_iteration(void) {
    results.crc = crcu16(core_bench_list(&results, 1), results.crc);
    results.crc = crcu16(core_bench_list(&results, -1), results.crc);
}
int main(void) { set_up(); one_iteration(); return results.crc; }
"""
CRC = 0xE714
"""Of one iteration over 2000 bytes, as EEMBC's own port checks it."""


def main() -> None:
    """Print cycles per iteration for every core and level of optimization."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("checkout", type=Path)
    checkout = parser.parse_args().checkout
    print("| core | options | instructions | cycles per iteration | CoreMark/MHz |\n|---|---|---|---|---|")
    for core in TARGETS:
        for level in LEVELS:
            cycles, instructions = _iteration(checkout, core, level)
            print(f"| {core} | {level} | {instructions} | {cycles} | {1e6 / cycles:.2f} |", flush=True)


def _iteration(checkout: Path, core: str, level: str) -> tuple[int, int]:
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "core_portme.h").write_text(PORT, encoding="utf-8")
        (folder / "start.c").write_text(MAIN, encoding="utf-8")
        sources = [*(checkout / name for name in SOURCES), folder / "start.c"]
        options = [*level.split(), f"-I{folder}", f"-I{checkout}", "-DTOTAL_DATA_SIZE=2000"]
        sim = simulate(core, compile_to_assembly(core, sources, options, folder), folder)
        if sim.call(sim.symbol("main")) != CRC:
            raise SystemExit("CoreMark computes something wrong")
        return calls(sim, "one_iteration")


if __name__ == "__main__":
    main()
