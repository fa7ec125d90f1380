"""The emulation against a second emulator: random instruction streams leave the same registers and memory."""

import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from firmware import build, needs_toolchain

from edgetx.cli import main
from edgetx.profile import Simulator

needs_qemu = pytest.mark.skipif(not shutil.which("qemu-system-arm"), reason="needs qemu-system-arm")
pytestmark = [needs_toolchain, needs_qemu]

BOARDS = {"mps2-an385": "m3", "mps2-an386": "m4", "mps2-an500": "m7", "mps2-an505": "m33"}
LENGTH = 400
MODEL = "kws-transformer-micro"

BASIC = """
add{s} {d}, {a}, {b} / adc{s} {d}, {a}, {b} / sub{s} {d}, {a}, {b} / sbc{s} {d}, {a}, {b} / rsb{s} {d}, {a}, {b}
and{s} {d}, {a}, {b}, lsl #{n} / orr{s} {d}, {a}, {b}, lsr #{n} / eor{s} {d}, {a}, {b}, asr #{n}
bic{s} {d}, {a}, {b} / orn{s} {d}, {a}, {b}, ror #{n} / mvn{s} {d}, {a} / mov{s} {d}, {a}, lsl #{n}
lsl{s} {d}, {a}, {b} / lsr{s} {d}, {a}, {b} / asr{s} {d}, {a}, {b} / ror{s} {d}, {a}, {b} / rrx{s} {d}, {a}
cmp {a}, {b} / cmn {a}, {b} / tst {a}, {b} / teq {a}, {b} / movw {d}, #{i16} / movt {d}, #{i16}
addw {d}, {a}, #{i12} / subw {d}, {a}, #{i12} / mul {d}, {a}, {b} / mla {d}, {a}, {b}, {c}
mls {d}, {a}, {b}, {c} / umull {d}, {e}, {a}, {b} / smull {d}, {e}, {a}, {b} / umlal {d}, {e}, {a}, {b}
smlal {d}, {e}, {a}, {b} / udiv {d}, {a}, {b} / sdiv {d}, {a}, {b} / clz {d}, {a} / rbit {d}, {a} / rev {d}, {a}
rev16 {d}, {a} / revsh {d}, {a} / ubfx {d}, {a}, #{n5}, #{w5} / sbfx {d}, {a}, #{n5}, #{w5}
bfi {d}, {a}, #{n5}, #{w5} / bfc {d}, #{n5}, #{w5} / ssat {d}, #{n}, {a} / usat {d}, #{n5}, {a}
sxtb {d}, {a}, ror #8 / uxth {d}, {a}, ror #16 / ldr {d}, [r8, #{m4}] / str {a}, [r8, #{m4}]
ldrb {d}, [r8, #{m}] / strb {a}, [r8, #{m}] / ldrsh {d}, [r8, #{m2}] / strh {a}, [r8, #{m2}]
ldrsb {d}, [r8, #{m}] / ldrd {d}, {e}, [r8, #{m4}] / strd {a}, {b}, [r8, #{m4}] / ldr {d}, [r8, #{m1}]
push {{{a}}} ; pop {{{d}}} / itete cs ; addcs {d}, {a}, {b} ;
""".replace("addcs {d}, {a}, {b} ;", "addcs {d}, {a}, {b} ; subcc {d}, {a}, {c} ; movcs {e}, {b} ; mvncc {e}, {a}")

V6M = """
adds {d}, {a}, {b} / subs {d}, {a}, {b} / adcs {d}, {a} / sbcs {d}, {a} / rsbs {d}, {a}, #0 / adds {d}, #{i8}
subs {d}, #{i8} / ands {d}, {a} / orrs {d}, {a} / eors {d}, {a} / bics {d}, {a} / mvns {d}, {a} / muls {d}, {a}
lsls {d}, {a}, #{n} / lsrs {d}, {a}, #{n} / asrs {d}, {a}, #{n} / lsls {d}, {a} / lsrs {d}, {a} / asrs {d}, {a}
rors {d}, {a} / cmp {a}, {b} / cmn {a}, {b} / tst {a}, {b} / movs {d}, #{i8} / mov {d}, {a} / add {d}, {a}
uxtb {d}, {a} / sxtb {d}, {a} / uxth {d}, {a} / sxth {d}, {a} / rev {d}, {a} / rev16 {d}, {a} / revsh {d}, {a}
mov {d}, r8 ; ldr {e}, [{d}, #{q4}] / mov {d}, r8 ; str {a}, [{d}, #{q4}] / mov {d}, r8 ; ldrb {e}, [{d}, #{q1}]
mov {d}, r8 ; strb {a}, [{d}, #{q1}] / mov {d}, r8 ; ldrh {e}, [{d}, #{q2}] / mov {d}, r8 ; strh {a}, [{d}, #{q2}]
mov {d}, r8 ; movs {e}, #{q2} ; ldrsh {e}, [{d}, {e}] / mov {d}, r8 ; ldm {d}!, {{{d}, {e}}}
push {{{a}}} ; pop {{{d}}}
""".replace("ldm {d}!, {{{d}, {e}}}", "ldr {e}, [{d}]")

