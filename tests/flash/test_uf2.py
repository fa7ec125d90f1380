"""UF2 files, and bootloader drives."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgetx.errors import DeviceError
from edgetx.flash import flash, make_plan, open_probe
from edgetx.flash.uf2 import PAGE, parse_uf2, uf2_file
from edgetx.profile.image import Image, Segment
from edgetx.targets import load_target

BASE = 0x1000_0000
VECTORS = (0x2000_4000).to_bytes(4, "little") + (BASE + 0x141).to_bytes(4, "little")
DATA = random.Random(1).randbytes(PAGE) + VECTORS + random.Random(2).randbytes(1500)
INFO = "UF2 Bootloader v3.0\nModel: Raspberry Pi RP2\nBoard-ID: {}\n"


@pytest.fixture
def plan(tmp_path):
    return make_plan(load_target("rpi-pico"), Image(tmp_path / "image.elf", (Segment(BASE, DATA),)))


@pytest.fixture
def drive(tmp_path):
    folder = tmp_path / "drive"
    folder.mkdir()
    (folder / "INFO_UF2.TXT").write_text(INFO.format("RPI-RP2"))
    return folder


def test_the_drive_gets_the_image(plan, drive):
    with open_probe(f"uf2:{drive}", plan) as probe:
        flash(plan, probe)
    pages = parse_uf2((drive / "firmware.uf2").read_bytes())
    assert sorted(pages) == list(range(BASE, BASE + len(DATA), PAGE))
    assert b"".join(pages[a] for a in sorted(pages))[: len(DATA)] == DATA


def test_another_board(plan, drive):
    (drive / "INFO_UF2.TXT").write_text(INFO.format("RP2350"))
    with open_probe(f"uf2:{drive}", plan) as probe, pytest.raises(DeviceError, match="another chip"):
        flash(plan, probe)
    assert not (drive / "firmware.uf2").exists()


def test_no_drive(plan, tmp_path):
    with open_probe(f"uf2:{tmp_path}/none", plan) as probe, pytest.raises(DeviceError, match="no bootloader"):
        flash(plan, probe)


def test_full_drive(plan, drive):
    (drive / "firmware.uf2").symlink_to("/dev/full")
    with open_probe(f"uf2:{drive}", plan) as probe, pytest.raises(DeviceError, match="No space left") as caught:
        flash(plan, probe)
    assert "flash again" in caught.value.hint


@given(st.integers(0, 1000), st.binary(min_size=1, max_size=1000), st.integers(0, 3000))
def test_pages_hold_the_segments(start, data, gap):
    second = Segment(BASE + start + len(data) + gap, data[::-1])
    pages = parse_uf2(uf2_file(Image("x", (Segment(BASE + start, data), second)), 1))
    assert all(address % PAGE == 0 and len(page) == PAGE for address, page in pages.items())
    memory = {a + i: byte for a, page in pages.items() for i, byte in enumerate(page)}
    assert bytes(memory[BASE + start + i] for i in range(len(data))) == data
    assert bytes(memory[second.address + i] for i in range(len(data))) == data[::-1]


@given(st.binary(max_size=1500))
def test_other_files_are_refused(data):
    with pytest.raises(DeviceError):
        parse_uf2(data)
