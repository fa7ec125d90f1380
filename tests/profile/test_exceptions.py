"""Interrupts, system calls and timers on simulated cores."""

from pathlib import Path

import pytest
from firmware import build, needs_toolchain

from edgetx.errors import DeviceError
from edgetx.profile import Simulator

pytestmark = needs_toolchain

BOARDS = ["nucleo-g0b1re", "nucleo-l4r5zi", "nucleo-u575zi", "nucleo-h7a3zi"]
FLOAT = {
    "nucleo-l4r5zi": ["-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"],
    "nucleo-u575zi": ["-mfloat-abi=hard", "-mfpu=fpv5-sp-d16"],
}


def run(board: str, code: str, folder: Path, *flags: str, count: bool = True) -> tuple[Simulator, list[int]]:
    sim = Simulator(board, build(board, code, folder, *flags), count=count)
    sim.run(max_instructions=3_000_000)
    logged = int.from_bytes(sim.read(sim.symbol("logged"), 4), "little")
    data = sim.read(sim.symbol("log_"), 4 * logged)
    return sim, [int.from_bytes(data[i : i + 4], "little") for i in range(0, len(data), 4)]


SYSTEM_CALL = """
void svc(void) { uint32_t n; __asm__ volatile("mrs %0, ipsr" : "=r"(n)); note(n); }
void reset(void) { note(1); __asm__ volatile("svc 0"); note(2); finish(7); }
"""


@pytest.mark.parametrize("count", [True, False])
@pytest.mark.parametrize("board", BOARDS)
def test_system_call_enters_handler_and_returns(board: str, count: bool, tmp_path: Path) -> None:
    sim, log = run(board, SYSTEM_CALL, tmp_path, count=count)
    assert log == [1, 11, 2]
    assert sim.exit_status == 7


NESTING = """
void irq0(void) { note(10); REG(0xE000E200) = 6; __asm__ volatile("dsb; isb; nop; nop; nop"); note(11); }
void irq1(void) { note(20); }
void irq2(void) { note(30); }
void reset(void) {
    REG(0xE000E400) = 0x80 | 0x40 << 8 | 0xC0 << 16; /* irq1 is more urgent than irq0, irq2 less */
    REG(0xE000E100) = 7;
    note(1);
    REG(0xE000E200) = 1;
    __asm__ volatile("dsb; isb; nop; nop; nop");
    note(2);
    finish(0);
}
"""


@pytest.mark.parametrize("board", BOARDS)
def test_urgent_interrupts_preempt_and_others_wait(board: str, tmp_path: Path) -> None:
    _, log = run(board, NESTING, tmp_path)
    assert log == [1, 10, 20, 11, 30, 2]


PRIORITIES = """
void reset(void) {
    REG(0xE000E400) = 0xFFFFFFFF;
    note(REG(0xE000E400));
    finish(0);
}
"""


@pytest.mark.parametrize(("board", "kept"), [("nucleo-g0b1re", 0xC0), ("nrf52840-dk", 0xE0), ("nucleo-l4r5zi", 0xF0)])
def test_priorities_keep_the_bits_that_the_chip_has(board: str, kept: int, tmp_path: Path) -> None:
    _, log = run(board, PRIORITIES, tmp_path)
    assert log == [kept * 0x01010101]


MASKED = """
void irq0(void) { note(10); }
void reset(void) {
    REG(0xE000E100) = 1;
    __asm__ volatile("cpsid i");
    REG(0xE000E200) = 1;
    __asm__ volatile("nop; nop; nop");
    note(1);
    __asm__ volatile("cpsie i; nop; nop; nop");
    note(2);
    finish(0);
}
"""


@pytest.mark.parametrize("board", BOARDS)
def test_masked_interrupts_wait(board: str, tmp_path: Path) -> None:
    _, log = run(board, MASKED, tmp_path)
    assert log == [1, 10, 2]