DSP = """
qadd {d}, {a}, {b} / qsub {d}, {a}, {b} / qdadd {d}, {a}, {b} / sadd8 {d}, {a}, {b}
uadd16 {d}, {a}, {b} ; sel {d}, {b}, {c} / ssub16 {d}, {a}, {b} / usub8 {d}, {a}, {b} / shadd8 {d}, {a}, {b}
uqadd8 {d}, {a}, {b} / qasx {d}, {a}, {b} / usad8 {d}, {a}, {b} / usada8 {d}, {a}, {b}, {c}
smlad {d}, {a}, {b}, {c} / smladx {d}, {a}, {b}, {c} / smuad {d}, {a}, {b} / smlsd {d}, {a}, {b}, {c}
smlabt {d}, {a}, {b}, {c} / smulwb {d}, {a}, {b} / smlawt {d}, {a}, {b}, {c} / smmul {d}, {a}, {b}
smmlar {d}, {a}, {b}, {c} / smlald {d}, {e}, {a}, {b} / umaal {d}, {e}, {a}, {b} / pkhbt {d}, {a}, {b}, lsl #{n}
pkhtb {d}, {a}, {b}, asr #{n} / sxtab16 {d}, {a}, {b} / uxtab {d}, {a}, {b}, ror #8 / ssat16 {d}, #{n4}, {a}
uxtb16 {d}, {a}
"""

FP = """
vmov s{f}, {a} / vmov {d}, s{f} / vadd.f32 s{f}, s{g}, s{h} / vsub.f32 s{f}, s{g}, s{h}
vmul.f32 s{f}, s{g}, s{h} / vmla.f32 s{f}, s{g}, s{h} / vfma.f32 s{f}, s{g}, s{h} / vdiv.f32 s{f}, s{g}, s{h}
vsqrt.f32 s{f}, s{g} / vabs.f32 s{f}, s{g} / vneg.f32 s{f}, s{g} / vcvt.s32.f32 s{f}, s{g}
vcvt.f32.s32 s{f}, s{g} / vcmp.f32 s{f}, s{g} ; vmrs apsr_nzcv, fpscr / vldr s{f}, [r8, #{m4}]
vstr s{f}, [r8, #{m4}]
"""

FPV5 = """
vmaxnm.f32 s{f}, s{g}, s{h} / vminnm.f32 s{f}, s{g}, s{h} / vrintz.f32 s{f}, s{g} / vcvta.s32.f32 s{f}, s{g}
vseleq.f32 s{f}, s{g}, s{h} / vselge.f32 s{f}, s{g}, s{h}
"""

DOUBLE = """
vadd.f64 d{j}, d{k}, d{l} / vsub.f64 d{j}, d{k}, d{l} / vmul.f64 d{j}, d{k}, d{l} / vfma.f64 d{j}, d{k}, d{l}
vdiv.f64 d{j}, d{k}, d{l} / vsqrt.f64 d{j}, d{k} / vcvt.f64.f32 d{j}, s{g} / vcvt.f32.f64 s{f}, d{k}
vcvt.s32.f64 s{f}, d{k} / vcvt.f64.s32 d{j}, s{g} / vmov d{j}, {a}, {b} / vldr d{j}, [r8, #{m4}] / vneg.f64 d{j}, d{k}
vcmp.f64 d{j}, d{k} ; vmrs apsr_nzcv, fpscr / vmaxnm.f64 d{j}, d{k}, d{l} / vstr d{j}, [r8, #{m4}]
"""
SETS = {
    "m0": V6M,
    "m3": BASIC,
    "m4": BASIC + DSP + FP,
    "m7": BASIC + DSP + FP + FPV5 + DOUBLE,
    "m33": BASIC + DSP + FP + FPV5,
}
FLAGS = {
    "m4": ["-mfpu=fpv4-sp-d16", "-mfloat-abi=softfp"],
    "m7": ["-mfpu=fpv5-d16", "-mfloat-abi=softfp"],
    "m33": ["-mfpu=fpv5-sp-d16", "-mfloat-abi=softfp"],
}

PROGRAM = """
uint32_t memory[64], registers[40];
void stream(uint32_t *memory, uint32_t *registers);
static void print(uint32_t value) {{
    static char text[10];
    for (int i = 0; i < 8; i++) text[i] = "0123456789abcdef"[value >> (28 - 4 * i) & 15];
    text[8] = '\\n';
    register uint32_t r0 __asm__("r0") = 4;
    register char *r1 __asm__("r1") = text;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}}
void reset(void) {{
    REG(0xE000ED88) |= 0xF << 20;
    __asm__ volatile("dsb; isb");
    for (int i = 0; i < 64; i++) memory[i] = 0x9E3779B9u * (i + {seed});
    stream(memory, registers);
    for (int i = 0; i < 64; i++) print(memory[i]);
    for (int i = 0; i < 40; i++) print(registers[i]);
    finish(0);
}}
__asm__(".syntax unified\\n.thumb_func\\n.global stream\\nstream:\\n"
    "{before}{body}{after}");
"""


