"""The static stack bound."""

import shutil
import subprocess

import pytest

from edgetx.firmware.stack import call_graph, worst_case_stack

CHAIN = """
volatile int sink;
__attribute__((noinline)) void leaf(void) { volatile char frame[200]; frame[0] = 1; sink = frame[0]; }
__attribute__((noinline)) void middle(void) { leaf(); sink = 2; }
void top(void) { volatile char frame[40]; frame[0] = 1; middle(); leaf(); sink = frame[0]; }
"""


def build(tmp_path, source, optimization="-O1"):
    if not shutil.which("arm-none-eabi-gcc"):
        pytest.skip("arm-none-eabi-gcc is not installed")
    (tmp_path / "x.c").write_text(source)
    command = [
        "arm-none-eabi-gcc",
        "-mcpu=cortex-m4",
        "-mthumb",
        optimization,
        "-fstack-usage",
        "-c",
        "x.c",
        "-o",
        "x.o",
    ]
    subprocess.run(command, cwd=tmp_path, check=True)
    link = ["arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-nostdlib", "-Wl,--entry=top", "x.o", "-o", "x.elf"]
    subprocess.run(link, cwd=tmp_path, check=True)
    return tmp_path / "x.elf", [tmp_path / "x.su"]


@pytest.mark.toolchain
def test_deepest_chain(tmp_path):
    elf, usage = build(tmp_path, CHAIN)
    assert call_graph(elf) == {"leaf": set(), "middle": {"leaf"}, "top": {"middle", "leaf"}}
    sizes = {line.split("\t")[0].split(":")[-1]: int(line.split("\t")[1]) for line in usage[0].read_text().splitlines()}
    assert sizes["leaf"] >= 200
    assert worst_case_stack(elf, usage, "top") == sum(sizes.values())


ASSEMBLY = """
volatile int sink;
__attribute__((noinline)) void leaf(void) { __asm__ volatile("push {r4, r5, r6}\\n pop {r4, r5, r6}"); }
void top(void) { volatile char frame[40]; frame[0] = 1; leaf(); sink = frame[0]; }
"""


@pytest.mark.toolchain
def test_what_inline_assembly_pushes_counts(tmp_path):
    elf, usage = build(tmp_path, ASSEMBLY)
    sizes = {line.split("\t")[0].split(":")[-1]: int(line.split("\t")[1]) for line in usage[0].read_text().splitlines()}
    assert sizes["leaf"] == 0
    assert worst_case_stack(elf, usage, "top") == sizes["top"] + 12


CLONES = """
volatile int sink;
static __attribute__((noinline)) int clone(int a, int b, int n) {
  volatile char frame[300];
  for (int i = 0; i < n; i++) { frame[i] = (char)a; }
  return frame[b] + n;
}
int top(int a) { return clone(a, 1, 7) + clone(a + 1, 2, 7); }
"""


@pytest.mark.toolchain
def test_clones_have_the_frame_of_their_function(tmp_path):
    elf, usage = build(tmp_path, CLONES, "-O3")
    assert any(".constprop" in name for name in call_graph(elf))
    assert worst_case_stack(elf, usage, "top") > 300


@pytest.mark.toolchain
@pytest.mark.parametrize(
    "source",
    [
        "int top(int n) { return n < 2 ? n : top(n - 1) + top(n - 2); }",
        "void use(char *p) { *p = 1; } int top(int n) { char a[n]; volatile char *p = a; *p = 1; return a[n - 1]; }",
    ],
    ids=["recursion", "variable frame"],
)
def test_no_bound(tmp_path, source):
    assert worst_case_stack(*build(tmp_path, source), "top") is None


@pytest.mark.toolchain
@pytest.mark.parametrize("rest", ["sink = 3;", ""], ids=["call", "tail call"])
def test_calls_through_a_table(tmp_path, rest):
    table = f"void (*const table[])(void) = {{middle, leaf}};\nvoid top(void) {{ table[sink](); {rest} }}\n"
    elf, usage = build(tmp_path, CHAIN[: CHAIN.index("void top")] + table, "-O2")
    assert call_graph(elf)["top"] == {"middle", "leaf"}
    assert worst_case_stack(elf, usage, "top") >= 200


@pytest.mark.toolchain
def test_literal_pools_are_no_code(tmp_path):
    table = "void (*const table[])(void) = {leaf};\n"
    looks_like_blx_r3 = "volatile unsigned x; void constant(void) { x = 0x47984798u; }"
    elf, _ = build(tmp_path, CHAIN + table + looks_like_blx_r3)
    assert b"\x98\x47\x98\x47" in elf.read_bytes()
    assert call_graph(elf)["constant"] == set()
