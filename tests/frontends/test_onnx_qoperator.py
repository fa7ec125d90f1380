"""Quantized operators of ONNX Runtime: the integers that come out are its own, or one step off."""

from collections.abc import Sequence

import numpy as np
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper

from edgetx.compiler.source_check import compare, random_cases
from edgetx.errors import ModelError
from edgetx.frontends.onnx import import_onnx
from edgetx.frontends.onnx.qoperator import standard_nodes
from edgetx.reference import execute
from edgetx.runtimes.onnxruntime import OnnxFile

pytestmark = pytest.mark.runtimes
RNG = np.random.default_rng(0)
IMAGE, ROWS = (1, 4, 6, 5), (1, 3, 8)
X, Y, W, PER_CHANNEL = (("xs", "xz"), ("ys", "yz"), ("ws", "wz"), ("cs", "cz"))
"""Names of scales and zero points."""


def normal(*shape: int) -> np.ndarray:
    return RNG.normal(0, 0.7, shape).astype(np.float32)


def weight(*shape: int) -> np.ndarray:
    return RNG.integers(-127, 128, shape).astype(np.int8)


def model(nodes: Sequence[NodeProto], shape: Sequence[int], **constants: np.ndarray) -> bytes:
    """Nodes from x to y, of uint8 activations, with their quantization."""
    held = {"xs": np.float32(0.02), "xz": np.uint8(120), "ys": np.float32(0.03), "yz": np.uint8(100),
            "ws": np.float32(0.01), "wz": np.int8(0), **constants}  # fmt: skip
    tensors = [numpy_helper.from_array(np.asarray(array), name) for name, array in held.items()]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    graph = helper.make_graph(nodes, "g", inputs, outputs, tensors)
    return helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()


def between(kind: str, inputs: Sequence[str], domain: str = "com.microsoft", **attributes) -> list[NodeProto]:
    """An operator on the integers `q` between a QuantizeLinear and a DequantizeLinear."""
    return [
        helper.make_node("QuantizeLinear", ["x", *X], ["q"]),
        helper.make_node(kind, inputs, ["r"], domain=domain, **attributes),
        helper.make_node("DequantizeLinear", ["r", *Y], ["y"]),
    ]


UNARY, BINARY = ["q", *X, *Y], ["q", *X, "q", *X, *Y]
CONV = {"w": weight(6, 4, 3, 3), "cs": np.linspace(0.005, 0.01, 6, dtype=np.float32), "cz": np.zeros(6, np.int8),
        "b": RNG.integers(-999, 999, 6).astype(np.int32)}  # fmt: skip
