"""Quantizers' ways of writing QDQ: the integers that come out are ONNX Runtime's, or one step off, and C gives them."""

from collections.abc import Sequence

import numpy as np
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper

from edgetx.backends.c import emit_c, write_c
from edgetx.compiler.quantized import integer_model
from edgetx.compiler.source_check import compare, random_cases
from edgetx.errors import ModelError
from edgetx.firmware.host import build_host_library
from edgetx.frontends.onnx import import_onnx
from edgetx.quant import QuantRecipe
from edgetx.reference import execute
from edgetx.runtimes.host_c import HostC
from edgetx.runtimes.onnxruntime import OnnxFile

pytestmark = pytest.mark.runtimes
RNG = np.random.default_rng(0)
ROWS, NODE = (1, 4, 8), helper.make_node
HELD = {
    "xs": np.float32(0.02), "xz": np.int8(-8), "ys": np.float32(0.03), "yz": np.int8(28), "ws": np.float32(0.01),
    "wz": np.int8(0), "cs": np.linspace(0.005, 0.01, 8, dtype=np.float32), "cz": np.zeros(8, np.int8),
    "az": np.int8(-40), "w": RNG.integers(-99, 99, (8, 8)).astype(np.int8),
    "real": RNG.normal(0, 0.3, (8, 8)).astype(np.float32), "row": RNG.integers(-99, 99, (1, 1, 8)).astype(np.int8),
    "table": RNG.integers(-99, 99, (4, 8)).astype(np.int8), "low": np.int8(-90), "high": np.int8(110),
    "g": RNG.normal(1, 0.2, 8).astype(np.float32), "bs": np.float32(0.0002), "bz": np.int32(0),
    "kernel": RNG.normal(0, 0.2, (8, 4, 3)).astype(np.float32),
    "b": RNG.integers(-999, 999, 8).astype(np.int32), "inf": np.float32(np.inf), "index": np.array([1, 3]),
}  # fmt: skip


def between(*nodes: NodeProto) -> bytes:
    """Nodes from the real numbers `a` behind a pair to `r` before another."""
    ends = [
        NODE("QuantizeLinear", ["x", "xs", "xz"], ["q"]),
        NODE("DequantizeLinear", ["q", "xs", "xz"], ["a"]),
        *nodes,
        NODE("QuantizeLinear", ["r", "ys", "yz"], ["s"]),
        NODE("DequantizeLinear", ["s", "ys", "yz"], ["y"]),
    ]
    return model(ends)


def model(nodes: Sequence[NodeProto]) -> bytes:
    tensors = [numpy_helper.from_array(np.asarray(array), name) for name, array in HELD.items()]
    infos = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ROWS),
             helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]  # fmt: skip
    graph = helper.make_graph(nodes, "g", infos[:1], infos[1:], tensors)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return bytes(made.SerializeToString())


def constant(name: str, *parameters: str, **axis: int) -> NodeProto:
    return NODE("DequantizeLinear", [name, *parameters], [f"{name}.real"], **axis)


CASES = {
    "weight quantized as it runs": between(
        NODE("QuantizeLinear", ["real", "cs", "cz"], ["k"], axis=1),
        NODE("DequantizeLinear", ["k", "cs", "cz"], ["v"], axis=1),
        NODE("MatMul", ["a", "v"], ["r"]),
    ),
    "layer that stayed real": between(NODE("Conv", ["a", "kernel", "g"], ["r"], pads=[1, 1])),
    "summand with a zero point": between(constant("row", "ws", "az"), NODE("Add", ["a", "row.real"], ["r"])),
    "factor with scales per channel": between(
        constant("table", "cs", "cz", axis=1), NODE("Mul", ["a", "table.real"], ["r"])
    ),
    "stored integers bounded": between(
        constant("w", "ws", "wz"),
        NODE("MatMul", ["a", "w.real"], ["m"]),
        NODE("QuantizeLinear", ["m", "ys", "yz"], ["i"]),
        NODE("Clip", ["i", "low", "high"], ["j"]),
        NODE("DequantizeLinear", ["j", "ys", "yz"], ["d"]),
        NODE("Relu", ["d"], ["r"]),
    ),
    "normalization": between(
        constant("row", "ws", "az"),
        NODE("Squeeze", ["row.real"], ["beta"]),
        NODE("LayerNormalization", ["a", "g", "beta"], ["r"]),
    ),
    "quantized behind a choice of rows": between(
        constant("w", "ws", "wz"), NODE("MatMul", ["a", "w.real"], ["m"]), NODE("Gather", ["m", "index"], ["r"], axis=1)
    ),
    "mean over axes apart": between(NODE("ReduceMean", ["a"], ["r"], axes=[0, 2], keepdims=1)),
}


