"""Target files: all that ship load, and every kind of mistake names its key."""

import re
from pathlib import Path

import pytest

from edgetx.config import load_toml
from edgetx.errors import TargetError
from edgetx.resources import data_dir
from edgetx.targets import CORES, list_targets, load_target
from edgetx.targets.checks import ROLES, number_keys

CONTRACT_NAMES = {
    "nucleo-l4r5zi": "cortex-m4",
    "nucleo-f446re": "cortex-m4",
    "disco-f746ng": "cortex-m7",
    "nucleo-h7a3zi": "cortex-m7",
    "nucleo-u575zi": "cortex-m33",
    "nucleo-g0b1re": "cortex-m0plus",
    "microbit": "cortex-m0",
    "rpi-pico": "cortex-m0plus",
    "rpi-pico2": "cortex-m33",
    "nrf52840-dk": "cortex-m4",
    "nrf5340-dk": "cortex-m33",
    "mps2-an385": "cortex-m3",
    "mps2-an386": "cortex-m4",
    "mps2-an500": "cortex-m7",
    "mps2-an505": "cortex-m33",
    "esp32-c3": "rv32imc",
    "phone-cortex-a53": "cortex-a53",
    "phone-cortex-a55": "cortex-a55",
    "phone-cortex-a76": "cortex-a76",
}

BOARD = """
name = "my_board"
description = "a board of the user's own"
core = "cortex-m4"
features = ["fpu-sp"]
clock_hz = 80_000_000

[memory.flash]
base_address = 0x0800_0000
size_bytes = 1_048_576
roles = ["code", "weights"]

[memory.sram]
base_address = 0x2000_0000
size_bytes = 131_072
reserve_bytes = 16_384
roles = ["data", "arena", "state", "stack"]

[flash]
region = "flash"
line_bits = 128
wait_states = [{ max_hz = 40_000_000, cycles = 0 }, { max_hz = 80_000_000, cycles = 2 }]

[[source]]
fields = ["clock_hz", "memory.*", "flash.*"]
kind = "estimated"
where = "made up for this test"
"""


def write_board(folder: Path, text: str = BOARD) -> Path:
    path = folder / "my_board.toml"
    path.write_text(text)
    return path


def test_the_contract_names_are_listed():
    assert {t.name: t.core for t in list_targets()} == CONTRACT_NAMES


@pytest.mark.parametrize("path", sorted(data_dir("targets").glob("*.toml")), ids=lambda p: p.stem)
def test_shipped_target(path):
    target = load_target(path)
    numbers = set(number_keys(load_toml(path)))
    assert {"clock_hz"} < numbers
    if target.kind == "mcu":
        assert {target.region_of(role) for role in ROLES} <= set(target.memory)
    assert all(source.where for source in target.source)


def test_every_core_has_a_target():
    assert {t.core for t in list_targets()} == set(CORES)


def test_values_of_a_board():
    target = load_target("nucleo-l4r5zi")
    assert target.clock_hz == 120_000_000
    assert target.memory["sram"].size_bytes == 640 * 1024
    assert target.region_of("weights") == "flash"
    assert [target.flash.wait_cycles(hz) for hz in (20_000_000, 20_000_001, 120_000_000)] == [0, 1, 5]


def test_a_path_is_a_target(tmp_path):
    target = load_target(str(write_board(tmp_path)))
    assert target.memory["sram"].usable_bytes == 131_072 - 16_384


def test_a_folder_of_targets(tmp_path, monkeypatch):
    write_board(tmp_path)
    monkeypatch.setenv("EDGETX_TARGETS", str(tmp_path))
    assert load_target("my_board").clock_hz == 80_000_000
    assert "my_board" in {t.name for t in list_targets()}


def test_a_user_target_wins_over_a_shipped_one(tmp_path, monkeypatch):
    text = BOARD.replace('"my_board"', '"rpi-pico"')
    (tmp_path / "rpi-pico.toml").write_text(text)
    monkeypatch.setenv("EDGETX_TARGETS", str(tmp_path))
    assert load_target("rpi-pico").core == "cortex-m4"


