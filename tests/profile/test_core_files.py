"""The files of cores and measurements: valid, and every number with its source."""

from dataclasses import asdict
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from edgetx.config import load_toml
from edgetx.errors import TargetError
from edgetx.profile.cores import load_core, make_model
from edgetx.profile.cores.parameters import SOURCE_KINDS
from edgetx.profile.measurements import load_measurements
from edgetx.profile.validation import validation_of
from edgetx.resources import data_dir
from edgetx.targets import CORES, list_targets, load_target

FILES = sorted((data_dir("targets") / "cores").glob("*.toml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_number_has_a_source(path) -> None:
    core = load_core(path.stem)
    assert core.name == path.stem
    tables = {key: value for key, value in load_toml(path).items() if key not in ("name", "source")}
    names = [f"{key}.{inner}" for key, value in tables.items() if isinstance(value, dict) for inner in value]
    names += [key for key, value in tables.items() if not isinstance(value, dict)]
    patterns = [pattern for source in core.source for pattern in source.fields]
    missing = [name for name in names if not any(fnmatchcase(name, pattern) for pattern in patterns)]
    assert not missing
    assert all(source.kind in SOURCE_KINDS and source.where for source in core.source)
    unused = [p for p in patterns if not any(fnmatchcase(name, p) for name in names)]
    assert not unused


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_core_has_exactly_one_pipeline(path) -> None:
    core = load_core(path.stem)
    assert make_model(core).reset() is not None
    assert sum(asdict(core)[name] is not None for name in ("m0", "m4", "m33", "m7")) == 1


def test_every_microcontroller_can_be_timed() -> None:
    assert all(load_core(target.core) for target in list_targets() if target.kind == "mcu")
    with pytest.raises(TargetError, match="no timing model"):
        load_core("cortex-a53")


def test_measurements_are_those_published() -> None:
    files = load_measurements()
    kws = {(m.board, m.runtime): m.cycles for m in files["mlperf_tiny_kws"].measurement}
    assert kws["nucleo-l4r5zi", "X-CUBE-AI 9, ST, v1.2"] == 5_182_440
    assert kws["nucleo-g0b1re", "HALE, Bosch, v1.2"] == 30_373_056
    names = {target.name for target in list_targets()}
    assert all(m.board in names for m in files["mlperf_tiny_kws"].measurement)
    crc32 = files["embench_iot"].measurement[0]
    assert abs(crc32.cycles - 23_588) <= 1


@pytest.mark.parametrize("core", list(CORES))
def test_validation_says_when_there_is_none(core: str) -> None:
    line = validation_of(core)
    assert (line["cases"] == 0) == (line["mape"] is None)


def test_the_board_in_the_documentation_is_complete(tmp_path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "timing-model.md").read_text(encoding="utf-8")
    text = page.split("```toml\n")[1].split("```")[0]
    path = tmp_path / "stm32f407-discovery.toml"
    path.write_text(text, encoding="utf-8")
    board = load_target(path)
    assert board.flash
    assert board.flash.wait_cycles(board.clock_hz) == 5
    assert [cache.ways for cache in board.cache] == [64, 8]
