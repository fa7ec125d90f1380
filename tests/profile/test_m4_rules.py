"""Every documented rule of Cortex-M3 and M4 as a snippet with its cycles: Arm 100166, DDI 0337I."""

import pytest
from snippets import cost, needs_toolchain

pytestmark = needs_toolchain

POINTERS = "ldr r1, =words\nldr r2, =words\nldr r3, =words\nmovs r5, #4\nmovs r6, #8\nldr r4, =words+64\n"

TABLE = [
    ("mov r0, r1", 1),
    ("movw r0, #1234", 1),
    ("add.w r0, r1, r2", 1),
    ("adds r0, r0, #1", 1),
    ("add.w r0, r1, r2, lsl #3", 1),
    ("lsls r0, r0, #3", 1),
    ("clz r0, r1", 1),
    ("rbit r0, r1", 1),
    ("ubfx r0, r1, #3, #4", 1),
    ("uxtb r0, r0", 1),
    ("ssat r0, #8, r1", 1),
    ("mul r0, r5, r6", 1),
    ("mla r0, r5, r6, r0", 1),
    ("mls r0, r5, r6, r0", 1),
    ("smull r0, r7, r5, r6", 1),
    ("umlal r0, r7, r5, r6", 1),
    ("smlad r0, r5, r6, r0", 1),
    ("smlabb r0, r5, r6, r0", 1),
    ("smmul r0, r5, r6", 1),
    ("umaal r0, r7, r5, r6", 1),
    ("qadd r0, r5, r6", 1),
    ("uadd8 r0, r5, r6", 1),
    ("pkhbt r0, r5, r6, lsl #16", 1),
    ("sxtb16 r0, r5", 1),
    ("nop", 1),
    ("ldr r0, [r1]", 2),
    ("ldrb r0, [r1, r5]", 2),
    ("ldrsh.w r0, [r1, #2]", 2),
    ("ldrd r0, r7, [r1]", 3),
    ("ldm r1, {r0, r5, r6, r7}", 5),
    ("stm r1, {r0, r5, r6, r7}", 5),
    ("push {r0, r1, r2, r3, r4}", 6),
    ("strd r0, r5, [r1]", 3),
    ("str r0, [r1, #4]", 1),
    ("str r0, [r1, r5]", 2),
    ("ldrex r0, [r1]", 2),
    ("mrs r0, primask", 2),
]

PAIRS = [
    ("two loads overlap", "ldr r0, [r1]; ldr r6, [r2]", 3),
    ("a load from the loaded address does not", "ldr r0, [r1]; ldr r6, [r0]", 4),
    ("three loads, the first by index", "ldr r0, [r1, r5]; ldr r6, [r2]; ldr r7, [r3, #4]", 4),
    ("a store behind a load hides its wait", "ldr r0, [r1, r5]; str r0, [r3, #20]", 2),
    ("an indexed store behind a load", "ldr r0, [r1, r5]; str r6, [r3, r5]", 3),
    ("eight loads", "; ".join(f"ldr r0, [r1, #{4 * i}]" for i in range(8)), 9),
    ("an address computed just before", "adds r1, r1, #4; ldr r0, [r1]", 4),
    ("an index computed just before", "adds r5, r5, #4; ldr r0, [r1, r5]", 4),
    ("an address computed two before", "adds r1, r1, #4; movs r0, #0; ldr r0, [r1]", 4),
    ("a store runs beside the next instruction", "str r0, [r1, #4]; adds r6, r6, #1", 2),
    ("a load behind a store", "str r0, [r1]; ldr r6, [r2]", 4),
    ("two stores", "str r0, [r1]; str r6, [r2]", 2),
    ("a load absorbs a nop", "ldr r0, [r1]; nop", 2),
    ("a load does not absorb a compare", "ldr r0, [r1]; cmp r5, r6", 3),
    ("an indexed store absorbs a nop", "str r0, [r1, r5]; nop", 2),
    ("an indexed store does not absorb a mov", "str r0, [r1, r5]; mov r6, r5", 3),
    ("post-indexed loads from two bases", "ldr r0, [r1], #4; ldr r6, [r2], #4", 3),
    ("post-indexed loads from one base", "ldr r0, [r1], #4; ldr r6, [r1], #4", 4),
    ("post-indexed stores to one base", "str r0, [r1], #4; str r6, [r1], #4", 3),
    ("a straddling load does not overlap", "ldr r0, [r1]; ldr.w r6, [r2, #4]; nop", 4),
    ("ldrd does not overlap", "ldr r0, [r1]; ldrd r6, r7, [r2]", 5),
    ("stm behind a store", "str r0, [r1]; stm r2, {r5, r6}", 4),
    ("ldm behind a store", "str r0, [r1]; ldm r2, {r5, r6}", 5),
]

BRANCHES = [
    ("taken", "b 1f; nop; .balign 4; 1: nop", 3),
    ("not taken", "cmp r5, #4; bne 1f; nop; 1: nop", 4),
    ("to a straddling 32-bit instruction", "b 1f; .balign 4; nop; 1: mov.w r0, #0", 4),
    ("to an aligned 32-bit instruction", "b 1f; .balign 4; 1: mov.w r0, #0", 3),
    ("call and return", "bl 1f; b 2f; .balign 4; 1: bx lr; .balign 4; 2: nop", 2 + 3 + 2 + 1),
    ("a loop of two", "movs r0, #100; nop; 1: subs r0, r0, #1; bne 1b", 2 + 100 * 3 - 1),
    ("compare and branch", "cbz r5, 1f; cbnz r5, 1f; nop; nop; 1: nop", 1 + 2 + 1),
    ("load of pc", "ldr r0, =1f+1; str r0, [r1]; nop; ldr pc, [r1]; .balign 4; 1: nop", 2 + 2 + 5 + 1),
]