TICKS = """
volatile uint32_t ticks;
void sys_tick(void) { ticks++; }
void reset(void) {
    REG(0xE000E014) = 9999;
    REG(0xE000E018) = 0;
    REG(0xE000E010) = 7;
    while (ticks < 20) {}
    note(ticks);
    finish(0);
}
"""


@pytest.mark.parametrize("board", BOARDS)
def test_systick_fires_every_reload_cycles(board: str, tmp_path: Path) -> None:
    sim, log = run(board, TICKS, tmp_path)
    assert log == [20]
    assert 20 * 10_000 <= sim.cycles < 20 * 10_000 + 500


WAITING = TICKS.replace("while (ticks < 20) {}", 'while (ticks < 20) __asm__ volatile("wfi");')


def test_wfi_lets_time_pass(tmp_path: Path) -> None:
    sim, log = run("nucleo-l4r5zi", WAITING, tmp_path)
    assert log == [20]
    assert 20 * 10_000 <= sim.cycles < 20 * 10_000 + 500
    assert sim.instructions < 2_000


def test_waiting_for_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="interrupt that nobody raises"):
        run("nucleo-l4r5zi", 'void reset(void) { __asm__ volatile("wfi"); finish(0); }', tmp_path)


SELF_TIMED = """
void reset(void) {
    REG(0xE000EDFC) = 1 << 24;
    REG(0xE0001004) = 0;
    REG(0xE0001000) |= 1;
    uint32_t start = REG(0xE0001004);
    __asm__ volatile(".rept 100\\n mov.w r0, r0\\n .endr" ::: "r0");
    note(REG(0xE0001004) - start);
    finish(0);
}
"""


def test_firmware_reads_its_own_cycles(tmp_path: Path) -> None:
    _, log = run("mps2-an386", SELF_TIMED, tmp_path)
    assert 100 <= log[0] <= 105


MOVED_VECTORS = """
static uint32_t table[32] __attribute__((aligned(256)));
static void other(void) { note(42); }
void irq0(void) { note(10); }
void reset(void) {
    for (int i = 0; i < 19; i++) table[i] = (uint32_t)vectors[i];
    table[16] = (uint32_t)other;
    REG(0xE000ED08) = (uint32_t)table;
    REG(0xE000E100) = 1;
    REG(0xE000E200) = 1;
    __asm__ volatile("dsb; isb");
    finish(0);
}
"""


@pytest.mark.parametrize("board", BOARDS)
def test_vector_table_in_ram(board: str, tmp_path: Path) -> None:
    assert run(board, MOVED_VECTORS, tmp_path)[1] == [42]


THREADS = """
static uint32_t stack[64];
void pend_sv(void) {
    uint32_t sp, psp;
    __asm__ volatile("mrs %0, psp; mov %1, sp" : "=r"(psp), "=r"(sp));
    note(sp != psp);
}
void reset(void) {
    __asm__ volatile("msr psp, %0; movs r0, #2; msr control, r0; isb" : : "r"(stack + 32) : "r0");
    REG(0xE000ED04) = 1 << 28;
    __asm__ volatile("dsb; nop; nop; nop");
    uint32_t sp, control;
    __asm__ volatile("mov %0, sp; mrs %1, control" : "=r"(sp), "=r"(control));
    note(sp > (uint32_t)stack && sp <= (uint32_t)(stack + 64));
    note(control & 2);
    finish(0);
}
"""


@pytest.mark.parametrize("board", BOARDS)
def test_process_stack(board: str, tmp_path: Path) -> None:
    assert run(board, THREADS, tmp_path)[1] == [1, 1, 2]


FP_CONTEXT = """
volatile float x = 1.5f;
void irq0(void) { x = x * 2.0f + 1.0f; }
void reset(void) {
    REG(0xE000ED88) = 0xF << 20;
    __asm__ volatile("dsb; isb; vmov.f32 s3, #2.0" ::: "s3");
    REG(0xE000E100) = 1;
    REG(0xE000E200) = 1;
    float kept;
    __asm__ volatile("isb; vmov %0, s3" : "=t"(kept));
    note((uint32_t)(kept * 10.0f));
    note((uint32_t)(x * 10.0f));
    finish(0);
}
"""