def lines(instructions: str, rng: random.Random) -> Iterator[str]:
    forms = [form.strip() for line in instructions.strip().splitlines() for form in line.split("/")]
    for _ in range(LENGTH):
        a, b, c, d, e = (f"r{n}" for n in rng.sample(range(8), 5))
        offset = rng.randrange(0, 240)
        yield rng.choice(forms).format(
            a=a, b=b, c=c, d=d, e=e, s=rng.choice(["", "s"]), n=rng.randrange(1, 31), n4=rng.randrange(1, 16),
            n5=rng.randrange(0, 16), w5=rng.randrange(1, 16), i12=rng.randrange(4096), i16=rng.randrange(65536),
            m=offset, m1=offset, m2=offset & ~1, m4=offset & ~3, f=rng.randrange(16), g=rng.randrange(16),
            h=rng.randrange(16), j=rng.randrange(8), k=rng.randrange(8), l=rng.randrange(8), i8=rng.randrange(256),
            q4=rng.randrange(0, 32) * 4, q2=rng.randrange(0, 32) * 2, q1=rng.randrange(0, 32),
        )  # fmt: skip


FRAME = {
    "all": (
        "push {{r4-r12, lr}}\\n push {{r1}}\\n mov r8, r0\\n {zero}ldm r0, {{r0-r7}}\\n msr apsr_nzcvq, r0\\n",
        "mrs r9, apsr\\n ldr r10, [sp]\\n stm r10!, {{r0-r7}}\\n str r9, [r10], #4\\n {store}"
        "pop {{r1}}\\n pop {{r4-r12, pc}}\\n",
    ),
    "m0": (
        "push {{r4-r7, lr}}\\n mov r4, r8\\n push {{r1, r4}}\\n mov r8, r0\\n ldm r0, {{r0-r7}}\\n"
        "msr apsr_nzcvq, r0\\n",
        "push {{r0}}\\n ldr r0, [sp, #4]\\n stm r0!, {{r1-r7}}\\n pop {{r1}}\\n str r1, [r0]\\n mrs r1, apsr\\n"
        "str r1, [r0, #4]\\n pop {{r1, r4}}\\n mov r8, r4\\n pop {{r4-r7, pc}}\\n",
    ),
}


def random_program(core: str, seed: int) -> str:
    body = "".join(f"{part.strip()}\\n" for line in lines(SETS[core], random.Random(seed)) for part in line.split(";"))
    has_fp = core in FLAGS
    zero = "".join(f"vldr s{i}, [r0, #{4 * i}]\\n" for i in range(16)) if has_fp else ""
    store = "vstm r10, {s0-s15}\\n" if has_fp else ""
    before, after = (part.format(zero=zero, store=store) for part in FRAME.get(core, FRAME["all"]))
    return PROGRAM.format(seed=seed + 1, before=before, body=body, after=after)


def in_qemu(machine: str, image: Path) -> list[str]:
    command = ["qemu-system-arm", "-M", machine, "-nographic", "-semihosting", "-kernel", str(image)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    return (done.stdout + done.stderr).split()  # semihosting prints to standard error


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("board", list(BOARDS))
def test_random_streams(board: str, seed: int, tmp_path: Path) -> None:
    core = BOARDS[board]
    image = build(board, random_program(core, seed), tmp_path, *FLAGS.get(core, []))
    sim = Simulator(board, image)
    sim.run()
    expected = in_qemu(board, image)
    assert len(expected) == 104
    assert sim.output.split() == expected


@pytest.mark.parametrize("board", ["mps2-an386", pytest.param("mps2-an500", marks=pytest.mark.slow)])
def test_firmware_of_a_keyword_transformer(board: str, tmp_path: Path) -> None:
    """It runs golden inputs through the model and audio through the front end, and prints checksums."""
    done = CliRunner().invoke(
        main, ["compile", MODEL, "--target", board, "--to", "c", "-q", "-o", str(tmp_path / "out")]
    )
    assert done.exit_code == 0, done.output
    sim = Simulator(board, tmp_path / "out" / "firmware.elf", count=False)
    sim.run()
    printed = sim.output.split()
    assert printed[-1] == "PASS"
    assert printed.count("ok") >= 2
    assert printed == in_qemu(board, tmp_path / "out" / "firmware.elf")


@pytest.mark.parametrize("seed", range(6))
def test_random_streams_of_armv6m(seed: int, tmp_path: Path) -> None:
    sim = Simulator("nucleo-g0b1re", build("nucleo-g0b1re", random_program("m0", seed), tmp_path))
    sim.run()
    expected = in_qemu("microbit", build("nucleo-g0b1re", random_program("m0", seed), tmp_path, code_address=0))
    assert len(expected) == 104
    assert sim.output.split() == expected
