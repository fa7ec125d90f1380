"""Models that compute in floating point between integers: imported as the real numbers that they stand for."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from edgetx.frontends.onnx import import_onnx
from edgetx.frontends.tflite.file import Operator, Subgraph, Tensor
from edgetx.frontends.tflite.importer import import_subgraphs
from edgetx.reference import execute

SHAPE = (1, 4)


def test_float_operator_between_tflite_integers() -> None:
    def tensor(name: str, kind: str) -> Tensor:
        return Tensor(name, SHAPE, kind, *(((0.02,), (1,)) if kind == "INT8" else ()))

    tensors = tuple(tensor(n, k) for n, k in (("x", "INT8"), ("r", "FLOAT32"), ("e", "FLOAT32"), ("y", "INT8")))
    names = ("DEQUANTIZE", "EXP", "QUANTIZE")
    operators = tuple(Operator(name, (i,), (i + 1,), (), None) for i, name in enumerate(names))
    notes: list[str] = []
    graph = import_subgraphs([Subgraph(tensors, operators, (0,), (3,))], "mixed", notes.append)
    assert "EXP computes in floating point" in notes[0]
    x = np.linspace(-1, 1, 4).astype(np.float32).reshape(SHAPE)
    np.testing.assert_allclose(execute(graph, [x])[0], np.exp(x), rtol=1e-6)


def qdq(*nodes: onnx.NodeProto, **constants: np.ndarray) -> bytes:
    """An ONNX file with these nodes from x to y."""
    scalars = {"scale": np.float32(0.02), "zero": np.int8(3), **constants}
    held = [onnx.numpy_helper.from_array(np.asarray(array), name) for name, array in scalars.items()]
    info = [helper.make_tensor_value_info(name, TensorProto.FLOAT, SHAPE) for name in "xy"]
    graph = helper.make_graph(nodes, "g", info[:1], info[1:], held)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString()


def test_float_operator_between_qdq() -> None:
    content = qdq(
        helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["d"]),
        helper.make_node("Exp", ["d"], ["e"]),
        helper.make_node("Tanh", ["e"], ["y"]),
    )
    notes: list[str] = []
    graph = import_onnx(content, "mixed", {}, notes.append)
    assert "is not quantized" in notes[0]
    x = np.linspace(-1, 1, 4).astype(np.float32).reshape(SHAPE)
    np.testing.assert_allclose(execute(graph, [x])[0], np.tanh(np.exp(x)), rtol=1e-6)


def test_asymmetric_weights_are_restored() -> None:
    weight = np.arange(16, dtype=np.int8).reshape(4, 4)
    content = qdq(
        helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["d"]),
        helper.make_node("DequantizeLinear", ["w", "scale", "zero"], ["dw"]),
        helper.make_node("MatMul", ["d", "dw"], ["m"]),
        helper.make_node("QuantizeLinear", ["m", "scale", "zero"], ["qm"]),
        helper.make_node("DequantizeLinear", ["qm", "scale", "zero"], ["y"]),
        w=weight,
    )
    notes: list[str] = []
    graph = import_onnx(content, "asymmetric", {}, notes.append)
    assert "zero point" in notes[0]
    x = np.linspace(-1, 1, 4).astype(np.float32).reshape(SHAPE)
    np.testing.assert_allclose(execute(graph, [x])[0], x @ ((weight - 3) * np.float32(0.02)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("integer", [True, False])
def test_normalization_of_integers_has_a_bias(integer: bool) -> None:
    """Shifts beyond the range of what comes before must not saturate."""
    parameters = {n: np.full(4, v, np.float32) for n, v in (("gain", 1), ("shift", 5), ("mean", 0), ("variance", 1))}
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["d"]),
        helper.make_node("BatchNormalization", ["d", *parameters], ["n"], epsilon=0.0),
    ]
    if integer:
        nodes += [
            helper.make_node("QuantizeLinear", ["n", "out_scale", "out_zero"], ["qn"]),
            helper.make_node("DequantizeLinear", ["qn", "out_scale", "out_zero"], ["y"]),
        ]
    else:
        nodes += [helper.make_node("Tanh", ["n"], ["y"])]
    content = qdq(*nodes, out_scale=np.float32(0.05), out_zero=np.int8(-100), **parameters)
    graph = import_onnx(content, "norm", {})
    x = np.array([[-50, -1, 0, 50]], np.int8)
    if integer:
        real = (x - 3.0) * 0.02 + 5
        np.testing.assert_array_equal(execute(graph, [x])[0], np.round(real / 0.05).astype(int) - 100)
    else:
        assert graph.outputs[0].type.is_float
