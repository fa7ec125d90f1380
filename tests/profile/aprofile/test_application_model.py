"""Decoding, caches, branch prediction and core files of application cores."""

from fnmatch import fnmatchcase

import pytest

from edgetx.config import load_toml
from edgetx.errors import TargetError
from edgetx.profile.aprofile.caches import DataCaches
from edgetx.profile.aprofile.instruction import Branch, decode
from edgetx.profile.aprofile.parameters import load_application_core
from edgetx.profile.aprofile.predictor import Predictor
from edgetx.profile.cores.parameters import SOURCE_KINDS
from edgetx.resources import data_dir
from edgetx.targets import list_targets, load_target

FILES = sorted((data_dir("targets") / "a-profile").glob("*.toml"))
WORDS = {
    0x4E829420: ("dot", ("v1", "v2"), ("v0",), "v0"),  # sdot v0.4s, v1.16b, v2.16b
    0x4E606864: ("add_pairs_accumulate", ("v3",), ("v4",), "v4"),  # sadalp v4.4s, v3.8h
    0x3CC10401: ("load_q", ("x0",), ("x0", "v1"), None),  # ldr q1, [x0], #16
    0xEB01001F: ("alu", ("x0", "x1"), ("nzcv",), None),  # cmp x0, x1
    0x1A82B020: ("alu", ("x1", "x2", "nzcv"), ("x0",), None),  # csel w0, w1, w2, lt
    0xB8004C83: ("store", ("x4", "x3"), ("x4",), None),  # str w3, [x4, #4]!
    0x1B020C20: ("multiply_add", ("x1", "x2"), ("x0",), "x3"),  # madd w0, w1, w2, w3
    0x4E181C60: ("from_core", ("v0", "x3"), ("v0",), None),  # mov v0.d[1], x3
}


@pytest.mark.parametrize("word", WORDS, ids=hex)
def test_what_an_instruction_reads_and_writes(word: int) -> None:
    (found,) = decode(word.to_bytes(4, "little"), 0x1000)
    assert (found.kind, found.reads, found.writes, found.accumulator) == WORDS[word], found.text


@pytest.mark.parametrize(
    ("word", "branch"),
    [
        (0x54000001, Branch.CONDITIONAL),
        (0xB4000000, Branch.CONDITIONAL),
        (0x94000000, Branch.CALL),
        (0xD65F03C0, Branch.RETURN),
        (0xD61F0060, Branch.INDIRECT),
        (0x14000000, Branch.JUMP),
        (0x00000000, Branch.NONE),
    ],
)
def test_branches(word: int, branch: Branch) -> None:
    assert decode(word.to_bytes(4, "little"), 0)[0].branch is branch


def test_caches_levels_and_streams() -> None:
    target = load_target("phone-cortex-a55")
    memory = load_application_core("cortex-a55").memory
    caches = DataCaches(target, memory)
    assert caches.access(0x10_0000) == round(memory.dram_ns * 1e-9 * target.clock_hz)
    assert caches.access(0x10_0020) == 0
    assert caches.access(0x10_0040) == 0, "the next line of a stream is fetched ahead"
    assert caches.access(0x10_0000) == 0
    for n in range(1, 5):  # four more lines in the same set of the first level; odd steps make no stream
        caches.access(0x10_0000 + n * 8192)
    assert caches.access(0x10_0000) == 8, "the second level has it"


def test_prediction_learns_loops() -> None:
    predictor = Predictor()
    outcomes = [predictor.is_surprised(0x1000, n % 5 != 4) for n in range(200)]
    assert any(outcomes[:20])
    assert not any(outcomes[-50:]), "an exit every fifth time is within the history"
    assert predictor.is_surprised_by_target(0x2000, 1)
    assert not predictor.is_surprised_by_target(0x2000, 1)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_number_has_a_source(path) -> None:
    core = load_application_core(path.stem)
    assert core.name == path.stem
    tables = {key: value for key, value in load_toml(path).items() if key not in ("name", "source")}
    names = [f"{key}.{inner}" for key, value in tables.items() if isinstance(value, dict) for inner in value]
    names += [key for key, value in tables.items() if not isinstance(value, dict)]
    patterns = [pattern for source in core.source for pattern in source.fields]
    assert not [name for name in names if not any(fnmatchcase(name, p) for p in patterns)]
    assert not [p for p in patterns if not any(fnmatchcase(name, p) for name in names)]
    assert all(source.kind in SOURCE_KINDS and source.where for source in core.source)


def test_every_phone_can_be_timed() -> None:
    kinds = [set(load_application_core(path.stem).rows) - {"dot"} for path in FILES]
    assert kinds[0] == kinds[1] == kinds[2]
    assert all(load_application_core(target.core) for target in list_targets() if target.kind == "phone")
    with pytest.raises(TargetError, match="no timing model"):
        load_application_core("cortex-m4")
    with pytest.raises(TargetError, match="no row for 'dot'"):
        load_application_core("cortex-a53").row("dot")