@pytest.mark.parametrize("board", list(FLOAT))
def test_handlers_keep_the_floating_point_context(board: str, tmp_path: Path) -> None:
    assert run(board, FP_CONTEXT, tmp_path, *FLOAT[board])[1] == [20, 40]


CLOBBER = """
void irq0(void) {
    uint32_t control;
    __asm__ volatile("mrs %0, control" : "=r"(control));
    note(control & 4);
    __asm__ volatile("vmov.f32 s3, #9.0; mrs %0, control" : "=r"(control) : : "s3");
    note(control & 4);
}
""" + FP_CONTEXT.split("\n", 3)[3]


@pytest.mark.parametrize("board", list(FLOAT))
def test_a_handler_that_uses_the_fpu_pays_for_the_context(board: str, tmp_path: Path) -> None:
    sim, log = run(board, "volatile float x = 1.5f;" + CLOBBER, tmp_path, *FLOAT[board])
    assert log == [0, 4, 20, 15]
    plain = FP_CONTEXT.replace("x = x * 2.0f + 1.0f", "")
    other = tmp_path / "other"
    other.mkdir()
    lazy, _ = run(board, plain, other, *FLOAT[board])
    assert sim.cycles - lazy.cycles > 2 * 17


INFERENCE_IN_HANDLER = """
volatile uint32_t ticks;
void sys_tick(void) { ticks++; }
void irq0(void) { for (volatile int i = 0; i < 5000; i++) {} note(ticks); }
void reset(void) {
    REG(0xE000E400) = 0;
    REG(0xE000ED20) = 0xC0000000; /* SysTick is less urgent */
    REG(0xE000E014) = 999;
    REG(0xE000E010) = 7;
    REG(0xE000E100) = 1;
    REG(0xE000E200) = 1;
    __asm__ volatile("dsb; nop; nop; nop");
    for (volatile int i = 0; i < 10; i++) {}
    note(ticks);
    finish(0);
}
"""


@pytest.mark.parametrize("board", BOARDS)
def test_systick_waits_behind_a_long_handler(board: str, tmp_path: Path) -> None:
    assert run(board, INFERENCE_IN_HANDLER, tmp_path)[1] == [0, 1]


def test_interrupt_from_outside(tmp_path: Path) -> None:
    code = "volatile uint32_t done; void irq1(void) { done = 1; } void reset(void) { while (!done) {} finish(3); }"
    sim = Simulator("nucleo-l4r5zi", build("nucleo-l4r5zi", code, tmp_path))
    sim.interrupt(17)
    sim.run(max_instructions=100_000)
    assert sim.exit_status == 3


def test_entry_and_return_take_their_cycles(tmp_path: Path) -> None:
    code = 'void irq0(void) { __asm__ volatile("nop"); } void reset(void) { __asm__ volatile("nop; nop"); finish(0); }'
    sim = Simulator("mps2-an386", build("mps2-an386", code, tmp_path))
    start = sim.cycles
    sim.interrupt(16)
    sim.run(until=sim.symbol("irq0"))
    assert sim.cycles - start == 12
    sim.run(until=sim.symbol("reset"))
    assert sim.cycles - start == 12 + 2 + 10


def test_a_waiting_interrupt_is_tail_chained(tmp_path: Path) -> None:
    handlers = "".join(f'void irq{i}(void) {{ __asm__ volatile("nop"); }} ' for i in range(2))
    code = handlers + 'void reset(void) { __asm__ volatile("nop; nop"); finish(0); }'
    sim = Simulator("mps2-an386", build("mps2-an386", code, tmp_path))
    start = sim.cycles
    sim.interrupt(16)
    sim.interrupt(17)
    sim.run(until=sim.symbol("irq1"))
    assert sim.cycles - start == 12 + 2 + 6
    sim.run(until=sim.symbol("reset"))
    assert sim.cycles - start == 12 + 2 + 6 + 2 + 10