CASES = {
    "conv": (between("QLinearConv", ["q", *X, "w", *PER_CHANNEL, *Y, "b"], "", pads=[1, 1, 1, 1]), IMAGE, CONV),
    "matmul": (between("QLinearMatMul", ["q", *X, "w", *W, *Y], ""), ROWS, {"w": weight(8, 5)}),
    "gemm": (between("QGemm", ["q", *X, "w", *W, "b", *Y], transB=1), (1, 4), {"w": weight(6, 4), "b": CONV["b"]}),
    "add": (between("QLinearAdd", BINARY), ROWS, {}),
    "mul": (between("QLinearMul", BINARY), ROWS, {}),
    "average_pool": (between("QLinearAveragePool", UNARY, kernel_shape=[2, 2], strides=[2, 1]), IMAGE, {}),
    "global_average_pool": (between("QLinearGlobalAveragePool", UNARY), IMAGE, {}),
    "leaky_relu": (between("QLinearLeakyRelu", UNARY, alpha=0.2), ROWS, {}),
    "sigmoid": (between("QLinearSigmoid", UNARY), ROWS, {"ys": np.float32(1 / 256), "yz": np.uint8(0)}),
    "softmax": (between("QLinearSoftmax", UNARY, axis=-1, opset=17), ROWS,
                {"ys": np.float32(1 / 256), "yz": np.uint8(0)}),
    "pad": (between("Pad", ["q", "pads", "xz"], ""), ROWS,
            {"pads": np.array([0, 1, 0, 0, 0, 2]), "ys": np.float32(0.02), "yz": np.uint8(120)}),
    "concat": (between("QLinearConcat", [*Y, "q", *X, "q", *X], axis=1), ROWS, {}),
    "microsoft": (
        [helper.make_node("QuantizeLinear", ["x", *X], ["q"], domain="com.microsoft"),
         helper.make_node("DequantizeLinear", ["q", *X], ["d"], domain="com.microsoft"),
         helper.make_node("Sigmoid", ["d"], ["s"]),
         helper.make_node("QuantizeLinear", ["s", *Y], ["r"], domain="com.microsoft"),
         helper.make_node("DequantizeLinear", ["r", *Y], ["y"], domain="com.microsoft")], ROWS, {},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_operator(name: str) -> None:
    nodes, shape, constants = CASES[name]
    content = model(nodes, shape, **constants)
    graph = import_onnx(content, name, {}, pytest.fail)
    found = compare(OnnxFile(content, {}), graph, random_cases(graph, 4), "integer")
    assert found.kind == "integer"
    assert found.max_lsb is not None
    assert found.max_lsb <= 1


def test_layer_whose_result_stays_real() -> None:
    nodes = [
        helper.make_node("QuantizeLinear", ["x", *X], ["q"]),
        helper.make_node("QGemm", ["q", *X, "w", *W, "b"], ["y"], domain="com.microsoft", transB=1),
    ]
    content = model(nodes, (1, 4), w=weight(6, 4), b=CONV["b"])
    notes: list[str] = []
    graph = import_onnx(content, "real", {}, notes.append)
    x = np.linspace(-1, 1, 4, dtype=np.float32).reshape(1, 4)
    np.testing.assert_allclose(execute(graph, [x])[0], OnnxFile(content, {}).run([x])[0], atol=0.2)
    assert "not quantized" in notes[0]


@pytest.mark.parametrize(("axes", "keepdims"), [([2], 1), ([1, 3], 0)])
def test_mean_is_that_between_a_pair(axes: list[int], keepdims: int) -> None:
    """ONNX Runtime has no kernel for it on processors, but for what it stands for."""
    own = between("QLinearReduceMean", UNARY, axes=axes, keepdims=keepdims)
    standard = [
        own[0],
        helper.make_node("DequantizeLinear", ["q", *X], ["d"]),
        helper.make_node("ReduceMean", ["d"], ["m"], axes=axes, keepdims=keepdims),
        helper.make_node("QuantizeLinear", ["m", *Y], ["r"]),
        own[2],
    ]
    graph = import_onnx(model(own, IMAGE), "mean", {}, pytest.fail)
    found = compare(OnnxFile(model(standard, IMAGE), {}), graph, random_cases(graph, 4), "integer")
    assert found.max_lsb is not None
    assert found.max_lsb <= 1


def test_product_of_integers_that_becomes_real() -> None:
    nodes = [
        helper.make_node("QuantizeLinear", ["x", *X], ["q"]),
        helper.make_node(
            "MatMulIntegerToFloat", ["q", "w", "xs", "ws", "xz", "wz", "b"], ["y"], domain="com.microsoft"
        ),
    ]
    content = model(nodes, ROWS, w=weight(8, 5), b=normal(5))
    notes: list[str] = []
    graph, x = import_onnx(content, "real", {}, notes.append), normal(*ROWS)
    assert notes
    np.testing.assert_allclose(execute(graph, [x])[0], OnnxFile(content, {}).run([x])[0], atol=0.1)


@pytest.mark.parametrize("kind", ["DynamicQuantizeMatMul", "DynamicQuantizeLSTM"])
def test_weights_of_what_quantizes_as_it_runs(kind: str) -> None:
    if kind == "DynamicQuantizeMatMul":
        node = helper.make_node(kind, ["x", "w", *W, "b"], ["y"], domain="com.microsoft")
        constants = {"w": weight(8, 5), "b": normal(5)}
    else:
        inputs = ["x", "w", "r", "b", "", "", "", "", "cs", "cz", "ws", "wz"]
        node = helper.make_node(kind, inputs, ["y"], domain="com.microsoft", hidden_size=3)
        constants = {"w": weight(1, 8, 12), "r": weight(1, 3, 12), "b": normal(1, 24), "wz": np.zeros(1, np.int8),
                     "ws": np.float32([0.01]), "cs": np.linspace(0.005, 0.01, 12, dtype=np.float32)[None],
                     "cz": np.zeros((1, 12), np.int8)}  # fmt: skip
    shape = (1, 3, 8) if kind == "DynamicQuantizeMatMul" else (4, 1, 8)
    content = model([node], shape, **constants)
    notes: list[str] = []
    graph = import_onnx(content, kind, {}, notes.append)
    assert "DynamicQuantizeLinear" in notes[0]
    found = compare(OnnxFile(content, {}), graph, random_cases(graph, 4), "requantized")
    assert found.signal_to_error_db is not None
    assert found.signal_to_error_db > 30


@pytest.mark.parametrize(("zero", "least"), [(0, 0.0), (128, -1.0)])
def test_clamp_that_a_quantizer_left_to_the_integers_is_kept(zero: int, least: float) -> None:
    """Tanh is not quantized, so that the file becomes real numbers; its QuantizeLinear was a ReLU all the same."""
    nodes = [
        helper.make_node("Neg", ["x"], ["n"]),
        helper.make_node("QuantizeLinear", ["n", "ws", "zero"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "ws", "zero"], ["d"]),
        helper.make_node("Tanh", ["d"], ["y"]),
    ]
    graph = import_onnx(model(nodes, (1, 2), zero=np.uint8(zero)), "clamp", {})
    found = execute(graph, [np.array([[1, -0.5]], np.float32)])[0]
    np.testing.assert_allclose(found, np.tanh([[least, 0.5]]), atol=1e-6)


def test_recurrence_without_a_result_is_refused() -> None:
    node = helper.make_node("DynamicQuantizeLSTM", ["x"] * 12, [""], domain="com.microsoft")
    with pytest.raises(ModelError, match="without a result"):
        list(standard_nodes([node]))
