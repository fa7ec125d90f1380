"""Times at which something happens within a block: reads of timers, interrupts, and the outcome of IT blocks."""

from itertools import pairwise
from pathlib import Path

import pytest
from firmware import build, needs_toolchain
from snippets import cycles

from edgetx.profile import Simulator

pytestmark = needs_toolchain

BOARDS = ["mps2-an385", "nucleo-l4r5zi", "nucleo-u575zi", "nucleo-h7a3zi"]
ENGINES = [True, False]


def logged(sim: Simulator) -> list[int]:
    count = int.from_bytes(sim.read(sim.symbol("logged"), 4), "little")
    data = sim.read(sim.symbol("log_"), 4 * count)
    return [int.from_bytes(data[i : i + 4], "little") for i in range(0, len(data), 4)]


def run(board: str, code: str, folder: Path, use_native: bool = True) -> tuple[Simulator, list[int]]:
    sim = Simulator(board, build(board, code, folder), use_native=use_native)
    sim.run(max_instructions=3_000_000)
    return sim, logged(sim)


READS = """
void reset(void) {
    REG(0xE000EDFC) = 1 << 24;
    REG(0xE0001000) |= 1;
    uint32_t t[6];
    __asm__ volatile(
        "ldr r7, =0xE0001004\\n .balign 8\\n ldr %0, [r7]\\n ldr %1, [r7]\\n .rept 4\\n nop\\n .endr\\n ldr %2, [r7]\\n"
        ".rept 10\\n nop\\n .endr\\n ldr %3, [r7]\\n movs r6, #3\\n movs r5, #100\\n muls r6, r5\\n ldr %4, [r7]\\n"
        : "=&r"(t[0]), "=&r"(t[1]), "=&r"(t[2]), "=&r"(t[3]), "=&r"(t[4]) :: "r5", "r6", "r7");
    for (int i = 1; i < 5; i++) note(t[i] - t[i - 1]);
    finish(0);
}
"""


@pytest.mark.parametrize("use_native", ENGINES)
def test_reads_of_the_cycle_counter_within_one_block(use_native: bool, tmp_path: Path) -> None:
    _, log = run("mps2-an386", READS, tmp_path, use_native)
    assert log == [1, 5, 11, 5]  # a load behind a load overlaps it, MOVS waits for one, NOP does not


@pytest.mark.parametrize("board", BOARDS)
def test_both_engines_read_the_same_times(board: str, tmp_path: Path) -> None:
    results = {tuple(run(board, READS, tmp_path, use_native)[1]) for use_native in ENGINES}
    assert len(results) == 1


MOVING_TICK = """
volatile uint32_t where;
__attribute__((naked)) void sys_tick(void) {{
    __asm__ volatile("ldr r0, [sp, #24]; movw r1, #:lower16:where; movt r1, #:upper16:where; str r0, [r1];"
                     "movs r0, #0; movw r1, #0xE010; movt r1, #0xE000; str r0, [r1]; bx lr");
}}
void reset(void) {{
    REG(0xE000E014) = {reload};
    REG(0xE000E018) = 0;
    REG(0xE000E010) = 7;
    __asm__ volatile(".global line\\n line:\\n .rept 60\\n adds r4, #1\\n .endr" ::: "r4");
    note(where - (uint32_t)&reset);
    finish(0);
}}
"""


@pytest.mark.parametrize("use_native", ENGINES)
def test_a_timer_interrupts_at_the_instruction_where_it_expires(use_native: bool, tmp_path: Path) -> None:
    places = []
    for reload in range(20, 26):
        _, (place,) = run("mps2-an386", MOVING_TICK.format(reload=reload), tmp_path, use_native)
        places.append(place)
    assert [b - a for a, b in pairwise(places)] == [2] * 5  # one cycle, one 16-bit instruction


def test_counting_goes_on_exactly_where_an_interrupt_cut_a_block(tmp_path: Path) -> None:
    counts = []
    for reload in (22, 23, 30, 1_000_000):
        sim, _ = run("mps2-an386", MOVING_TICK.format(reload=reload), tmp_path)
        counts.append(sim.instructions)
    assert counts[0] == counts[1] == counts[2] > counts[3]


