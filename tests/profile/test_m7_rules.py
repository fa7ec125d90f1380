"""Measured rules of the Cortex-M7 as snippets with their cycles (jnk0le/random, cortex_m7.md)."""

import pytest
from snippets import cost, cycles, needs_toolchain

pytestmark = needs_toolchain

SETUP = "ldr r1, =words\nldr r2, =words\nldr r3, =words\nmovs r5, #4\nmovs r6, #8\nldr r4, =words+64\n"

RULES = [
    ("two independent additions", "add.w r0, r1, r2; add.w r8, r3, r5", 1),
    ("two dependent logical operations", "and.w r0, r1, r2; and.w r8, r0, r5", 2),
    ("an early addition feeds the late one", "add.w r0, r1, r2; and.w r8, r0, r5", 1),
    ("movw and movt", "movw r0, #1; movt r0, #2", 1),
    ("two smlad", "smlad r0, r5, r6, r0; smlad r8, r5, r6, r8", 2),
    ("a chain of accumulates", "smlad r0, r5, r6, r0; " * 4, 4),
    ("a product, then its use", "mul r0, r5, r6; nop; and.w r8, r0, r5; nop", 3),
    ("two extensions", "uxtb.w r0, r5; uxtb.w r8, r6", 2),
    ("an extension and an addition", "uxtb.w r0, r5; add.w r8, r6, r5", 1),
    ("an addition and an extension", "add.w r8, r6, r5; uxtb.w r0, r5; nop", 2),
    ("two inline shifts", "eor.w r0, r5, r6, lsl #3; eor.w r8, r5, r6, lsl #3", 2),
    ("an inline shift and a constant", "eor.w r0, r5, r6, lsl #3; eor.w r8, r5, #3", 1),
    ("a shifted constant behind a shift", "lsl.w r0, r5, #3; eor.w r8, r5, #0x1fc0; nop", 2),
    ("a pattern constant behind a shift", "lsl.w r0, r5, #3; eor.w r8, r5, #0x1b1b1b1b", 1),
    ("two loads of different banks", "ldr.w r0, [r1]; ldr.w r8, [r2, #4]", 1),
    ("two loads of one bank", "ldr.w r0, [r1]; ldr.w r8, [r2, #8]", 2),
    ("a load, then the late ALU", "ldr.w r0, [r1]; nop; and.w r8, r0, r5; nop", 2),
    ("a load, then an address", "ldr.w r0, [r4]; nop; ldr.w r8, [r0]; nop", 3),
    ("a byte load, then the late ALU", "ldrb.w r0, [r1]; nop; and.w r8, r0, r5; nop", 3),
    ("a load into an accumulator", "ldr.w r0, [r1]; nop; mla r8, r5, r6, r0; nop", 2),
    ("a load into a multiplicand", "ldr.w r0, [r1]; nop; mul r8, r0, r6; nop", 3),
    ("two stores", "str.w r0, [r1]; str.w r0, [r2, #4]", 2),
    ("a store and a load", "str.w r0, [r1]; ldr.w r8, [r2, #4]", 1),
    ("a store of what is loaded beside it", "ldr.w r0, [r1]; str.w r0, [r2, #4]", 1),
    ("a product beside a store", "mul r0, r5, r6; str.w r8, [r1]", 2),
    ("ldm of five", "ldm.w r1, {r0, r5, r6, r7, r8}", 3),
    ("ldrd", "ldrd r0, r8, [r1]", 1),
    ("post-indexed loads", "ldr.w r0, [r1], #8; ldr.w r8, [r3, #4]", 1),
    ("an unaligned load", "ldr.w r0, [r1, #2]; nop", 4),
    ("a load from an odd address", "ldr.w r0, [r1, #1]; nop", 4),
    ("ten bytes into one bank", "strb.w r0, [r1]; " * 10, 4 * 5 + 1),
    ("ten bytes into alternate banks", "strb.w r0, [r1]; strb.w r0, [r1, #4]; " * 5, 4 * 3 + 1),
    ("five unaligned stores", "str.w r0, [r1, #2]; " * 5, 5),
    ("ten unaligned stores", "str.w r0, [r1, #2]; " * 10, 4 * 5 + 1),
    ("two fp additions", "vadd.f32 s0, s1, s2; vadd.f32 s3, s4, s5", 2),
    ("an fp addition, then its use", "vadd.f32 s0, s1, s2; nop; vadd.f32 s3, s0, s5; nop", 4),
    ("fp beside integer", "vadd.f32 s0, s1, s2; add.w r0, r1, r2", 1),
    ("vfma on one accumulator", "vfma.f32 s0, s1, s2; nop; vfma.f32 s0, s3, s4; nop", 4),
    ("vdiv, then the FPU", "vdiv.f32 s0, s1, s2; nop; vadd.f32 s3, s4, s5; nop", 17),
]


@pytest.mark.parametrize(("name", "code", "expected"), RULES)
def test_rule(name: str, code: str, expected: int) -> None:
    guard = "dmb"  # issues alone, so that nothing of the sequence pairs with it
    assert cost("cortex-m7", code.replace("nop", "nop.w"), SETUP, guard) == expected


@pytest.mark.parametrize("use_native", [True, False])
def test_mispredictions_cost_less_with_settled_flags(use_native: bool) -> None:
    """A loop is mispredicted twice at its start."""
    setup = "movs r0, #20"
    late, early = (
        "add.w r1, r1, #1; " * 6 + "subs.w r0, r0, #1; nop.w",
        "subs.w r0, r0, #1; nop.w; " + "add.w r1, r1, #1; " * 6,
    )
    spent = [
        cycles("cortex-m7", f"1: {body}; bne.w 1b".replace(";", "\n"), setup, use_native=use_native)
        for body in (late, early)
    ]
    assert spent[0] - spent[1] == 2 * (8 - 6)
