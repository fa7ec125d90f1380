"""Estimates: from the work of the ops, without firmware, and close to the simulator."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from edgetx.cli import main
from edgetx.errors import DeviceError, TargetError
from edgetx.ir.serialize import load_graph
from edgetx.ops import REGISTRY
from edgetx.profile.estimate import estimate_artifact, load_estimates
from edgetx.resources import data_dir
from edgetx.targets import list_targets, load_target

CORES = sorted({target.core for target in list_targets() if target.kind == "mcu"})


@pytest.mark.parametrize("core", CORES)
def test_every_microcontroller_has_rates(core: str) -> None:
    estimates = load_estimates(core)
    assert estimates.core == core
    assert all(0 < rate.cycles_per_mac + rate.cycles_per_element < 1000 for rate in estimates.rates.values())
    assert max(abs(distance.error) for distance in estimates.distance) < 0.25


def test_estimate_is_close_to_the_simulator(compiled) -> None:
    simulated = compiled.report["profile"]
    estimated = estimate_artifact(compiled.folder, load_target("nucleo-l4r5zi"))
    assert estimated["engine"] == "estimate"
    assert estimated.keys() == simulated.keys()
    assert [layer["name"] for layer in estimated["layers"]] == [layer["name"] for layer in simulated["layers"]]
    assert estimated["cycles"] == pytest.approx(simulated["cycles"], rel=0.4)


def test_rates_times_work(compiled) -> None:
    graph = load_graph(compiled.folder / "graphs" / "integer.npz", REGISTRY)
    node = next(node for node in graph.nodes if node.op.name == "fully_connected")
    rate, cost = load_estimates("cortex-m4").rates["fully_connected"], node.op.cost(node)
    expected = cost.macs * rate.cycles_per_mac + cost.elementwise * rate.cycles_per_element
    assert load_estimates("cortex-m4").cycles(node) == round(expected)


def test_needs_neither_firmware_nor_the_same_target(own_copy) -> None:
    (own_copy.folder / "firmware.elf").unlink()
    arguments = ["profile", str(own_copy.folder), "--target", "nucleo-g0b1re", "--engine", "estimate"]
    result = CliRunner().invoke(main, [*arguments, "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout)["core"] == "cortex-m0plus"
    table = CliRunner().invoke(main, arguments)
    assert "(estimate)" in table.stdout
    assert "mean distance from the simulator" in table.stdout


def test_options_that_execute_are_refused(compiled, tmp_path: Path) -> None:
    arguments = ["profile", compiled.folder, "--target", "nucleo-l4r5zi", "--engine", "estimate", "--trace", tmp_path]
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == 3
    assert "--trace" in result.stderr


def test_what_cannot_be_estimated(tmp_path: Path, compiled) -> None:
    with pytest.raises(DeviceError, match="compiled folders"):
        estimate_artifact(tmp_path, load_target("nucleo-l4r5zi"))
    with pytest.raises(TargetError, match="no estimates"):
        estimate_artifact(compiled.folder, load_target("phone-cortex-a53"))


def test_files_are_of_known_ops() -> None:
    for path in (data_dir("targets") / "estimates").glob("*.toml"):
        assert set(load_estimates(path.stem).rates) <= set(REGISTRY)
