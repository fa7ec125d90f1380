"""Chips of Espressif: the real esptool, against a loader of this machine."""

import json

import esp_rom
import numpy as np
import pytest
from click.testing import CliRunner

from edgetx.cli import main
from edgetx.flash.esptool import esp_files
from edgetx.flash.programs import find_program
from edgetx.targets import load_target

needs_esptool = pytest.mark.skipif(find_program("esptool") is None, reason="needs esptool")


@pytest.fixture
def rom():
    served = esp_rom.EspRom()
    yield served
    served.stop()


@pytest.fixture
def built(tmp_path):
    """A build folder as ESP-IDF leaves it."""
    noise = np.random.default_rng(0)
    (tmp_path / "bootloader").mkdir()
    (tmp_path / "bootloader" / "bootloader.bin").write_bytes(b"\xe9" + noise.bytes(5_000))
    (tmp_path / "app.bin").write_bytes(b"\xe9" + noise.bytes(30_000))
    files = {"0x0": "bootloader/bootloader.bin", "0x10000": "app.bin"}
    arguments = {"flash_files": files, "extra_esptool_args": {"chip": "esp32c3"}}
    (tmp_path / "flasher_args.json").write_text(json.dumps(arguments))
    return tmp_path


def flash(artifact, *arguments):
    return CliRunner().invoke(main, ["flash", str(artifact), "--target", "esp32-c3", *arguments])


def test_files_of_a_build(built):
    files = esp_files(built, load_target("esp32-c3"))
    assert [(file.offset, file.path.name) for file in files] == [(0x10000, "app.bin"), (0, "bootloader.bin")]


def test_dry_run(built):
    steps = json.loads(flash(built, "--dry-run", "--json").stdout)["steps"]
    assert "write 30001 bytes of app.bin at 0x010000" in steps


@needs_esptool
def test_written_and_compared(built, rom):
    done = flash(built, "--probe", rom.url)
    assert done.exit_code == 0, done.output
    assert "35002 bytes on ESP32-C3" in done.output
    assert rom.flash[0x10000:].startswith((built / "app.bin").read_bytes())
    assert rom.flash.startswith((built / "bootloader" / "bootloader.bin").read_bytes())


@needs_esptool
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"chip": esp_rom.ESP32_S3}, "This chip is ESP32-S3, not ESP32-C3"),
        ({"is_locked": True}, "flash again"),
        ({"decays": True}, "MD5"),
        ({"cable": 200}, "nothing was erased"),
        ({"cable": 30_000}, "flash again"),
    ],
    ids=["another chip", "locked", "decays", "cable at once", "cable later"],
)
def test_faults(built, rom, fault, said):
    """An error says what happened, and the next try works."""
    vars(rom).update(fault)
    failed = flash(built, "--probe", rom.url)
    assert failed.exit_code == 5, failed.output
    assert said in failed.output
    if "chip" in fault:
        assert set(rom.flash) == {0xFF}
    vars(rom).update(chip=esp_rom.ESP32_C3, is_locked=False, decays=False, cable=None)
    again = flash(built, "--probe", rom.url)
    assert again.exit_code == 0, again.output


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda a: a["extra_esptool_args"].update(chip="esp32"), "was built for esp32"),
        (lambda a: a.pop("flash_files"), "lacks"),
        (lambda a: a.update(flash_files={"zero": "app.bin"}), "is not what"),
        (lambda a: a.update(flash_files={}), "no files"),
        (lambda a: a["flash_files"].update({"0x1000": "app.bin"}), "reach beyond"),
        (lambda a: a["flash_files"].update({"0x3ff000": "app.bin"}), "reach beyond"),
        (lambda a: a["flash_files"].update({"0x100000": "gone.bin"}), "cannot be read"),
    ],
)
def test_damaged_builds(built, change, said):
    path = built / "flasher_args.json"
    arguments = json.loads(path.read_text())
    change(arguments)
    path.write_text(json.dumps(arguments))
    failed = flash(built, "--dry-run")
    assert failed.exit_code == 5, failed.output
    assert said in failed.output


def test_other_files(built, tmp_path):
    (tmp_path / "app.elf").write_bytes(b"\x7fELF...")
    assert "ELF" in flash(tmp_path / "app.elf", "--dry-run").output
    assert "at 0x010000" in flash(built / "app.bin", "--dry-run", "--base", "0x10000").output
    (built / "flasher_args.json").unlink()
    assert "idf.py build" in flash(built, "--dry-run").output
    assert "esptool:" in flash(built / "app.bin", "--probe", "gdb:localhost:1").output
