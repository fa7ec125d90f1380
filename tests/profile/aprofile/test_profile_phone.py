"""`edgetx profile` on simulated phones."""

import json
import random
import sys

import pytest
from click.testing import CliRunner

from edgetx.cli import main
from edgetx.compiler import CompileOptions, compile_model
from edgetx.errors import DeviceError
from edgetx.profile.aprofile.process import Process
from edgetx.profile.aprofile.profiling import profile_phone
from edgetx.targets import load_target

pytestmark = pytest.mark.toolchain


@pytest.fixture(scope="module")
def out(compiled, tmp_path_factory):
    folder = tmp_path_factory.mktemp("phone") / "out"
    options = CompileOptions(
        str(compiled.model), load_target("phone-cortex-a55"), folder, ("c",), compiled.data, cases=2
    )
    compile_model(options)
    return folder


def edgetx(*arguments):
    return CliRunner().invoke(main, [str(a) for a in arguments])


@pytest.fixture(scope="module")
def report(out):
    result = edgetx("profile", out, "--target", "phone-cortex-a55", "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_cycles_add_up(out, report) -> None:
    assert report["core"] == "cortex-a55"
    assert report["cycles"] == sum(report["stalls"].values()) == sum(f["cycles"] for f in report["functions"])
    assert report["instructions"] == sum(f["instructions"] for f in report["functions"])
    assert report["cycles"] / 2 < report["instructions"] < report["cycles"] * 2
    assert len(report["layers"]) == len(json.loads((out / "layers.json").read_text()))
    assert 0.98 < sum(layer["cycles"] for layer in report["layers"]) / report["cycles"] <= 1
    (entry,) = [f for f in report["functions"] if f["name"] == "edgetx_invoke"]
    assert entry["calls"] == 1
    assert entry["total_cycles"] == report["cycles"]
    assert report["validation"]["cases"] == 0
    assert "LLVM" in report["validation"]["source"]
    assert 0 < report["stack_bytes"] < 100_000


def test_one_program_on_two_cores(out, report) -> None:
    big = profile_phone(out, load_target("phone-cortex-a76"))
    assert report["instructions"] == big["instructions"]
    assert isinstance(big["cycles"], int)
    assert big["cycles"] < report["cycles"] / 1.5


def test_tables_say_what_they_rest_on(out, report, tmp_path) -> None:
    page = tmp_path / "page.html"
    result = edgetx("profile", out, "--target", "phone-cortex-a55", "--by", "function", "--html", page)
    assert result.exit_code == 0, result.output
    assert "not yet compared with silicon; it rests on published tables" in " ".join(result.output.split())
    assert "etx_fully_connected_" in result.output
    assert f"{report['cycles']:,}".replace(",", " ") in result.output, "the same once more"
    assert "SLOTHY" in page.read_text()


def test_the_core_cannot_execute_it(out) -> None:
    result = edgetx("profile", out, "--target", "phone-cortex-a53")
    assert result.exit_code != 0
    assert "no row for 'dot'" in result.output


def test_other_files(out, tmp_path) -> None:
    assert "not for 64-bit Arm" in edgetx("profile", sys.executable, "--target", "phone-cortex-a55").output
    assert "no program" in edgetx("profile", tmp_path, "--target", "phone-cortex-a55").output
    refused = edgetx("profile", out, "--target", "phone-cortex-a55", "--trace", tmp_path / "t.json")
    assert "does not take it" in refused.output


def test_damaged_programs(out, tmp_path) -> None:
    """Whatever is wrong in the headers, the program is refused or runs into an error that says so."""
    good, rng = (out / "program").read_bytes(), random.Random(1)
    path = tmp_path / "program"
    refused = 0
    for _ in range(25):
        damaged = bytearray(good[: rng.choice([len(good), len(good), rng.randrange(1, len(good))])])
        for _ in range(rng.randrange(1, 6)):
            damaged[rng.randrange(4, min(len(damaged), 512))] = rng.randrange(256)
        path.write_bytes(damaged)
        try:
            Process(path)
        except DeviceError:
            refused += 1
    assert refused > 5
