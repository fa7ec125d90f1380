"""Cortex-M0+ as Arm DDI 0484C table 3-1 has it, and M0-class flash."""

from dataclasses import replace

import pytest
from snippets import cost, needs_toolchain

from edgetx.targets import load_target

pytestmark = needs_toolchain

SETUP = "ldr r1, =words\nldr r2, =words\nmovs r5, #4\nmovs r6, #8\n"

TABLE = [
    ("movs r0, #1", 1),
    ("adds r0, r0, r5", 1),
    ("lsls r0, r0, #2", 1),
    ("cmp r0, r5", 1),
    ("uxtb r0, r5", 1),
    ("rev r0, r5", 1),
    ("muls r0, r5, r0", 1),
    ("nop", 1),
    ("ldr r0, [r1]", 2),
    ("ldrb r0, [r1, r5]", 2),
    ("ldr r0, [r1, #60]", 2),
    ("ldr r0, =0x12345678", 2),
    ("str r0, [r1]", 2),
    ("strh r0, [r1, #2]", 2),
    ("ldr r0, [r1]; adds r0, r0, #1", 3),
    ("ldr r0, [r1]; ldr r0, [r2]", 4),
    ("ldm r1!, {r0, r3, r5}", 4),
    ("stm r1!, {r0, r3, r5}", 4),
    ("push {r0, r1, r2, lr}", 5),
    ("push {r0, r3}; pop {r0, r3}", 3 + 3),
    ("cmp r5, r6; beq 1f; 1: nop", 1 + 1 + 1),
    ("cmp r5, r5; beq 1f; nop; 1: nop", 1 + 2 + 1),
    ("b 1f; nop; 1: nop", 2 + 1),
    ("bl 1f; b 2f; .balign 4; 1: bx lr; .balign 4; 2: nop", 3 + 2 + 2 + 1),
    ("bl 1f; b 2f; .balign 4; 1: push {r4, lr}; pop {r4, pc}; .balign 4; 2: nop", 3 + 3 + 5 + 2 + 1),
    ("adr r0, 1f; adds r0, #1; mov pc, r0; .balign 4; 1: nop", 1 + 1 + 2 + 1),
    ("mrs r0, primask", 3),
    ("dsb", 3),
]


@pytest.mark.parametrize(("code", "expected"), TABLE)
def test_instruction(code: str, expected: int) -> None:
    assert cost("cortex-m0plus", code, SETUP) == expected


def test_wait_states_by_clock() -> None:
    board = load_target("nucleo-g0b1re")
    assert board.flash
    waits = [board.flash.wait_cycles(mhz * 1_000_000) for mhz in (16, 24, 48, 64)]
    assert waits == [0, 0, 1, 2]
    assert replace(board, clock_hz=16_000_000).clock_hz == 16_000_000
