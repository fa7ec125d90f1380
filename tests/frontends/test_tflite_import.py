"""What our own TFLite files say comes back from them, bit for bit."""

import numpy as np
import pytest

from edgetx import ops
from edgetx.backends.tflite import write_tflite
from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.frontends.tflite import import_tflite, load_tflite
from edgetx.frontends.tflite.file import Operator, Subgraph, Tensor
from edgetx.frontends.tflite.importer import import_subgraphs
from edgetx.frontends.tflite.open_axes import with_sizes
from edgetx.ir import DType, Graph, GraphBuilder, QuantParams
from edgetx.ops import Op
from edgetx.reference import execute

QUANT = {"int8": QuantParams((0.05,), -3), "int16": QuantParams((0.001,))}
IMAGE = (1, 6, 5, 4)


def one_op(op: Op, dtype: DType, count: int) -> Graph:
    b = GraphBuilder("one")
    xs = [b.input(f"x{i}", IMAGE, dtype, QUANT[dtype]) for i in range(count)]
    return b.graph(b.op(op, *xs, quant=(dtype, QUANT[dtype])))


@pytest.mark.parametrize("dtype", ["int8", "int16"])
@pytest.mark.parametrize(
    ("op", "count"),
    [
        (ops.Add("relu"), 2), (ops.Sub(), 2), (ops.Mul("relu6"), 2), (ops.Maximum(), 2), (ops.Minimum(), 2),
        (ops.Mean((1, 2), True), 1), (ops.ReduceMax((1,)), 1), (ops.MaxPool2D((2, 2), (2, 1), "same"), 1),
        (ops.AveragePool2D((2, 3), (1, 2)), 1), (ops.Pad(((0, 0), (1, 2), (0, 1), (0, 0))), 1),
        (ops.Transpose((0, 2, 3, 1)), 1), (ops.StridedSlice((0, 1, 0, 2), (1, 6, 5, 4), (1, 2, 1, 1)), 1),
        (ops.Concatenation(3), 2), (ops.Gather(1, (3, 0, 0)), 1), (ops.BatchMatmul(adj_y=True), 2),
    ],
    ids=lambda value: getattr(value, "name", ""),
)  # fmt: skip
def test_one_op_comes_back(op: Op, count: int, dtype: DType) -> None:
    graph = one_op(op, dtype, count)
    again = import_tflite(write_tflite(graph), "again")
    rng = np.random.default_rng(0)
    xs = [rng.integers(v.type.qmin, v.type.qmax + 1, v.shape).astype(dtype) for v in graph.inputs]
    np.testing.assert_array_equal(execute(again, xs)[0], execute(graph, xs)[0])


def test_layer_comes_back_rounded_once() -> None:
    b = GraphBuilder("layer")
    x = b.input("x", (1, 3, 8), "int8", QUANT["int8"])
    w = b.const(np.arange(-20, 20).reshape(5, 8).astype(np.int8), "w", QuantParams((0.01,) * 5, 0, 0))
    again = import_tflite(write_tflite(b.graph(b.op(ops.FullyConnected(), x, w, quant=("int8", QUANT["int8"])))), "a")
    (node,) = again.nodes
    assert node.op == ops.FullyConnected(rounding="once")
    assert node.inputs[1].type.quant.axis == 0


def test_computed_table_look_up_is_refused_by_name() -> None:
    graph = one_op(ops.Gelu(), "int8", 1)
    with pytest.raises(UnsupportedOpError, match="by a computed index") as error:
        import_tflite(write_tflite(graph), "gelu")
    assert error.value.where


def test_file_is_named_in_errors(tmp_path) -> None:
    (tmp_path / "broken.tflite").write_bytes(write_tflite(one_op(ops.Sub(), "int8", 2))[:200])
    with pytest.raises(ModelError) as error:
        load_tflite(tmp_path / "broken.tflite")
    assert "broken.tflite" in error.value.where


def test_open_axis_takes_the_size_that_is_given():
    tensors = tuple(Tensor(name, (1, 1, 3), "FLOAT32", open_axes=(1,)) for name in "xy")
    subgraph = Subgraph(tensors, (Operator("RELU", (0,), (1,), (), None),), (0,), (1,))
    assert import_subgraphs([subgraph], "open", settings={"x": "5"}).outputs[0].shape == (1, 5, 3)
    with pytest.raises(ModelError, match=r"dynamic shape \(1, \?, 3\)") as error:
        with_sizes(subgraph, {})
    assert error.value.hint == "fix it: --set 'input.x=SIZE'"
    for settings in ({"x": "5,6"}, {"x": "many"}, {"y": "5"}):
        with pytest.raises(ModelError, match=r"sizes of 1 axes|no input is called 'y'"):
            with_sizes(subgraph, settings)