def test_missing_target_folder(monkeypatch):
    monkeypatch.setenv("EDGETX_TARGETS", "/does/not/exist")
    with pytest.raises(TargetError, match="not a folder"):
        load_target("nucleo-l4r5zi")


def test_unknown_name_suggests_the_nearest():
    with pytest.raises(TargetError) as caught:
        load_target("nucleo-l4r5z")
    assert str(caught.value) == "unknown target 'nucleo-l4r5z'\nhint: did you mean 'nucleo-l4r5zi'?"


def test_missing_file():
    with pytest.raises(TargetError, match="cannot read"):
        load_target("nowhere.toml")


def test_clock_beyond_the_flash():
    with pytest.raises(TargetError, match="120000000"):
        load_target("nucleo-l4r5zi").flash.wait_cycles(121_000_000)


MISTAKES = {
    "misspelt key": ("reserve_bytes", "reserve_byte", "my_board.memory.sram: unknown key 'reserve_byte'"),
    "wrong type": ('"cortex-m4"', "4", "my_board.core: expected a string"),
    "unknown core": ('"cortex-m4"', '"cortex-m44"', "my_board.core: 'cortex-m44' is not known here"),
    "unknown feature": ('"fpu-sp"', '"mve"', "my_board.features: 'mve' is not known here"),
    "phone with an M core": ("clock_hz = 80", 'kind = "phone"\nclock_hz = 80', "kind 'phone'"),
    "overlap": ("0x2000_0000", "0x0800_1000", "my_board.memory.flash: overlaps 'sram'"),
    "no usable bytes": ("16_384", "131_072", "my_board.memory.sram: region has no usable bytes"),
    "banks": ("reserve_bytes = 16_384", "bank_bytes = [1]", "banks do not add up"),
    "role missing": (', "stack"', "", "role 'stack' is given to 0 regions"),
    "role twice": ('"weights"', '"weights", "stack"', "role 'stack' is given to 2 regions"),
    "role unknown": ('"stack"', '"stak"', "my_board.memory.sram.roles: 'stak'"),
    "flash elsewhere": ('region = "flash"', 'region = "rom"', "my_board.flash.region: 'rom'"),
    "rows out of order": ("40_000_000", "90_000_000", "ascending order"),
    "clock too high": ("clock_hz = 80", "clock_hz = 81", "no flash wait states are known for 81000000 Hz"),
    "clock not positive": ("clock_hz = 80_000_000", "clock_hz = 0", "expected a positive clock"),
    "kernel folder": ("clock_hz = 80", 'kernels = ["risc_v", "portable"]\nclock_hz = 80', "'risc_v'"),
    "portable missing": ("clock_hz = 80", "kernels = []\nclock_hz = 80", "must be 'portable'"),
    "uart without address": (
        "clock_hz = 80",
        'console = {kind = "cmsdk-uart"}\nclock_hz = 80',
        "'base_address'",
    ),
    "no source": ('"flash.*"', '"flash.line_bits"', "my_board.flash.wait_states.max_hz: no source"),
    "source kind": ('"estimated"', '"guessed"', "my_board.source.kind: 'guessed'"),
    "name": ('name = "my_board"', 'name = "your_board"', "name is 'your_board'"),
    "not TOML": ("[flash]", "[flash", "not valid TOML"),
    "cache sets": (
        "[[source]]",
        '[[cache]]\nregions = ["flash"]\nholds = ["data"]\nsize_bytes = 9\nline_bytes = 8\nways = 2\n[[source]]',
        "whole number of sets",
    ),
}


@pytest.mark.parametrize(("old", "new", "message"), MISTAKES.values(), ids=MISTAKES)
def test_mistake(tmp_path, old, new, message):
    assert old in BOARD
    path = write_board(tmp_path, BOARD.replace(old, new, 1))
    with pytest.raises(TargetError, match=re.escape(message)):
        load_target(path)
