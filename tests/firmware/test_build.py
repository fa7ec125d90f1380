"""Firmware for every board, with every compiler."""

import shutil
import subprocess
from dataclasses import replace

import pytest
from hand_written import MODEL, SIZE

from edgetx.errors import FitError, TargetError, ToolchainError
from edgetx.firmware import build_firmware, elf_symbols, find_toolchain, has_float_symbols
from edgetx.firmware.build import INTERRUPT_BYTES
from edgetx.firmware.toolchain import Gcc
from edgetx.targets import list_targets, load_target

BOARDS = [t for t in list_targets() if t.kind == "mcu"]
QEMU_BOARDS = [t for t in BOARDS if t.name.startswith("mps2")]
MODEL_H, MODEL_C = MODEL / "model.h", MODEL / "model.c"


def run_in_qemu(target, elf):
    command = ["qemu-system-arm", "-M", target.name, "-semihosting", "-nographic", "-kernel", str(elf)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL, check=False)


def a_copy_of_the_model(folder, old="", new=""):
    shutil.copy(MODEL_H, folder)
    (folder / "model.c").write_text(MODEL_C.read_text().replace(old, new, 1))
    return folder


@pytest.mark.toolchain
@pytest.mark.parametrize("target", BOARDS, ids=lambda t: t.name)
def test_every_board(toolchain, target, golden, tmp_path):
    firmware = build_firmware(MODEL, target, tmp_path / "firmware.elf", golden, toolchain=toolchain)
    assert firmware.arena_bytes == 2 * SIZE
    assert firmware.state_bytes == SIZE
    assert firmware.golden_bytes >= SIZE * len(golden)
    assert 0 < firmware.code_bytes < 8192
    assert 0 < firmware.worst_case_stack_bytes <= firmware.stack_bytes - INTERRUPT_BYTES < 1024
    symbols = {s.name: s for s in elf_symbols(firmware.elf)}
    second_stage = 256 if target.boot == "rp2040" else 0  # which the boot ROM runs first
    assert symbols["vectors"].address == target.memory[target.region_of("code")].base_address + second_stage
    for name, role in [("main", "code"), ("weights", "weights"), ("divisor", "data"), ("arena", "arena")]:
        region = target.memory[target.region_of(role)]
        assert region.base_address <= symbols[name].address < region.end_address
    assert [p.name for p in tmp_path.iterdir()] == ["firmware.elf"]


@pytest.mark.toolchain
@pytest.mark.parametrize("optimization", ["-O3", "-Os"])
@pytest.mark.parametrize("target", QEMU_BOARDS, ids=lambda t: t.name)
def test_it_runs_in_qemu(toolchain, target, optimization, golden, tmp_path):
    if not shutil.which("qemu-system-arm"):
        pytest.skip("qemu-system-arm is not installed")
    elf = tmp_path / "firmware.elf"
    firmware = build_firmware(MODEL, target, elf, golden, toolchain=toolchain, optimization=optimization)
    assert firmware.worst_case_stack_bytes is not None
    done = run_in_qemu(target, elf)
    expected = [f"case {i} crc32 {c.outputs_crc32:08x} ok" for i, c in enumerate(golden)]
    assert done.stdout.splitlines() == [*expected, "PASS"]
    assert done.returncode == 0


@pytest.mark.toolchain
@pytest.mark.parametrize("name", ["mps2-an386", "mps2-an505"])
def test_cores_without_their_optional_parts(toolchain, name, golden, tmp_path):
    if not shutil.which("qemu-system-arm"):
        pytest.skip("qemu-system-arm is not installed")
    target, elf = replace(load_target(name), features=()), tmp_path / "firmware.elf"
    build_firmware(MODEL, target, elf, golden, toolchain=toolchain)
    assert run_in_qemu(target, elf).stdout.endswith("PASS\n")


@pytest.mark.toolchain
def test_a_wrong_output_is_told(toolchain, golden, tmp_path):
    if not shutil.which("qemu-system-arm"):
        pytest.skip("qemu-system-arm is not installed")
    target, elf = load_target("mps2-an386"), tmp_path / "firmware.elf"
    sources = a_copy_of_the_model(tmp_path, "* 3;", "* 4;")
    build_firmware(sources, target, elf, golden, toolchain=toolchain)
    done = run_in_qemu(target, elf)
    assert "case 4" in done.stdout
    assert done.stdout.splitlines()[-1] == "FAIL"
    assert done.returncode == 1