IT_BLOCKS = [
    ("it folds behind a 16-bit instruction", "cmp r5, #4; it eq; moveq r0, r5", 2),
    ("it behind a 32-bit instruction", "cmp.w r5, #4; it eq; moveq r0, r5", 3),
    ("a failed instruction takes its cycle", "cmp r5, #5; it eq; moveq r0, r5", 2),
]

STRADDLING = [
    ("two", "nop; add.w r0, r0, #1; add.w r0, r0, #1; nop", 4),
    ("three", "nop; " + "add.w r0, r0, #1; " * 3 + "nop", 6),
    ("six", "nop; " + "add.w r0, r0, #1; " * 6 + "nop", 9),
    ("aligned", "add.w r0, r0, #1; " * 6, 6),
]

DIVISIONS = [(0, 7, 2), (7, 0, 2), (3, 8, 3), (0xFFFF_FFFF, 1, 12), (8, 8, 5), (128, 8, 6)]

FP = [
    ("vadd.f32 s0, s1, s2", 1),
    ("vmul.f32 s0, s1, s2", 1),
    ("vmla.f32 s0, s1, s2", 3),
    ("vfma.f32 s0, s1, s2", 3),
    ("vdiv.f32 s0, s1, s2; vmov.f32 s3, s4", 15),
    ("vsqrt.f32 s0, s1; vmov.f32 s3, s4", 15),
    ("vdiv.f32 s0, s1, s2; " + "adds r0, r0, #1; " * 5 + "vadd.f32 s3, s4, s5", 15),
    ("vldr.32 s0, [r1]", 2),
    ("vldr.64 d0, [r1]", 3),
    ("vstr.64 d0, [r1]", 3),
    ("vldm r1, {s0-s3}", 5),
    ("vpush {s16-s19}", 5),
    ("vmov s0, r0", 1),
    ("vmov r0, r7, s0, s1", 2),
    ("vcvt.s32.f32 s0, s1", 1),
    ("vmrs apsr_nzcv, fpscr", 1),
    ("vadd.f32 s0, s1, s2; vadd.f32 s3, s0, s4", 3),
    ("vadd.f32 s0, s1, s2; vadd.f32 s3, s5, s4", 2),
]


def aligned(code: str) -> str:
    """Behind the 16-bit guard, so that the first instruction starts a word."""
    return f"nop; {code}"


@pytest.mark.parametrize(("code", "expected"), TABLE)
def test_instruction(code: str, expected: int) -> None:
    assert cost("cortex-m4", aligned(code), POINTERS) == 1 + expected


@pytest.mark.parametrize(("name", "code", "expected"), PAIRS)
def test_neighbouring_accesses(name: str, code: str, expected: int) -> None:
    assert cost("cortex-m4", aligned(code), POINTERS) == 1 + expected


@pytest.mark.parametrize(("name", "code", "expected"), BRANCHES)
def test_branch(name: str, code: str, expected: int) -> None:
    assert cost("cortex-m4", aligned(code), POINTERS) == 1 + expected


@pytest.mark.parametrize(("name", "code", "expected"), IT_BLOCKS)
def test_it_block(name: str, code: str, expected: int) -> None:
    assert cost("cortex-m4", aligned(code), POINTERS) == 1 + expected


@pytest.mark.parametrize(("name", "code", "expected"), STRADDLING)
def test_straddling_instructions(name: str, code: str, expected: int) -> None:
    lead = "movs r0, #0; movs r0, #0; movs r0, #0; movs r0, #0; " * 4
    assert cost("cortex-m4", aligned(lead + code), POINTERS) == 17 + expected


@pytest.mark.parametrize(("dividend", "divisor", "expected"), DIVISIONS)
@pytest.mark.parametrize("core", ["cortex-m3", "cortex-m4"])
def test_division(core: str, dividend: int, divisor: int, expected: int) -> None:
    setup = f"ldr r0, ={dividend}\nldr r1, ={divisor}\n"
    assert cost(core, aligned("udiv r2, r0, r1"), setup) == 1 + expected


@pytest.mark.parametrize(("code", "expected"), FP)
def test_floating_point(code: str, expected: int) -> None:
    assert cost("cortex-m4", aligned(code), POINTERS) == 1 + expected


M3 = [
    ("mla r0, r5, r6, r0", 2),
    ("mls r0, r5, r6, r0", 2),
    ("ldr r0, [r1], #4; ldr r6, [r2], #4", 4),
    ("ldr r0, [r1], #4; ldr r6, [r2]", 3),
    ("ldr r0, [r1]; ldr r6, [r2]", 3),
    ("str r0, [r1], #4", 1),
    ("ldr r0, [r1]; str r6, [r2], #4", 3),
]


@pytest.mark.parametrize(("code", "expected"), M3)
def test_cortex_m3(code: str, expected: int) -> None:
    assert cost("cortex-m3", aligned(code), POINTERS) == 1 + expected