SOFTWARE_PENDED = """
void irq0(void) { note(2); }
void reset(void) {
    REG(0xE000E100) = 1;
    register uint32_t *pend __asm__("r4") = (uint32_t *)0xE000E200;
    register uint32_t one __asm__("r5") = 1;
    register uint32_t *place __asm__("r6") = (uint32_t *)&log_[10];
    __asm__ volatile("str r5, [r4]\\n str r5, [r6]" : : "r"(pend), "r"(one), "r"(place) : "memory");
    finish(0);
}
"""


@pytest.mark.parametrize("use_native", ENGINES)
def test_a_pended_interrupt_is_taken_behind_the_store(use_native: bool, tmp_path: Path) -> None:
    code = SOFTWARE_PENDED.replace("note(2)", "note(log_[10])")
    assert run("nucleo-l4r5zi", code, tmp_path, use_native)[1] == [0]


def test_stop_takes_effect_behind_the_access(tmp_path: Path) -> None:
    code = "void reset(void) { REG(0x40001000) = 1; log_[3] = 7; REG(0x40001000) = 2; finish(0); }"
    sim = Simulator("nucleo-l4r5zi", build("nucleo-l4r5zi", code, tmp_path))
    times = []

    def write(offset: int, size: int, value: int) -> None:
        times.append(sim.cycles)
        sim.stop()

    sim.map_mmio(0x4000_1000, 16, lambda offset, size: 0, write)
    sim.run()
    assert sim.read(sim.symbol("log_") + 12, 4) == bytes(4)
    assert times == [sim.cycles]


LATE = """
volatile uint32_t entered;
void irq0(void) { note(1); }
void sys_tick(void) { note(2); REG(0xE000E010) = 0; }
void reset(void) {
    REG(0xE000E400) = 0x80;
    REG(0xE000E100) = 1;
    REG(0xE000E014) = RELOAD;
    REG(0xE000E018) = 0;
    REG(0xE000E010) = 7;
    __asm__ volatile(".rept 40; nop; .endr");
    REG(0xE000E200) = 1;
    __asm__ volatile("dsb; isb; nop; nop; nop");
    finish(0);
}
"""


def test_a_more_urgent_exception_that_comes_during_entry_goes_first(tmp_path: Path) -> None:
    totals = set()
    for reload in range(40, 72, 3):
        sim, log = run("mps2-an386", LATE.replace("RELOAD", str(reload)), tmp_path)
        if sorted(log) == [1, 2]:
            totals.add(sim.cycles)
    # entry, tail-chaining and return (12 + 6 + 10) instead of two entries and returns
    assert 12 <= max(totals) - min(totals) <= 20


IT_LOOP = "movs r4, #8\nmovs r1, #1\n1: {flags}\n{it}\nsubs r4, #1\nbne 1b\n"


@pytest.mark.parametrize(
    ("core", "it", "difference"),
    [
        ("cortex-m4", "it eq; ldreq r0, [r2]", 1),
        ("cortex-m4", "it eq; ldmeq r2, {r0, r1, r3, r5}", 4),
        ("cortex-m3", "it eq; muleq r0, r1, r1", 0),
        ("cortex-m3", "it eq; mlaeq r0, r1, r1, r1", 1),
        ("cortex-m4", "it eq; moveq r0, #1", 0),
        ("cortex-m33", "it eq; ldmeq r2, {r0, r1, r3, r5}", 3),
        ("cortex-m7", "it eq; ldmeq r2, {r0, r1, r3, r5}", 0),
    ],
)
@pytest.mark.parametrize("use_native", ENGINES)
def test_an_instruction_that_is_passed_over_takes_one_cycle(
    core: str, it: str, difference: int, use_native: bool
) -> None:
    def loop(flags: str) -> int:
        code = IT_LOOP.format(flags=flags, it=it.replace("; ", "\n"))
        return cycles(core, code, "ldr r2, =words", use_native=use_native)

    assert loop("cmp r1, r1") - loop("cmp r1, #99") == 8 * difference


def test_outcomes_that_change_from_time_to_time() -> None:
    code = "movs r4, #8\n1: lsls r3, r4, #31\nit mi\nldrmi r0, [r2]\nsubs r4, #1\nbne 1b\n"
    never, always = (cycles("cortex-m4", code.replace("mi", condition), "ldr r2, =words") for condition in ("vs", "vc"))
    mixed = cycles("cortex-m4", code, "ldr r2, =words")
    assert mixed - never == always - mixed == 4