@pytest.mark.toolchain
def test_a_fault_ends_the_run(toolchain, golden, tmp_path):
    if not shutil.which("qemu-system-arm"):
        pytest.skip("qemu-system-arm is not installed")
    target, elf = load_target("mps2-an385"), tmp_path / "firmware.elf"
    sources = a_copy_of_the_model(tmp_path, "divisor = divisor", '__asm__ volatile("udf #0");\n  divisor = divisor')
    build_firmware(sources, target, elf, golden, toolchain=toolchain)
    done = run_in_qemu(target, elf)
    assert done.stdout == "FAULT\n"
    assert done.returncode == 1


@pytest.mark.toolchain
def test_same_sources_same_bytes(toolchain, golden, tmp_path):
    images = []
    for place in ("here", "there/and further"):
        folder = tmp_path / place
        folder.mkdir(parents=True)
        elf = folder / "out.elf"
        build_firmware(a_copy_of_the_model(folder), load_target("nucleo-g0b1re"), elf, golden, toolchain=toolchain)
        images.append(elf.read_bytes())
    assert images[0] == images[1]
    assert str(tmp_path).encode() not in images[0]


@pytest.mark.toolchain
def test_no_heap_and_no_float(toolchain, golden, tmp_path):
    elf = tmp_path / "firmware.elf"
    build_firmware(MODEL, load_target("nucleo-g0b1re"), elf, golden, toolchain=toolchain)
    assert not has_float_symbols(elf)
    assert not {s.name for s in elf_symbols(elf)} & {"malloc", "free", "_sbrk", "calloc", "printf"}


@pytest.mark.toolchain
def test_float_is_noticed(toolchain, golden, tmp_path):
    elf = tmp_path / "firmware.elf"
    sources = a_copy_of_the_model(tmp_path, "product / divisor", "((float)product / 7.0f)")
    build_firmware(sources, load_target("nucleo-g0b1re"), elf, golden, toolchain=toolchain)
    assert has_float_symbols(elf)


@pytest.mark.toolchain
@pytest.mark.parametrize(
    ("old", "new", "region", "largest"),
    [
        ("2 * SIZE]", "200000]", "sram", "arena 200000"),
        ("weights[SIZE]", "weights[600000]", "flash", "weights 600000"),
    ],
)
def test_too_large(toolchain, golden, tmp_path, old, new, region, largest):
    sources = a_copy_of_the_model(tmp_path, old, new)
    target = load_target("nucleo-g0b1re")
    with pytest.raises(FitError) as caught:
        build_firmware(sources, target, tmp_path / "out.elf", golden, toolchain=toolchain)
    assert f"of '{region}', has {target.memory[region].size_bytes}" in caught.value.what
    needed = int(caught.value.what.split()[1])
    assert 200_000 < needed < 610_000
    assert f"largest: {largest}" in caught.value.hint
    assert {p.name for p in tmp_path.iterdir()} == {"model.c", "model.h"}


@pytest.mark.toolchain
def test_too_little_stack(toolchain, golden, tmp_path):
    with pytest.raises(FitError, match=r"needs \d+ bytes of stack, has 16"):
        build_firmware(
            MODEL, load_target("mps2-an386"), tmp_path / "x.elf", golden, toolchain=toolchain, stack_bytes=16
        )
    assert not list(tmp_path.iterdir())


@pytest.mark.toolchain
def test_compiler_error(toolchain, golden, tmp_path):
    sources = a_copy_of_the_model(tmp_path, "int64_t product", "int16_t product")
    with pytest.raises(ToolchainError, match=r"model\.c:\d+:\d+: error"):
        build_firmware(sources, load_target("nucleo-l4r5zi"), tmp_path / "out.elf", golden, toolchain=toolchain)
    assert {p.name for p in tmp_path.iterdir()} == {"model.c", "model.h"}


def test_no_compiler(monkeypatch):
    monkeypatch.setattr(Gcc, "is_available", lambda self: False)
    with pytest.raises(ToolchainError, match="not installed") as caught:
        find_toolchain("arm-none-eabi-gcc")
    assert "apt install gcc-arm-none-eabi" in caught.value.hint


def test_phones_get_no_firmware(golden, tmp_path):
    with pytest.raises(TargetError, match="no firmware is built for a phone"):
        build_firmware(MODEL, load_target("phone-cortex-a53"), tmp_path / "x.elf", golden)
