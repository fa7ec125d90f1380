"""`edgetx profile` and `edgetx compare` on a firmware image."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from firmware import build, needs_toolchain

from edgetx.cli import main

pytestmark = needs_toolchain

PROGRAM = """
__attribute__((noinline)) uint32_t inner(uint32_t n) {
    uint32_t s = 0;
    for (volatile uint32_t i = 0; i < n; i++) s += i;
    return s;
}
__attribute__((noinline)) uint32_t outer(void) { return inner(100) + inner(50); }
void reset(void) { finish(outer() != 4950 + 1225); }
"""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("nucleo-l4r5zi", PROGRAM, tmp_path_factory.mktemp("image"))


def test_json_adds_up(image: Path) -> None:
    result = run("profile", image, "--target", "nucleo-l4r5zi", "--json")
    assert result.exit_code == 0
    profile = json.loads(result.stdout)
    assert profile["engine"] == "simulate"
    assert profile["core"] == "cortex-m4"
    functions = {f["name"]: f for f in profile["functions"]}
    assert functions["inner"]["calls"] == 2
    assert functions["outer"]["total_cycles"] == functions["outer"]["cycles"] + functions["inner"]["cycles"]
    assert sum(f["cycles"] for f in profile["functions"]) == profile["cycles"] == sum(profile["stalls"].values())
    assert sum(f["instructions"] for f in profile["functions"]) == profile["instructions"]
    assert sum(line["cycles"] for line in profile["lines"]) == profile["cycles"]
    assert profile["latency_us"] == pytest.approx(profile["cycles"] / 120)
    assert profile["stack_bytes"] > 0


def test_traces_hold_all_cycles(image: Path, tmp_path: Path) -> None:
    scope, perfetto, page = tmp_path / "a.json", tmp_path / "a.perfetto.json", tmp_path / "a.html"
    first = run("profile", image, "--target", "nucleo-l4r5zi", "--json", "--trace", scope, "--html", page)
    second = run("profile", image, "--target", "nucleo-l4r5zi", "--trace", perfetto)
    assert (first.exit_code, second.exit_code) == (0, 0)
    cycles = json.loads(first.stdout)["cycles"]
    profile = json.loads(scope.read_text())["profiles"][0]
    assert sum(profile["weights"]) == profile["endValue"] == cycles
    frames = [f["name"] for f in json.loads(scope.read_text())["shared"]["frames"]]
    stacks = [[frames[i] for i in sample] for sample in profile["samples"]]
    assert any(stack[-2:] == ["outer", "inner"] for stack in stacks)
    slices = json.loads(perfetto.read_text())["traceEvents"]
    assert max(slice_["args"]["cycles"] for slice_ in slices) == cycles
    assert str(cycles) in page.read_text()


def test_one_function(image: Path) -> None:
    result = run("profile", image, "--target", "nucleo-l4r5zi", "--function", "outer", "--json")
    whole = json.loads(run("profile", image, "--target", "nucleo-l4r5zi", "--json").stdout)
    assert json.loads(result.stdout)["cycles"] < whole["cycles"]


def test_compare_fails_when_a_rule_is_broken(image: Path, tmp_path: Path) -> None:
    before, after = tmp_path / "before.json", tmp_path / "after.json"
    profile = json.loads(run("profile", image, "--target", "nucleo-l4r5zi", "--json").stdout)
    before.write_text(json.dumps(profile))
    after.write_text(json.dumps(profile | {"cycles": profile["cycles"] * 2}))
    assert run("compare", before, before, "--fail-if", "cycles>+2%").exit_code == 0
    result = run("compare", before, after, "--fail-if", "cycles>+2%")
    assert result.exit_code == 1
    assert "cycles>+2%" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("--target", "rpi-pico"), 5, "rpi-pico does not have"),
        (("--target", "nucleo-l4r5"), 3, "nucleo-l4r5zi"),
        (("--target", "nucleo-l4r5zi", "--function", "nowhere"), 5, "no symbol 'nowhere'"),
        (("--target", "nucleo-l4r5zi", "--engine", "magic"), 2, "magic"),
    ],
)
def test_mistakes(image: Path, arguments: tuple[str, ...], code: int, text: str) -> None:
    result = run("profile", image, *arguments)
    assert result.exit_code == code
    assert text in result.stderr


def test_a_function_that_is_spelt_wrong_and_a_status_that_is_not_zero(tmp_path: Path) -> None:
    image = str(build("nucleo-l4r5zi", "void reset(void) { finish(3); }", tmp_path))
    done = CliRunner().invoke(main, ["profile", image, "--target", "nucleo-l4r5zi"])
    assert done.exit_code == 0
    assert "ended with status 3" in done.stderr
    wrong = CliRunner().invoke(main, ["profile", image, "--target", "nucleo-l4r5zi", "--function", "rest"])
    assert "did you mean reset?" in wrong.stderr
    base = CliRunner().invoke(main, ["profile", image, "--target", "nucleo-l4r5zi", "--base", "flash"])
    assert "such as 0x08000000" in base.stderr
