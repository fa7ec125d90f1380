"""Tuning measures every form of every layer in the simulator."""

import pytest
from click.testing import CliRunner

from edgetx.cli import main
from edgetx.compiler.settings import kernel_schedule
from edgetx.compiler.tuning import MeasuredForm, worth_having
from edgetx.plan import plan_program
from edgetx.plan.schedule import LayerShape, read_schedule
from edgetx.targets import load_target


def test_forms_that_save_neither_time_nor_memory_are_dropped() -> None:
    measured = [
        MeasuredForm("fast", 4000, 100, 0),
        MeasuredForm("no faster", 3000, 100, 0),
        MeasuredForm("slower and larger", 3500, 120, 0),
        MeasuredForm("small", 100, 130, 0),
        MeasuredForm("too slow", 0, 151, 0),
    ]
    assert [one.form for one in worth_having(measured)] == ["no faster", "small"]


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
