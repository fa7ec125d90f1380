"""Imported graphs against the runtimes of their files."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from edgetx import ops
from edgetx.backends.onnx import write_onnx
from edgetx.backends.tflite import write_tflite
from edgetx.compiler.source import load_source
from edgetx.compiler.source_check import check_source
from edgetx.errors import ModelError
from edgetx.ir import Graph, GraphBuilder, QuantParams
from edgetx.quant.restore import float_twin

pytestmark = pytest.mark.runtimes
STORED = ("int8", QuantParams((0.05,), 3))


def network() -> Graph:
    """A convolution, a pool and a layer in integers."""
    rng = np.random.default_rng(0)
    b = GraphBuilder("network")
    x = b.input("x", (1, 8, 6, 2), *STORED)
    kernel = b.const(rng.integers(-127, 128, (4, 3, 3, 2)).astype(np.int8), "w", QuantParams((0.01,) * 4, 0, 0))
    y = b.op(ops.Conv2D(padding="same", activation="relu"), x, kernel, quant=STORED)
    return b.graph(b.op(ops.MaxPool2D((2, 2), (2, 2)), y, quant=STORED))


def float_onnx(path: Path) -> Path:
    w = helper.make_tensor("w", TensorProto.FLOAT, (3, 4), np.linspace(-1, 1, 12).tolist())
    nodes = [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node("Tanh", ["h"], ["y"])]
    info = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in (("x", (1, 3)), ("y", (1, 4)))]
    graph = helper.make_graph(nodes, "g", info[:1], info[1:], [w])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), path)
    return path


def test_integers_equal_litert(tmp_path: Path) -> None:
    path = tmp_path / "network.tflite"
    path.write_bytes(write_tflite(network()))
    check = check_source(path, load_source(str(path)), {})
    assert check is not None
    assert (check.runtime, check.kind, check.mismatches) == ("litert", "integer", 0)


def test_qdq_is_compared_with_onnx_runtime(tmp_path: Path) -> None:
    path = tmp_path / "network.onnx"
    path.write_bytes(write_onnx(network()))
    check = check_source(path, load_source(str(path)), {})
    assert check is not None
    assert check.runtime == "onnxruntime"
    assert check.max_lsb is not None
    assert check.max_lsb <= 1


def test_float_graph_equals_onnx_runtime(tmp_path: Path) -> None:
    path = float_onnx(tmp_path / "float.onnx")
    check = check_source(path, load_source(str(path)), {})
    assert check is not None
    assert check.kind == "float"
    assert check.signal_to_error_db is None or check.signal_to_error_db > 100


def test_program_equals_torch(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    module = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.GELU(), torch.nn.LayerNorm(8))
    path = tmp_path / "program.pt2"
    torch.export.save(torch.export.export(module.eval(), (torch.zeros(1, 6),)), path)
    check = check_source(path, load_source(str(path)), {})
    assert check is not None
    assert (check.runtime, check.kind) == ("torch", "float")


def test_real_numbers_far_from_the_integers_of_the_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "network.tflite"
    path.write_bytes(write_tflite(network()))
    source = load_source(str(path))
    anew = replace(source, graph=float_twin(source.graph), notes=("quantized anew",))
    check = check_source(path, anew, {})
    assert check is not None
    assert check.kind == "requantized"
    consts = {name: (0.2 * data).astype(data.dtype) for name, data in anew.graph.consts.items()}
    with pytest.raises(ModelError, match="far from the real numbers behind them"):
        check_source(path, replace(anew, graph=replace(anew.graph, consts=consts)), {})


@pytest.mark.parametrize("suffix", ["tflite", "onnx"])
def test_wrong_import_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"model.{suffix}"
    if suffix == "tflite":
        path.write_bytes(write_tflite(network()))
    else:
        float_onnx(path)
    source = load_source(str(path))
    consts = {name: -data for name, data in source.graph.consts.items()}
    wrong = replace(source, graph=replace(source.graph, consts=consts))
    with pytest.raises(ModelError, match="imported wrong") as error:
        check_source(path, wrong, {})
    assert "import.check=off" in error.value.hint
