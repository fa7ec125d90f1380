"""Damaged firmware images: refused with a clear error, or run to an end; never a crash, never a hang."""

import random
import subprocess
import sys
from pathlib import Path

import pytest
from mutations import BYTES

from edgetx.errors import DeviceError
from edgetx.profile import Simulator
from edgetx.profile.image import load_image
from edgetx.profile.lines import LineTable

sys.path.insert(0, str(Path(__file__).parents[1] / "profile"))
from firmware import build, needs_toolchain

BOARD = "nucleo-l4r5zi"
PROGRAM = """
static uint32_t table[8] = {1, 2, 3};
__attribute__((noinline)) uint32_t work(uint32_t n) { for (uint32_t i = 0; i < 8; i++) n += table[i] * i; return n; }
void reset(void) { REG(0xE0001000) = 1; note(work(3) + REG(0xE0001004)); finish(0); }
"""


def attempt(path: Path) -> str:
    try:
        sim = Simulator(BOARD, path, 0x0800_0000 if path.suffix == ".bin" else None)
        sim.run(max_instructions=20_000, max_seconds=5)
        LineTable(path)
    except DeviceError:
        return "refused"
    return "ran"


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    elf = build(BOARD, PROGRAM, tmp_path_factory.mktemp("fuzz"))
    contents = {"elf": elf.read_bytes()}
    for suffix, form in {"hex": "ihex", "bin": "binary"}.items():
        other = elf.with_suffix(f".{suffix}")
        subprocess.run(["arm-none-eabi-objcopy", "-O", form, "-j", ".text", str(elf), str(other)], check=True)
        contents[suffix] = other.read_bytes()
    return contents


@needs_toolchain
@pytest.mark.parametrize("suffix", ["elf", "hex", "bin"])
@pytest.mark.parametrize("seed", range(2))
def test_damaged_images_are_refused_or_run(images: dict[str, bytes], suffix: str, seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    path = tmp_path / f"damaged.{suffix}"
    seen = set()
    for _ in range(12):
        damaged = rng.choice(BYTES)(images[suffix], rng)
        path.write_bytes(damaged)
        seen.add(attempt(path))
    assert "refused" in seen


@needs_toolchain
@pytest.mark.parametrize("suffix", ["elf", "hex"])
def test_every_truncation_of_a_head_is_refused(images: dict[str, bytes], suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"cut.{suffix}"
    for end in range(0, 200, 3):
        path.write_bytes(images[suffix][:end])
        with pytest.raises(DeviceError):
            load_image(path)


@pytest.mark.parametrize("seed", range(3))
def test_random_code_ends_in_an_error(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    for _ in range(12):
        head = (0x2000_1000).to_bytes(4, "little") + (0x0800_0011).to_bytes(4, "little") + bytes(8)
        (tmp_path / "random.bin").write_bytes(head + rng.randbytes(2048))
        attempt(tmp_path / "random.bin")
