"""Published rules of application cores, each as a loop body and its cycles once it repeats."""

import subprocess
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from edgetx.firmware.phone import phone_compiler
from edgetx.profile.aprofile.counter import make_pipeline
from edgetx.profile.aprofile.instruction import decode
from edgetx.profile.aprofile.parameters import load_application_core

pytestmark = pytest.mark.toolchain

DOTS = "; ".join(f"sdot v{n}.4s, v16.16b, v17.16b" for n in range(4))
RULES = [
    # in order, two per cycle
    ("cortex-a55", "add x0, x0, #1", 1),
    ("cortex-a55", "add x0, x0, #1; add x1, x1, #1", 1),
    ("cortex-a55", "add x0, x0, #1; add x0, x0, #1", 2),
    ("cortex-a55", "add x0, x1, x0, lsl #2", 2),
    ("cortex-a55", "ldr x0, [x0]", 3),
    ("cortex-a55", "ldr x0, [x1]; ldr x2, [x3]", 2),
    ("cortex-a55", "mul w0, w0, w1", 4),
    ("cortex-a55", "madd w0, w1, w2, w0", 1),
    ("cortex-a55", "sdiv w0, w1, w2", 8),
    # 128 bits take both halves of the vector unit, and the first slot
    ("cortex-a55", DOTS, 4),
    ("cortex-a55", "sdot v0.4s, v16.16b, v17.16b", 4),
    ("cortex-a55", "sdot v0.4s, v16.16b, v17.16b; add x0, x0, #1; sdot v1.4s, v16.16b, v17.16b; add x1, x1, #1", 4),
    ("cortex-a55", f"{DOTS}; add x0, x0, #1", 4),
    ("cortex-a55", "add v0.2s, v16.2s, v17.2s; add v1.2s, v16.2s, v17.2s", 1),
    ("cortex-a55", "add v0.4s, v16.4s, v17.4s; add v1.4s, v16.4s, v17.4s", 2),
    ("cortex-a55", "smlal v0.8h, v16.8b, v17.8b", 1),
    ("cortex-a55", "ldr q0, [x0]", 2),
    ("cortex-a55", "ldr d0, [x0]", 1),
    ("cortex-a55", "ldr q16, [x0]; sdot v0.4s, v17.16b, v18.16b; sdot v1.4s, v17.16b, v18.16b", 4),
    ("cortex-a55", "str q0, [x0]; str q1, [x1]", 4),
    ("cortex-a53", "add x0, x0, #1; add x1, x1, #1", 1),
    ("cortex-a53", "ldr x0, [x0]", 3),
    ("cortex-a53", "madd w0, w1, w2, w0", 2),
    # a datapath of 64 bits
    ("cortex-a53", "add v0.2s, v16.2s, v17.2s; add v1.2s, v16.2s, v17.2s", 2),
    ("cortex-a53", "add v0.4s, v16.4s, v17.4s; add v1.4s, v16.4s, v17.4s", 4),
    ("cortex-a53", "smull v0.8h, v16.8b, v17.8b; smull2 v1.8h, v16.16b, v17.16b", 4),
    ("cortex-a53", "smull v0.8h, v16.8b, v17.8b; ldr q1, [x0]", 2),
    ("cortex-a53", "fmla v0.4s, v16.4s, v17.4s", 4),
    # out of order
    ("cortex-a76", "add x0, x0, #1; add x1, x1, #1; add x2, x2, #1", 1),
    ("cortex-a76", "mul x0, x1, x2", 3),
    ("cortex-a76", "mul x0, x0, x2", 4),
    ("cortex-a76", DOTS, 2),
    ("cortex-a76", "sdot v0.4s, v16.16b, v17.16b", 2),
    (
        "cortex-a76",
        "smull v0.8h, v16.8b, v17.8b; sxtl v1.8h, v16.8b; smull v2.8h, v16.8b, v17.8b; sxtl v3.8h, v16.8b",
        2,
    ),
    ("cortex-a76", "sadalp v0.4s, v16.8h", 4),
    ("cortex-a76", "ldr q0, [x0]; ldr q1, [x0, #16]; ldr q2, [x0, #32]; ldr q3, [x0, #48]", 2),
    ("cortex-a76", "ldr x0, [x0]", 4),
    ("cortex-a76", f"sdiv w0, w0, w1; {'; '.join(['eor w2, w3, w4'] * 20)}", 12),
    # one division after the other would take 20; the window of 128 holds but part of what is between
    ("cortex-a76", f"sdiv x0, x0, x1; {'; '.join(['eor w2, w3, w4'] * 30)}", 20),
    ("cortex-a76", "; ".join(f"add x{n}, x20, x21; ldr x1{n}, [x22]" for n in range(4)), 2),
]


@pytest.fixture(scope="module")
def bodies(tmp_path_factory) -> list[bytes]:
    """Machine code of the loop bodies."""
    folder: Path = tmp_path_factory.mktemp("rules")
    text = [f'.section .r{n:03},"ax"\n{body.replace("; ", chr(10))}' for n, (_, body, _) in enumerate(RULES)]
    (folder / "rules.s").write_text("\n".join(text) + "\n")
    command = [*phone_compiler(), "-march=armv8.2-a+dotprod", "-c", "rules.s", "-o", "rules.o"]
    if "ziglang" in command:
        command[command.index("-march=armv8.2-a+dotprod")] = "-mcpu=cortex_a55"
    subprocess.run(command, cwd=folder, check=True)
    with (folder / "rules.o").open("rb") as stream:
        elf = ELFFile(stream)
        return [elf.get_section_by_name(f".r{n:03}").data() for n in range(len(RULES))]


@pytest.mark.parametrize("number", range(len(RULES)), ids=[f"{core}: {body[:40]}" for core, body, _ in RULES])
def test_rule(number: int, bodies: list[bytes]) -> None:
    core, _, expected = RULES[number]
    pipeline = make_pipeline(load_application_core(core))
    block, state, spent = decode(bodies[number], 0x1000), pipeline.reset(), []
    for _ in range(80):
        timing = pipeline.time(block, state)
        state = timing.state
        spent.append(sum(timing.cycles))
    assert sum(spent[-32:]) == 32 * expected
