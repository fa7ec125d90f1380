"""Which form of a kernel a layer takes: measured layers nearby decide, within the memory that there is."""

from pathlib import Path

import numpy as np
import pytest

from edgetx.errors import TargetError
from edgetx.ir import Graph, GraphBuilder, QuantParams
from edgetx.ops import FullyConnected, KernelCall
from edgetx.plan import Schedule, load_schedule, plan_program
from edgetx.plan.schedule import LayerShape, TunedLayer, read_schedule, schedule_text
from edgetx.targets import load_target

INT8 = ("int8", QuantParams((0.05,), 0))
FOLDERS = ("cortex_m_dsp",)


def dense(rows: int, inputs: int, outputs: int) -> Graph:
    b = GraphBuilder("g")
    weight = b.const(np.ones((outputs, inputs), np.int8), "w", QuantParams((0.01,) * outputs, 0, 0))
    x = b.input("x", (1, rows, inputs), *INT8)
    return b.graph(b.op(FullyConnected(), x, weight, quant=INT8))


def chosen(graph: Graph, *layers: TunedLayer) -> KernelCall:
    (step,) = plan_program(graph, FOLDERS, schedule=Schedule(layer=layers)).steps
    assert step.source.stem == step.call.kernel
    return step.call


def tuned(*forms: str, rows: int = 16, inputs: int = 64, outputs: int = 64) -> TunedLayer:
    zeros = (0,) * len(forms)
    return TunedLayer("fully_connected_s8", rows, inputs, outputs, forms, zeros, zeros)


@pytest.mark.parametrize(
    "form", ["fully_connected_packed_s8:copy/8", "fully_connected_packed_s8", "fully_connected_s8"]
)
def test_measured_form_is_taken(form: str) -> None:
    assert chosen(dense(16, 64, 64), tuned(form)).form == form


def test_first_form_that_fits_is_taken() -> None:
    forms = "fully_connected_packed_s8:copy/1", "fully_connected_packed_s8:copy/4", "fully_connected_packed_s8"
    assert chosen(dense(16, 64, 64), tuned(*forms)).form == forms[1], "a copy of all takes 5 KB"


def test_nearest_layer_decides_and_distant_ones_do_not() -> None:
    near = tuned("fully_connected_packed_s8", rows=24)
    far = tuned("fully_connected_s8", rows=200, inputs=32)
    assert chosen(dense(16, 64, 64), far, near).form == "fully_connected_packed_s8"
    assert chosen(dense(16, 64, 64), far).form == "fully_connected_packed_s8:copy/4"


def test_file_gives_the_schedule_back(tmp_path: Path) -> None:
    schedule = Schedule("board", "tune 'a \"folder\"' C:\\ä", (tuned("a:copy/1", "a"), tuned("b", rows=3)))
    (tmp_path / "s.toml").write_text(schedule_text(schedule), encoding="utf-8")
    assert read_schedule(tmp_path / "s.toml") == schedule


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rows = 0", "sizes are positive"),
        ("[[layer]]\nkernel = 1", "layer"),
        ("layer = 3", "expected"),
        ("x = ", "not valid TOML"),
    ],
)
def test_damaged_schedule_is_refused(tmp_path: Path, text: str, message: str) -> None:
    fields = 'kernel = "k"\nrows = 1\ninputs = 1\noutputs = 1\nforms = ["k"]\ncycles = [1]\ncode_bytes = [1]\n'
    path = tmp_path / "s.toml"
    path.write_text("[[layer]]\n" + fields.replace("rows = 1", text) if text.startswith("rows") else text)
    with pytest.raises(TargetError, match=message):
        read_schedule(path)


def test_missing_schedule_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="cannot read"):
        read_schedule(tmp_path / "none.toml")


@pytest.mark.parametrize("board", ["nucleo-l4r5zi", "nucleo-u575zi", "nucleo-h7a3zi", "nucleo-g0b1re", "nrf52840-dk"])
def test_boards_come_with_schedules(board: str) -> None:
    schedule = load_schedule(load_target(board))
    assert schedule.layer
    for layer in schedule.layer:
        assert list(layer.cycles) == sorted(layer.cycles)


def test_kernels_without_a_choice_have_no_shape() -> None:
    assert LayerShape.of(KernelCall("add_s8", {}, ())) is None
