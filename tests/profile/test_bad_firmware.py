"""Images that cannot run get one clear error, and never hang."""

from pathlib import Path

import pytest
from firmware import build, needs_toolchain

from edgetx.errors import DeviceError
from edgetx.profile import Simulator
from edgetx.profile.image import load_image

BOARD = "nucleo-l4r5zi"
WORKS = "void reset(void) { finish(0); }"


def refused(code: str, folder: Path, board: str = BOARD, *flags: str) -> str:
    sim = Simulator(board, build(board, code, folder, *flags))
    with pytest.raises(DeviceError) as caught:
        sim.run(max_instructions=2_000_000)
    return str(caught.value)


@needs_toolchain
def test_read_of_nothing_names_pc_and_address(tmp_path: Path) -> None:
    message = refused("void reset(void) { note(REG(0x70001234)); }", tmp_path)
    assert "reset+0x" in message
    assert "0x70001234" in message


@needs_toolchain
def test_write_to_flash(tmp_path: Path) -> None:
    assert "read-only memory" in refused("void reset(void) { REG(0x08000100) = 1; }", tmp_path)


@needs_toolchain
def test_polling_an_unmodelled_register_names_it(tmp_path: Path) -> None:
    message = refused("void reset(void) { while (!(REG(0x40021000) & 2)) {} }", tmp_path)
    assert "polls register 0x40021000" in message
    assert "map_mmio(0x40021000" in message
    assert "reset" in message


@needs_toolchain
def test_endless_loop(tmp_path: Path) -> None:
    assert "endless loop" in refused("void reset(void) { for (;;) {} }", tmp_path)


@needs_toolchain
def test_runaway_code_reaches_the_limit(tmp_path: Path) -> None:
    code = "volatile int x; void reset(void) { for (;;) x++; }"
    assert "instruction limit" in refused(code, tmp_path)


@needs_toolchain
def test_runaway_code_reaches_the_time_limit(tmp_path: Path) -> None:
    image = build(BOARD, "volatile int x; void reset(void) { for (;;) x++; }", tmp_path)
    for count in (True, False):
        with pytest.raises(DeviceError, match="time limit"):
            Simulator(BOARD, image, count=count).run(max_seconds=0.3)


@needs_toolchain
@pytest.mark.parametrize(
    ("board", "instruction", "lacking"),
    [
        ("nucleo-g0b1re", ".short 0xfb91, 0xf0f2", "ARMv7-M"),  # sdiv
        ("nucleo-g0b1re", ".short 0xb108", "ARMv7-M"),  # cbz, which the emulator would execute
        ("nucleo-g0b1re", ".short 0xbf08, 0xbf00", "ARMv7-M"),  # it
        ("mps2-an385", ".short 0xfb21, 0x0002", "DSP"),  # smlad
        ("mps2-an385", ".short 0xee30, 0x0a01", "floating-point"),  # vadd.f32
        ("nucleo-l4r5zi", ".short 0xee30, 0x0b01", "double-precision"),  # vadd.f64
        ("nucleo-l4r5zi", ".short 0xfe80, 0x0a20", "FPv5"),  # vmaxnm.f32
    ],
)
def test_instructions_of_another_core(board: str, instruction: str, lacking: str, tmp_path: Path) -> None:
    code = f'void reset(void) {{ __asm__ volatile("nop; .align 2; {instruction}; nop"); finish(0); }}'
    message = refused(code, tmp_path, board)
    assert "lack" in message or "cannot execute" in message
    assert lacking in message or "cannot execute" in message


@needs_toolchain
def test_truncated_elf(tmp_path: Path) -> None:
    image = build(BOARD, WORKS, tmp_path)
    for size in (4, 40, 100, image.stat().st_size // 2):
        cut = tmp_path / f"cut{size}.elf"
        cut.write_bytes(image.read_bytes()[:size])
        with pytest.raises(DeviceError):
            Simulator(BOARD, cut)


def test_elf_of_the_host(tmp_path: Path) -> None:
    import sys

    with pytest.raises(DeviceError, match="not for Arm"):
        load_image(Path(sys.executable).resolve())


@needs_toolchain
def test_image_for_another_memory_map(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="rpi-pico does not have"):
        Simulator("rpi-pico", build(BOARD, WORKS, tmp_path))


def test_raw_image_needs_a_base(tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(bytes(16))
    with pytest.raises(DeviceError, match="base address"):
        load_image(tmp_path / "x.bin")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (":10000000", "truncated"),
        (":0400000001020304F3\n:00000001FF\n", "checksum"),
        (":0400000001020304F2\n", "no end-of-file"),
        ("hello", "not an Intel HEX"),
    ],
)
def test_damaged_hex(text: str, what: str, tmp_path: Path) -> None:
    (tmp_path / "x.hex").write_text(text)
    with pytest.raises(DeviceError, match=what):
        load_image(tmp_path / "x.hex")


@needs_toolchain
@pytest.mark.parametrize("form", ["binary", "ihex"])
def test_the_same_program_in_other_forms(form: str, tmp_path: Path) -> None:
    import subprocess

    elf = build(BOARD, "void reset(void) { for (volatile int i = 0; i < 100; i++) {} finish(5); }", tmp_path)
    other = tmp_path / ("x.bin" if form == "binary" else "x.hex")
    subprocess.run(["arm-none-eabi-objcopy", "-O", form, "-j", ".text", str(elf), str(other)], check=True)
    expected = Simulator(BOARD, elf)
    expected.run()
    sim = Simulator(BOARD, other, base=0x0800_0000 if form == "binary" else None)
    sim.run()
    assert (sim.exit_status, sim.cycles) == (5, expected.cycles)
