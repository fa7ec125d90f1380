"""The Python interface of the simulator."""

from itertools import pairwise
from pathlib import Path

import pytest
from firmware import build, needs_toolchain

from edgetx.profile import Simulator

pytestmark = needs_toolchain
BOARDS = ["nucleo-g0b1re", "nucleo-l4r5zi", "nucleo-u575zi", "disco-f746ng", "rpi-pico"]

WORK = """
static const uint8_t table[256] = {1, 2, 3};
uint32_t work(uint32_t n, uint32_t divisor, uint32_t a, uint32_t b, uint32_t fifth) {
    uint32_t sum = fifth;
    for (uint32_t i = 1; i < n; i++) {
        sum += table[(i * 7) & 255] * a + (i * b) / (divisor + i);
        if (sum & 1) sum ^= i;
        log_[i & 63] = sum;
    }
    return sum;
}
void reset(void) { finish(work(3, 1, 2, 3, 4)); }
"""


def expected(n: int, divisor: int, a: int, b: int, fifth: int) -> int:
    table = [1, 2, 3] + [0] * 253
    total = fifth
    for i in range(1, n):
        total = (total + table[i * 7 & 255] * a + (i * b & 0xFFFF_FFFF) // (divisor + i)) & 0xFFFF_FFFF
        if total & 1:
            total ^= i
    return total


@pytest.mark.parametrize("board", BOARDS)
def test_native_and_python_engines_count_alike(board: str, tmp_path: Path) -> None:
    image = build(board, WORK, tmp_path)
    seen = set()
    for use_native in (True, False):
        sim = Simulator(board, image, use_native=use_native)
        answer = sim.call(sim.symbol("work"), 300, 7, 3, 1000, 5)
        assert answer == expected(300, 7, 3, 1000, 5)
        assert sim.tracer
        stalls = tuple(edge.stalls for edge in sim.tracer.engine.edge_counts())
        traffic = tuple(sim.tracer.engine.traffic())
        misses = tuple(sim.tracer.engine.cache_misses())
        contexts = tuple(sim.tracer.engine.contexts())
        seen.add((sim.cycles, sim.instructions, stalls, traffic, misses, contexts, sim.tracer.engine.lowest_stack))
    assert len(seen) == 1


@pytest.mark.parametrize("board", BOARDS)
def test_counting_changes_no_result(board: str, tmp_path: Path) -> None:
    sim = Simulator(board, build(board, WORK, tmp_path), count=False)
    assert sim.call(sim.symbol("work"), 300, 7, 3, 1000, 5) == expected(300, 7, 3, 1000, 5)
    assert sim.cycles == 0


def test_every_run_takes_the_same_cycles(tmp_path: Path) -> None:
    image = build("nucleo-l4r5zi", WORK, tmp_path)
    counted = set()
    for _ in range(3):
        sim = Simulator("nucleo-l4r5zi", image)
        sim.call(sim.symbol("work"), 500, 7, 3, 1000, 5)
        counted.add(sim.cycles)
    assert len(counted) == 1


PERIPHERAL = """
void reset(void) {
    REG(0x40001004) = 0x55;
    while (!(REG(0x40001000) & 1)) {}
    note(REG(0x40001008));
    finish(0);
}
"""


def test_peripherals_in_python(tmp_path: Path) -> None:
    sim = Simulator("nucleo-l4r5zi", build("nucleo-l4r5zi", PERIPHERAL, tmp_path))
    times: list[int] = []
    written: list[tuple[int, int, int]] = []

    def read(offset: int, size: int) -> int:
        times.append(sim.cycles)
        return 77 if offset == 8 else int(len(times) == 50)

    sim.map_mmio(0x4000_1000, 0x100, read, lambda offset, size, value: written.append((offset, size, value)))
    sim.run()
    assert written == [(4, 4, 0x55)]
    assert int.from_bytes(sim.read(sim.symbol("log_"), 4), "little") == 77
    assert len(times) == 51
    assert all(a < b for a, b in pairwise(times))


def test_stop_from_a_callback_and_go_on(tmp_path: Path) -> None:
    sim = Simulator("nucleo-l4r5zi", build("nucleo-l4r5zi", PERIPHERAL, tmp_path))
    sim.map_mmio(0x4000_1000, 0x100, lambda offset, size: 1, lambda offset, size, value: sim.stop())
    sim.run()
    assert sim.exit_status is None
    middle = sim.cycles
    sim.run()
    assert sim.exit_status == 0
    assert sim.cycles > middle


def test_run_until_an_address(tmp_path: Path) -> None:
    sim = Simulator("nucleo-l4r5zi", build("nucleo-l4r5zi", WORK, tmp_path))
    sim.run(until=sim.symbol("work"))
    assert sim.pc == sim.symbol("work")
    sim.run()
    assert sim.exit_status == expected(3, 1, 2, 3, 4)


FLASH = """
uint32_t work(void) { uint32_t s = 0; for (volatile int i = 0; i < 50; i++) s += i; return s; }
void reset(void) {
    REG(0x40022000) = 0;
    uint32_t start = REG(0xE0001004);
    work();
    note(REG(0xE0001004) - start);
    REG(0x40022000) = 5;
    start = REG(0xE0001004);
    work();
    note(REG(0xE0001004) - start);
    finish(0);
}
"""


def test_firmware_sets_its_own_wait_states(tmp_path: Path) -> None:
    code = FLASH.replace("void reset(void) {", "void reset(void) { REG(0xE0001000) = 1;", 1)
    sim = Simulator("nucleo-l4r5zi", build("nucleo-l4r5zi", code, tmp_path))
    sim.run()
    fast, slow = (int.from_bytes(sim.read(sim.symbol("log_") + 4 * i, 4), "little") for i in range(2))
    assert slow > fast * 1.3


@pytest.mark.parametrize("count", [True, False])
def test_run_until_the_middle_of_a_block_that_has_run_before(count: bool, tmp_path: Path) -> None:
    code = """
    void reset(void) {
        __asm__ volatile("movs r4, #0; 1: adds r4, #1; .global middle; middle: adds r5, #1" ::: "r4", "r5");
        __asm__ volatile("cmp r4, #9; bne 1b" ::: "r4", "r5");
        finish(0);
    }
    """
    sim = Simulator("nucleo-l4r5zi", build("nucleo-l4r5zi", code, tmp_path), count=count)
    sim.run(until=sim.symbol("middle"))
    for expected_count in range(2, 9):
        before = sim.emulator.register("r4")
        sim.run(until=sim.pc + 2)
        assert sim.emulator.register("r4") == before
        sim.run(until=sim.symbol("middle"))
        assert sim.emulator.register("r4") == expected_count
    sim.run()
    assert sim.exit_status == 0


def test_run_until_the_address_it_stands_at_goes_round(tmp_path: Path) -> None:
    loop = "for (volatile int i = 0; i < 5; i++)"
    code = f'void reset(void) {{ {loop} __asm__ volatile(".global head; head: nop"); finish(0); }}'
    sim = Simulator("nucleo-l4r5zi", build("nucleo-l4r5zi", code, tmp_path))
    times = []
    for _ in range(5):
        sim.run(until=sim.symbol("head"))
        times.append(sim.cycles)
    assert all(a < b for a, b in pairwise(times))
    sim.run(until=sim.symbol("head"))
    assert sim.exit_status == 0


@pytest.mark.parametrize("count", [True, False])
def test_run_until_a_branch_it_stands_at_goes_round(count: bool, tmp_path: Path) -> None:
    loop = "movs r4, #5; 1: adds r5, #1; subs r4, #1; .global branch; branch: bne 1b"
    code = f'void reset(void) {{ __asm__ volatile("{loop}" ::: "r4", "r5"); finish(0); }}'
    sim = Simulator("nucleo-l4r5zi", build("nucleo-l4r5zi", code, tmp_path), count=count)
    for left in range(4, -1, -1):
        sim.run(until=sim.symbol("branch"))
        assert sim.emulator.register("r4") == left
    sim.run(until=sim.symbol("branch"))
    assert sim.exit_status == 0


def test_uart_of_the_board_prints(tmp_path: Path) -> None:
    code = """
    void reset(void) {
        for (const char *c = "hello"; *c; c++) {
            while (REG(0x40004004) & 1) {}
            REG(0x40004000) = *c;
        }
        finish(0);
    }
    """
    sim = Simulator("mps2-an386", build("mps2-an386", code, tmp_path))
    sim.run()
    assert sim.output == "hello"
