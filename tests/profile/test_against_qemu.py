"""The emulation against a second emulator: random instruction streams leave the same registers and memory."""

import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from firmware import build, needs_toolchain

from edgetx.profile import Simulator

needs_qemu = pytest.mark.skipif(not shutil.which("qemu-system-arm"), reason="needs qemu-system-arm")
pytestmark = [needs_toolchain, needs_qemu]

BOARDS = {"mps2-an385": "m3", "mps2-an386": "m4", "mps2-an500": "m7", "mps2-an505": "m33"}
LENGTH = 400

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
SETS = {"m3": BASIC, "m4": BASIC + DSP + FP, "m7": BASIC + DSP + FP, "m33": BASIC + DSP}
FLAGS = {"m4": ["-mfpu=fpv4-sp-d16", "-mfloat-abi=softfp"], "m7": ["-mfpu=fpv5-sp-d16", "-mfloat-abi=softfp"]}

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
    "push {{r4-r12, lr}}\\n push {{r1}}\\n mov r8, r0\\n {zero}ldm r0, {{r0-r7}}\\n msr apsr_nzcvq, r0\\n"
    "{body}"
    "mrs r9, apsr\\n ldr r10, [sp]\\n stm r10!, {{r0-r7}}\\n str r9, [r10], #4\\n {store}"
    "pop {{r1}}\\n pop {{r4-r12, pc}}\\n");
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
            h=rng.randrange(16),
        )  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("board", list(BOARDS))
def test_random_streams(board: str, seed: int, tmp_path: Path) -> None:
    core = BOARDS[board]
    body = "".join(f"{part.strip()}\\n" for line in lines(SETS[core], random.Random(seed)) for part in line.split(";"))
    has_fp = core in FLAGS
    zero = "".join(f"vldr s{i}, [r0, #{4 * i}]\\n" for i in range(16)) if has_fp else ""
    store = "vstm r10, {{s0-s15}}\\n".replace("{{", "{").replace("}}", "}") if has_fp else ""
    code = PROGRAM.format(seed=seed + 1, body=body, zero=zero, store=store)
    image = build(board, code, tmp_path, *FLAGS.get(core, []))
    command = ["qemu-system-arm", "-M", board, "-nographic", "-semihosting", "-kernel", str(image)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    other = done.stdout + done.stderr  # semihosting prints to standard error
    sim = Simulator(board, image)
    sim.run()
    assert len(other.split()) == 104
    assert sim.output.split() == other.split()
