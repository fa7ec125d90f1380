"""ONNX files that are more than a list of standard operators: what is imported computes what ONNX Runtime does."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.frontends.onnx import import_onnx, load_onnx
from edgetx.frontends.onnx.subgraphs import LARGEST_WRITTEN_OUT
from edgetx.reference import execute
from edgetx.runtimes.onnxruntime import OnnxFile

pytestmark = pytest.mark.runtimes
RNG = np.random.default_rng(0)
HELD = {
    "w": RNG.normal(0, 0.5, (6, 6)).astype(np.float32), "zero": np.zeros((1, 6), np.float32), "go": np.bool_(True),
    "trips": np.int64(4), "one": np.int64(1), "two": np.int64(2), "scale": np.float32([0.5]),
}  # fmt: skip
X, NODE = (1, 4, 6), helper.make_node
DOMAINS = [helper.make_opsetid("", 17), helper.make_opsetid("mine", 1)]


def real(name: str, shape: Sequence[int] | None = None) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def model(
    nodes: Sequence[onnx.NodeProto], functions: Sequence[onnx.FunctionProto] = (), outputs="y"
) -> onnx.ModelProto:
    held = [numpy_helper.from_array(np.asarray(data), name) for name, data in HELD.items()]
    graph = helper.make_graph(nodes, "g", [real("x", X)], [real(name) for name in outputs], held)
    return helper.make_model(graph, opset_imports=DOMAINS, ir_version=9, functions=functions)


def agree(made: onnx.ModelProto) -> None:
    content = made.SerializeToString()
    graph, x = import_onnx(content, "case", {}), RNG.normal(0, 1, X).astype(np.float32)
    for found, expected in zip(execute(graph, [x]), OnnxFile(content, {}).run([x]), strict=True):
        np.testing.assert_allclose(found.reshape(expected.shape), expected, rtol=2e-4, atol=2e-5)


def function(name: str, *nodes: onnx.NodeProto) -> onnx.FunctionProto:
    return helper.make_function(
        "mine", name, ["a"], ["b"], nodes, [helper.make_opsetid("", 17), helper.make_opsetid("mine", 1)]
    )


def test_functions_are_written_out() -> None:
    twice = function("Twice", NODE("Once", ["a"], ["c"], domain="mine"), NODE("Once", ["c"], ["b"], domain="mine"))
    agree(model([NODE("Twice", ["x"], ["y"], domain="mine")], [twice, function("Once", NODE("Tanh", ["a"], ["b"]))]))


def test_functions_that_explode_or_circle_are_refused() -> None:
    many = [
        function(
            f"F{i}", NODE(f"F{i + 1}", ["a"], ["c"], domain="mine"), NODE(f"F{i + 1}", ["c"], ["b"], domain="mine")
        )
        for i in range(30)
    ]
    made = model([NODE("F0", ["x"], ["y"], domain="mine")], [*many, function("F30", NODE("Tanh", ["a"], ["b"]))])
    with pytest.raises(ModelError, match="functions make more than"):
        import_onnx(made.SerializeToString(), "case", {})
    circle = model([NODE("F", ["x"], ["y"], domain="mine")], [function("F", NODE("F", ["a"], ["b"], domain="mine"))])
    with pytest.raises(ModelError, match="calls itself"):
        import_onnx(circle.SerializeToString(), "case", {})


def test_operators_in_any_order() -> None:
    agree(model([NODE("Neg", ["b"], ["y"]), NODE("Relu", ["a"], ["b"]), NODE("Tanh", ["x"], ["a"])]))


def test_shape_between_two_axes() -> None:
    nodes = [
        NODE("Shape", ["x"], ["lead"], start=0, end=-1),
        NODE("Shape", ["x"], ["last"], start=-1),
        NODE("Concat", ["last", "lead"], ["shape"], axis=0),
        NODE("Reshape", ["x", "shape"], ["r"]),
        NODE("Neg", ["r"], ["y"]),
    ]
    agree(model(nodes))


def test_operators_in_a_circle_are_refused() -> None:
    made = model([NODE("Add", ["x", "b"], ["a"]), NODE("Tanh", ["a"], ["b"]), NODE("Neg", ["b"], ["y"])])
    with pytest.raises(ModelError, match="circle"):
        import_onnx(made.SerializeToString(), "case", {})


def body(*nodes: onnx.NodeProto, inputs: Sequence[onnx.ValueInfoProto], outputs: Sequence[str]) -> onnx.GraphProto:
    kinds = {"going": helper.make_tensor_value_info("going", TensorProto.BOOL, [])}
    return helper.make_graph(nodes, "body", inputs, [kinds.get(name) or real(name) for name in outputs])


STEP = (NODE("MatMul", ["h", "w"], ["m"]), NODE("Add", ["m", "row"], ["s"]), NODE("Tanh", ["s"], ["h1"]),
        NODE("Identity", ["h1"], ["r"]))  # fmt: skip


def loop(*more: onnx.NodeProto, trips: str = "trips") -> onnx.NodeProto:
    counted = [helper.make_tensor_value_info("i", TensorProto.INT64, []), real("h", (1, 6))]
    counted.insert(1, helper.make_tensor_value_info("before", TensorProto.BOOL, []))
    inner = body(
        NODE("Gather", ["x", "i"], ["row"], axis=1), *STEP, *more, inputs=counted, outputs=["going", "h1", "r"]
    )
    return NODE("Loop", [trips, "go", "zero"], ["last", "y"], body=inner)


def test_loop_is_written_out() -> None:
    agree(model([loop(NODE("Identity", ["before"], ["going"]))], outputs=["last", "y"]))


def test_loop_ends_by_its_own_condition() -> None:
    agree(model([loop(NODE("Less", ["i", "one"], ["going"]), trips="")], outputs=["last", "y"]))


def test_endless_loop_is_refused() -> None:
    HELD["trips"] = np.int64(LARGEST_WRITTEN_OUT)
    made = model([loop(NODE("Identity", ["before"], ["going"]))], outputs=["last", "y"])
    HELD["trips"] = np.int64(4)
    made.graph.node[0].attribute[0].g.node[0].CopyFrom(NODE("Gather", ["x", "one"], ["row"], axis=1))
    with pytest.raises(UnsupportedOpError, match="a loop of more than"):
        import_onnx(made.SerializeToString(), "case", {})


def test_scan_is_written_out() -> None:
    inner = body(*STEP, inputs=[real("h", (1, 6)), real("row", (1, 6))], outputs=["h1", "r"])
    node = NODE("Scan", ["zero", "x"], ["last", "y"], body=inner, num_scan_inputs=1, scan_input_axes=[1],
                scan_input_directions=[1], scan_output_directions=[1], scan_output_axes=[1])  # fmt: skip
    agree(model([node], outputs=["last", "y"]))


def test_sequences_are_lists() -> None:
    nodes = [
        NODE("SplitToSequence", ["x", "two"], ["parts"], axis=1),
        NODE("SequenceAt", ["parts", "one"], ["second"]),
        NODE("Tanh", ["second"], ["t"]),
        NODE("SequenceInsert", ["parts", "t"], ["more"]),
        NODE("ConcatFromSequence", ["more"], ["joined"], axis=1),
        NODE("Neg", ["joined"], ["y"]),
    ]
    agree(model(nodes))


def test_contents_in_another_file(tmp_path: Path) -> None:
    made = model([NODE("MatMul", ["x", "w"], ["y"])])
    onnx.save(made, tmp_path / "m.onnx", save_as_external_data=True, location="m.data", size_threshold=0)
    x = RNG.normal(0, 1, X).astype(np.float32)
    np.testing.assert_allclose(execute(load_onnx(tmp_path / "m.onnx"), [x])[0], x @ HELD["w"], rtol=1e-5, atol=1e-6)
    (tmp_path / "m.data").unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        load_onnx(tmp_path / "m.onnx")


def test_contents_outside_the_folder_are_refused(tmp_path: Path) -> None:
    made = model([NODE("MatMul", ["x", "w"], ["y"])])
    onnx.save(made, tmp_path / "m.onnx", save_as_external_data=True, location="m.data", size_threshold=0)
    stored = onnx.load(tmp_path / "m.onnx", load_external_data=False)
    for tensor in stored.graph.initializer:
        for entry in tensor.external_data:
            entry.value = "../m.data" if entry.key == "location" else entry.value
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "m.onnx").write_bytes(stored.SerializeToString())
    with pytest.raises(ModelError, match="cannot be read"):
        load_onnx(inside / "m.onnx")