@pytest.mark.parametrize("name", CASES)
def test_integers_are_kept(name: str, tmp_path) -> None:
    graph = import_onnx(CASES[name], "case", {}, pytest.fail)
    cases = random_cases(graph, 4)
    found = compare(OnnxFile(CASES[name], {}), graph, cases, "integer")
    assert found.max_lsb is not None
    assert found.max_lsb <= 1
    integer = integer_model(graph, np.empty(0), QuantRecipe()).graph
    write_c(emit_c(integer), tmp_path / "c")
    c = HostC(build_host_library(tmp_path / "c", tmp_path / "model.so"), integer.inputs, integer.outputs)
    for case in cases:
        np.testing.assert_array_equal(c.run(case)[0], execute(integer, case)[0])


def test_zero_points_in_16_bits_are_quantized_anew() -> None:
    """Kernels for 16 bits are symmetric."""
    HELD["wide"], HELD["point"] = np.float32(0.0001), np.int16(-193)
    nodes = [
        NODE("QuantizeLinear", ["x", "wide", "point"], ["q"], domain="com.microsoft"),
        NODE("DequantizeLinear", ["q", "wide", "point"], ["a"], domain="com.microsoft"),
        NODE("Relu", ["a"], ["r"]),
        NODE("QuantizeLinear", ["r", "wide", "point"], ["s"], domain="com.microsoft"),
        NODE("DequantizeLinear", ["s", "wide", "point"], ["y"], domain="com.microsoft"),
    ]
    notes: list[str] = []
    assert import_onnx(model(nodes), "wide", {}, notes.append).outputs[0].type.is_float
    assert "zero point" in notes[0]


def test_softmax_in_16_bits_is_quantized_anew() -> None:
    for name, value in (("hs", np.float32(0.001)), ("hz", np.int16(0))):
        HELD[name] = value
    pairs = [(("x", "a"), "hs"), (("r", "y"), "hs")]
    nodes = [
        part
        for (before, after), scale in pairs
        for part in (NODE("QuantizeLinear", [before, scale, "hz"], [f"{before}.q"], domain="com.microsoft"),
                     NODE("DequantizeLinear", [f"{before}.q", scale, "hz"], [after], domain="com.microsoft"))
    ]  # fmt: skip
    nodes.insert(2, NODE("Softmax", ["a"], ["r"], axis=-1))
    notes: list[str] = []
    assert import_onnx(model(nodes), "wide", {}, notes.append).outputs[0].type.is_float
    assert "Softmax in 16 bits" in notes[0]


def test_recurrence_between_integers_is_quantized_anew() -> None:
    """What stands behind it says nothing of its gates."""
    rng = np.random.default_rng(0)
    for name, shape in (("rw", (1, 9, 8)), ("rr", (1, 9, 3))):
        HELD[name] = rng.normal(0, 0.5, shape).astype(np.float32)
    HELD["first"] = np.array([0])
    content = between(
        NODE("Transpose", ["a"], ["t"], perm=[1, 0, 2]),
        NODE("GRU", ["t", "rw", "rr"], ["h"], hidden_size=3),
        NODE("Gather", ["h", "first"], ["r"], axis=0),
    )
    notes: list[str] = []
    assert import_onnx(content, "gru", {}, notes.append).outputs[0].type.is_float
    assert "GRU of integers" in notes[0]


def test_scale_without_end_is_refused_with_a_way_out() -> None:
    nodes = [
        NODE("Neg", ["x"], ["n"]),
        NODE("QuantizeLinear", ["n", "inf", "xz"], ["q"]),
        NODE("DequantizeLinear", ["q", "inf", "xz"], ["y"]),
    ]
    with pytest.raises(ModelError, match="scale inf") as error:
        import_onnx(model(nodes), "case", {})
    assert "finite" in error.value.hint
