"""ONNX files to damage that our own backend does not write: quantized operators of ONNX Runtime, and recurrence."""

from collections.abc import Sequence

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper


def quantized_operators() -> bytes:
    """A convolution, a sum, a pool and a layer between integers."""
    rng = np.random.default_rng(0)
    x, y, w = ("xs", "xz"), ("ys", "yz"), ("ws", "wz")
    held = {"xs": np.float32(0.02), "xz": np.uint8(120), "ys": np.float32(0.03), "yz": np.uint8(0),
            "ws": np.full(4, 0.01, np.float32), "wz": np.zeros(4, np.int8), "vs": np.float32(0.01), "vz": np.int8(0),
            "w": rng.integers(-99, 99, (4, 2, 3, 3)).astype(np.int8), "b": np.arange(4, dtype=np.int32),
            "v": rng.integers(-99, 99, (5, 4)).astype(np.int8)}  # fmt: skip
    nodes = [
        helper.make_node("QuantizeLinear", ["x", *x], ["q"]),
        helper.make_node("QLinearConv", ["q", *x, "w", *w, *y, "b"], ["c"]),
        _microsoft("QLinearAdd", ["c", *y, "c", *y, *x], "a"),
        _microsoft("QLinearGlobalAveragePool", ["a", *x, *y], "p"),
        helper.make_node("Flatten", ["p"], ["f"]),
        _microsoft("QGemm", ["f", *y, "v", "vs", "vz", "", *x], "g", transB=1),
        _microsoft("QLinearConcat", [*y, "g", *x, "f", *y], "r", axis=1),
        helper.make_node("DequantizeLinear", ["r", *y], ["y"]),
    ]
    return _file(nodes, (1, 2, 6, 5), **held)


def recurrent() -> bytes:
    """A GRU in both directions, an LSTM that quantizes as it runs, and a choice."""
    rng = np.random.default_rng(0)
    held = {"w": rng.normal(0, 1, (2, 9, 4)), "r": rng.normal(0, 1, (2, 9, 3)), "b": rng.normal(0, 1, (2, 18)),
            "rows": np.array([4, 1, 6]), "i": rng.integers(-99, 99, (1, 6, 8)).astype(np.int8),
            "h": rng.integers(-99, 99, (1, 2, 8)).astype(np.int8), "s": np.full(1, 0.01), "z": np.zeros(1, np.int8),
            "zero": np.zeros(1)}  # fmt: skip
    nodes = [
        helper.make_node("GRU", ["x", "w", "r", "b"], ["g"], hidden_size=3, direction="bidirectional"),
        helper.make_node("Reshape", ["g", "rows"], ["m"]),
        _microsoft("DynamicQuantizeLSTM", ["m", "i", "h", "", "", "", "", "", "s", "z", "s", "z"], "l", hidden_size=2),
        helper.make_node("Greater", ["l", "zero"], ["t"]),
        helper.make_node("Where", ["t", "l", "zero"], ["y"]),
    ]
    floats = {k: v.astype(np.float32) if v.dtype == np.float64 else v for k, v in held.items()}
    return _file(nodes, (4, 1, 4), **floats)


def _microsoft(kind: str, inputs: Sequence[str], output: str, **attributes: object) -> NodeProto:
    return helper.make_node(kind, inputs, [output], domain="com.microsoft", **attributes)


def _file(nodes: Sequence[NodeProto], shape: Sequence[int], **held: np.ndarray) -> bytes:
    tensors = [numpy_helper.from_array(np.asarray(array), name) for name, array in held.items()]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    graph = helper.make_graph(nodes, "g", inputs, outputs, tensors)
    return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString())
