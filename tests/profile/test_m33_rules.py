"""Measured rules of the Cortex-M33 as snippets with their cycles (jnk0le/random, cortex_m33.md)."""

import pytest
from snippets import cost, needs_toolchain

pytestmark = needs_toolchain

SETUP = "ldr r1, =words\nldr r2, =words\nldr r3, =words\nmovs r5, #4\nmovs r6, #8\nldr r4, =words+64\n"

RULES = [
    ("a basic instruction", "add.w r0, r1, r2", 1),
    ("a chain of basic instructions", "add.w r0, r0, r2; add.w r0, r0, r2; add.w r0, r0, r2", 3),
    ("a shifted operand", "add.w r0, r1, r2, lsl #3", 1),
    ("its result in the next instruction", "add.w r0, r1, r2, lsl #3; add.w r0, r0, r2", 3),
    ("its result two later", "add.w r0, r1, r2, lsl #3; mov.w r6, r5; add.w r0, r0, r2", 3),
    ("a shifted constant", "eor r0, r1, #0x1fc0; add.w r0, r0, r2", 3),
    ("a pattern constant", "eor r0, r1, #0x1b1b1b1b; add.w r0, r0, r2", 2),
    ("flags of a shifted constant", "adds.w r0, r1, #0x1fc0", 2),
    ("flags of a shifted register", "adds.w r0, r1, r2, ror #3", 1),
    ("muls", "muls r0, r5, r0", 2),
    ("mul", "mul r0, r5, r6", 1),
    ("the result of mul", "mul r0, r5, r6; add.w r0, r0, r2", 3),
    ("four accumulates on one register", "smlabb r0, r5, r6, r0; " * 4, 4),
    ("an accumulate, then its use", "smlabb r0, r5, r6, r0; " * 4 + "add.w r0, r0, r2", 6),
    ("extend and add chains", "uxtab r0, r0, r5; uxtab r0, r0, r6", 2),
    ("accumulate from a shifted operand", "add.w r0, r1, r2, lsl #3; mla r0, r5, r6, r0", 2),
    ("multiply by a product", "mul r0, r5, r6; mla r7, r0, r6, r5", 3),
    ("dsp", "uadd8 r0, r5, r6; add.w r0, r0, r2", 3),
    ("dsp results do not chain", "qadd r0, r5, r6; mla r0, r5, r6, r0", 3),
    ("bfi", "bfi r0, r5, #2, #3; add.w r0, r0, r2", 2),
    ("a load", "ldr r0, [r1]", 1),
    ("a load, then its use", "ldr r0, [r1]; add.w r0, r0, r2", 3),
    ("a load into an accumulator", "ldr r0, [r1]; mla r0, r5, r6, r0", 2),
    ("a load into extend and add", "ldr r0, [r1]; uxtab r0, r0, r5", 3),
    ("a load, then its store", "ldr r0, [r1]; str r0, [r2]", 2),
    ("a product, then its store", "mul r0, r5, r6; str r0, [r2]", 2),
    ("ldrd", "ldrd r0, r7, [r1]", 2),
    ("strd", "strd r0, r7, [r1]", 2),
    ("ldm of four", "ldm.w r1, {r0, r5, r6, r7}", 4),
    ("stm of four", "stm.w r1, {r0, r5, r6, r7}", 4),
    ("push of five", "push {r0, r1, r2, r3, r4}", 5),
    ("nop pairs behind an instruction", "movs r0, #1; nop", 1),
    ("nop pairs behind a load", "ldr r0, [r1]; nop", 1),
    ("an instruction does not pair behind nop", "mov.w r0, r5; nop; movs r0, #1", 3),
    ("two 16-bit instructions do not pair", "movs r0, #1; movs r7, #2", 2),
    ("nop does not pair behind 32 bits", "mov.w r0, r5; nop", 2),
    ("it pairs", "cmp r5, #4; it eq; moveq r0, r5", 2),
    ("a branch not taken is free", "cmp r5, #4; bne 1f; mov.w r0, r5; 1: mov.w r0, r5", 3),
    ("a taken branch behind its flags", "cmp r5, #4; beq 1f; mov.w r0, r5; 1: mov.w r0, r5", 1 + 2 + 1),
    ("a taken branch with room", "cmp r5, #4; mov r0, r6; beq 1f; mov.w r0, r5; 1: mov r0, r5", 1 + 1 + 1 + 1),
    (
        "a taken branch behind ldm",
        "cmp r5, #4; ldm r1!, {r0, r2, r6, r7}; beq 1f; nop; 1: mov r0, r5",
        1 + 4 + 1 + 1,
    ),
    ("vfma on one accumulator", "vfma.f32 s0, s1, s2; vfma.f32 s0, s3, s4", 4),
    ("vfma lets integers through", "vfma.f32 s0, s1, s2; mov.w r0, r5; mov.w r0, r5; vfma.f32 s5, s3, s4", 4),
    ("vadd in a row", "vadd.f32 s0, s1, s2; vadd.f32 s3, s4, s5", 2),
    ("vldr, then its use", "vldr s0, [r1]; vadd.f32 s3, s0, s5", 2),
    ("two fp registers to core", "vmov r0, r7, s0, s1", 2),
    ("a core register to fp", "vmov s0, r5; vadd.f32 s1, s0, s2", 2),
]

LOOPS = [
    ("subs and bne", "movs r0, #100; nop; 1: subs r0, #1; bne 1b", 3),
    ("subs, add and bne", "movs r0, #100; nop; 1: subs r0, #1; add r6, r5; bne 1b", 3),
]


@pytest.mark.parametrize(("name", "code", "expected"), RULES)
def test_rule(name: str, code: str, expected: int) -> None:
    assert cost("cortex-m33", code, SETUP, guard="mov.w r4, r4") == expected


@pytest.mark.parametrize(("name", "code", "expected"), LOOPS)
def test_loop(name: str, code: str, expected: int) -> None:
    longer = code.replace("#100", "#200")
    guard = "mov.w r4, r4"
    assert cost("cortex-m33", longer, SETUP, guard) - cost("cortex-m33", code, SETUP, guard) == 100 * expected
