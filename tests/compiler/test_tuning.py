"""Tuning measures every form of every layer in the simulator."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from edgetx.cli import main
from edgetx.compiler import tuning
from edgetx.compiler.settings import kernel_schedule
from edgetx.compiler.tuning import MeasuredForm, worth_having
from edgetx.ir import Graph, GraphBuilder, QuantParams
from edgetx.ops import FullyConnected
from edgetx.plan import Schedule, plan_program
from edgetx.plan.schedule import LayerShape, read_schedule
from edgetx.targets import Target, load_target


def test_forms_that_save_neither_time_nor_memory_are_dropped() -> None:
    measured = [
        MeasuredForm("fast", 4000, 100, 0),
        MeasuredForm("no faster", 3000, 100, 0),
        MeasuredForm("slower and larger", 3500, 120, 0),
        MeasuredForm("small", 100, 130, 0),
        MeasuredForm("too slow", 0, 151, 0),
    ]
    assert [one.form for one in worth_having(measured)] == ["no faster", "small"]


def dense(outputs: int) -> Graph:
    quant = QuantParams((0.05,), 0)
    b = GraphBuilder("dense")
    weight = b.const(np.ones((outputs, 8), np.int8), "w", QuantParams((0.01,) * outputs, 0, 0))
    return b.graph(b.op(FullyConnected(), b.input("x", (1, 8), "int8", quant), weight, quant=("int8", quant)))


def test_interrupted_tuning_goes_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What was measured before is not measured again, if target and source are the same; at last no file is left."""
    measured: list[int] = []

    def measure(graph: Graph, target: Target) -> list[MeasuredForm]:
        outputs = graph.outputs[0].shape[-1]
        if measured == [3]:
            measured.append(0)
            raise KeyboardInterrupt
        measured.append(outputs)
        return [MeasuredForm("form", 0, 100 * outputs, 10)]

    monkeypatch.setattr(tuning, "measured_forms", measure)
    target, unfinished = load_target("microbit"), tmp_path / "t.toml.unfinished"

    def tuned() -> Schedule:
        return tuning.tune([dense(3), dense(4)], target, "source", lambda stage: None, unfinished)

    with pytest.raises(KeyboardInterrupt):
        tuned()
    assert [layer.outputs for layer in read_schedule(unfinished).layer] == [3]
    assert [layer.cycles for layer in tuned().layer] == [(300,), (400,)]
    assert measured == [3, 0, 4]
    assert not unfinished.exists()


@pytest.mark.toolchain
@pytest.mark.simulator
def test_tuned_forms_are_those_compiled(compiled, tmp_path) -> None:
    schedule = tmp_path / "fast.toml"
    arguments = ["tune", str(compiled.folder), "--target", "nucleo-l4r5zi", "-o", str(schedule), "-q"]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    tuned = read_schedule(schedule)
    assert len({layer.shape for layer in tuned.layer}) == len(tuned.layer) > 1
    assert all(layer.cycles[0] == min(layer.cycles) > 0 for layer in tuned.layer)
    program = plan_program(compiled.artifact.graph, load_target("nucleo-l4r5zi").kernels, schedule=tuned)
    forms = {layer.shape: layer.forms for layer in tuned.layer}
    shapes = [(step, LayerShape.of(step.node.op.to_c(step.node))) for step in program.steps]
    assert all(step.call.form in forms[shape] for step, shape in shapes if shape is not None)
    settings = kernel_schedule({"kernels.schedule": str(schedule)}, load_target("nucleo-l4r5zi"))
    assert settings == tuned
