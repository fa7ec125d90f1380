"""Caches and flash as targets describe them."""

from dataclasses import replace
from pathlib import Path

import pytest
from firmware import build, needs_toolchain

from edgetx.profile import Simulator
from edgetx.targets import Target, load_target

pytestmark = needs_toolchain

SWEEPS = """
static const uint32_t table[1280] = {1, 2, 3};
uint32_t sweep(uint32_t times) {
    uint32_t sum = 0;
    for (uint32_t i = 0; i < times; i++)
        for (uint32_t j = 0; j < sizeof table / sizeof *table; j++) sum += table[j];
    return sum;
}
uint32_t small(uint32_t times) {
    uint32_t sum = 0;
    for (uint32_t i = 0; i < times; i++)
        for (uint32_t j = 0; j < 16; j++) sum = sum * 5 + table[j];
    return sum;
}
void reset(void) { finish(sweep(1)); }
"""

MIXED = (
    SWEEPS
    + """
static uint8_t copy[64];
uint32_t mixed(uint32_t times) {
    const uint8_t *bytes = (const uint8_t *)table;
    uint32_t sum = 0;
    for (uint32_t i = 0; i < times; i++)
        for (uint32_t j = 0; j < 500; j++) {
            const uint8_t *from = j % 7 ? bytes + j * 3 : copy + j % 60;
            sum += *from;
            if (sum & 4) copy[j % 64] = (uint8_t)(sum >> 3);
        }
    return sum;
}
void slower(void) { REG(0x40022000) = 7; }
"""
)


def count(target: Target, image: Path, function: str, times: int, **options: bool) -> tuple[int, list[int]]:
    sim = Simulator(target, image, **options)
    sim.call(sim.symbol(function), 1)
    start = sim.cycles
    sim.call(sim.symbol(function), times)
    assert sim.tracer
    return sim.cycles - start, sim.tracer.engine.cache_misses()


def test_a_sweep_of_more_than_the_cache_keeps_part_of_it_when_lines_are_replaced_at_random(tmp_path: Path) -> None:
    """5120 bytes, again and again, in a cache of 4096: by age, no line survives until it is needed again."""
    board = load_target("disco-f746ng")
    image = build(board.name, SWEEPS, tmp_path)
    by_age = replace(board, cache=tuple(replace(cache, replacement="lru") for cache in board.cache))
    (cycles, misses), (oldest_cycles, oldest_misses) = (count(b, image, "sweep", 20) for b in (board, by_age))
    lines = 21 * 5120 // 32
    assert misses[1] < 0.6 * lines < 0.95 * lines < oldest_misses[1]
    assert cycles < oldest_cycles
    assert (cycles, misses) == count(board, image, "sweep", 20, use_native=False)


@pytest.mark.parametrize(
    ("board", "clocks"),
    [
        ("nucleo-l4r5zi", (120, 20)),
        ("nucleo-f446re", (180, 30)),
        ("nucleo-u575zi", (160, 32)),
        ("disco-f746ng", (216, 30)),
        ("nucleo-h7a3zi", (280, 44)),
    ],
)
def test_a_loop_in_the_cache_takes_the_same_cycles_at_any_clock(
    board: str, clocks: tuple[int, int], tmp_path: Path
) -> None:
    """From the most wait states to none."""
    target, image = load_target(board), build(board, SWEEPS, tmp_path)
    assert target.flash
    waits = [target.flash.wait_cycles(mhz * 1_000_000) for mhz in clocks]
    assert waits[0] > waits[1] == 0
    fast, slow = (count(replace(target, clock_hz=mhz * 1_000_000), image, "small", 1000)[0] for mhz in clocks)
    assert abs(fast / slow - 1) <= 0.002


def test_a_table_that_is_read_once_takes_longer_with_wait_states(tmp_path: Path) -> None:
    target, image = load_target("nucleo-l4r5zi"), build("nucleo-l4r5zi", SWEEPS, tmp_path)
    fast, slow = (count(replace(target, clock_hz=mhz * 1_000_000), image, "sweep", 1)[0] for mhz in (120, 20))
    assert fast - slow >= 5 * 1280 // 2


@pytest.mark.parametrize("board", ["nucleo-g0b1re", "nucleo-l4r5zi", "nucleo-u575zi"])
def test_flash_that_code_and_data_share_takes_the_same_in_both_engines(board: str, tmp_path: Path) -> None:
    """Also while wait states change: what is known of an edge under other settings must not be used."""
    image = build(board, MIXED, tmp_path)
    counted = []
    for use_native in (True, False):
        sim = Simulator(board, image, use_native=use_native)
        for function, times in (("sweep", 1), ("mixed", 3), ("small", 20), ("mixed", 2)):
            sim.call(sim.symbol(function), times)
        sim.call(sim.symbol("slower"))
        sim.call(sim.symbol("mixed"), 2)
        assert sim.tracer
        engine = sim.tracer.engine
        counted.append((sim.cycles, engine.edge_counts(), engine.traffic(), engine.cache_misses()))
    assert counted[0] == counted[1]


def test_wait_states_by_clock() -> None:
    board = load_target("nucleo-g0b1re")
    assert board.flash
    assert [board.flash.wait_cycles(mhz * 1_000_000) for mhz in (16, 24, 48, 64)] == [0, 0, 1, 2]


SETS_UP_FLASH = SWEEPS.replace("finish(sweep(1))", "REG(0x40022000) = 4; note(sweep(11)); finish(0)")
SETS_UP_BOTH = SETS_UP_FLASH.replace("note(sweep", "REG(0x40030400) = 1; note(sweep")


def test_a_cache_is_off_when_firmware_sets_up_the_flash_and_not_the_cache(tmp_path: Path) -> None:
    spent = []
    for code in (SETS_UP_FLASH, SETS_UP_BOTH):
        sim = Simulator("nucleo-u575zi", build("nucleo-u575zi", code, tmp_path))
        sim.run()
        spent.append(sim.cycles)
    assert spent[0] > 1.1 * spent[1]
