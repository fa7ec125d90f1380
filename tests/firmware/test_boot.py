"""What boot ROMs want to find in flash, in the image and in the UF2 file made of it."""

import shutil
import subprocess
from pathlib import Path

import pytest

from edgetx.firmware import build_firmware
from edgetx.firmware.build import RUNTIME
from edgetx.flash import make_plan
from edgetx.flash.uf2 import parse_uf2, uf2_file
from edgetx.profile import Simulator
from edgetx.profile.image import load_image
from edgetx.targets import load_target

MODEL = Path(__file__).parent / "model"
FLASH = 0x1000_0000
PAGE = 256

pytestmark = [
    pytest.mark.toolchain,
    pytest.mark.skipif(not shutil.which("arm-none-eabi-gcc"), reason="needs arm-none-eabi-gcc"),
]


def crc32_of_the_boot_rom(data):
    """Polynomial 04C11DB7, most significant bit first, from all ones, not inverted (RP2040 data sheet, 2.8.1.3.1)."""
    crc = 0xFFFF_FFFF
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C1_1DB7 if crc & 0x8000_0000 else 0)) & 0xFFFF_FFFF
    return crc


def uf2_of(name, tmp_path):
    target = load_target(name)
    elf = build_firmware(MODEL, target, tmp_path / "image.elf", []).elf
    plan = make_plan(target, load_image(elf))
    pages = parse_uf2(uf2_file(plan.image, target.uf2.family))
    sim = Simulator(target, elf)
    sim.run()
    assert sim.output.endswith("PASS\n")
    return plan, pages


def test_rp2040(tmp_path):
    plan, pages = uf2_of("rpi-pico", tmp_path)
    second_stage, vectors = pages[FLASH], pages[FLASH + PAGE]
    assert int.from_bytes(second_stage[252:], "little") == crc32_of_the_boot_rom(second_stage[:252])
    assert plan.vectors == FLASH + PAGE
    assert int.from_bytes(vectors[:4], "little") == plan.stack
    assert int.from_bytes(vectors[4:8], "little") == plan.entry
    program = tmp_path / "second_stage"
    source = RUNTIME / "etx_boot_rp2040.S"
    subprocess.run(["arm-none-eabi-gcc", "-c", source, "-o", f"{program}.o"], check=True)
    subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", f"{program}.o", f"{program}.bin"], check=True)
    assert second_stage[:252] == Path(f"{program}.bin").read_bytes().ljust(252, b"\0")


def test_rp2350(tmp_path):
    plan, pages = uf2_of("rpi-pico2", tmp_path)
    first = b"".join(pages.get(FLASH + i, bytes(PAGE)) for i in range(0, 4096, PAGE))
    block = b"".join(w.to_bytes(4, "little") for w in (0xFFFFDED3, 0x10210142, 0x000001FF, 0, 0xAB123579))
    assert first.count(block) == 1
    assert first.find(block) % 4 == 0
    assert plan.vectors == FLASH


def test_other_boards_have_neither(tmp_path):
    elf = build_firmware(MODEL, load_target("nucleo-g0b1re"), tmp_path / "image.elf", []).elf
    assert b"\xd3\xde\xff\xff" not in b"".join(s.data for s in load_image(elf).segments)
