"""ONNX files to damage that our own backend does not write: quantized operators, recurrence, graphs within graphs."""

from collections.abc import Sequence

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper


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


def structures() -> bytes:
    """Functions, a loop, a scan, sequences, attention of ONNX Runtime, and constant places."""
    rng = np.random.default_rng(0)
    held = {"w": rng.normal(0, 1, (6, 18)), "trips": np.array(3), "go": np.array(True), "zero": np.zeros((1, 6)),
            "two": np.array(2), "at": np.array([[[0, 1], [0, 2]]]), "rows": np.array([[[0] * 6, [2] * 6]]),
            "fresh": rng.normal(0, 1, (1, 2, 6))}  # fmt: skip
    domain, node = [helper.make_opsetid("", 17), helper.make_opsetid("mine", 1)], helper.make_node
    real = helper.make_tensor_value_info("h", TensorProto.FLOAT, (1, 6))
    counter, going = (helper.make_tensor_value_info(*info, []) for info in (("i", 7), ("before", 9)))
    step = [node("Gather", ["m", "i"], ["row"], axis=1), node("Add", ["h", "row"], ["next"])]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("next", "next")]
    body = helper.make_graph([*step, node("Identity", ["before"], ["on"])], "body", [counter, going, real],
                             [helper.make_tensor_value_info("on", 9, []), *ends])  # fmt: skip
    each = helper.make_tensor_value_info("each", TensorProto.FLOAT, (1, 6))
    inner = helper.make_graph([node("Add", ["h", "each"], ["next"])], "scanned", [real, each], ends)
    nodes = [
        _microsoft("Attention", ["x", "w"], "a", num_heads=2, unidirectional=1),
        node("Twice", ["a"], ["m"], domain="mine"),
        node("Loop", ["trips", "go", "zero"], ["last", "stack"], body=body),
        node("Transpose", ["stack"], ["s"], perm=[1, 0, 2]),
        node("Scan", ["zero", "s"], ["end", "scanned"], body=inner, num_scan_inputs=1, scan_input_axes=[1]),
        node("SplitToSequence", ["m", "two"], ["parts"], axis=1),
        node("ConcatFromSequence", ["parts"], ["joined"], axis=1),
        node("Einsum", ["joined", "s"], ["e"], equation="btc,bsc->bts"),
        node("GatherND", ["e", "at"], ["picked"]),
        node("ScatterElements", ["joined", "rows", "fresh"], ["y"], axis=1),
    ]
    held = {k: v.astype(np.float32) if v.dtype == np.float64 else v for k, v in held.items()}
    model = ModelProto.FromString(_file(nodes, (1, 4, 6), **held))
    twice = [node("Tanh", ["a"], ["c"]), node("MeanVarianceNormalization", ["c"], ["b"], axes=[2])]
    model.functions.append(helper.make_function("mine", "Twice", ["a"], ["b"], twice, domain))
    model.opset_import.append(domain[1])
    return bytes(model.SerializeToString())


def _microsoft(kind: str, inputs: Sequence[str], output: str, **attributes: object) -> NodeProto:
    return helper.make_node(kind, inputs, [output], domain="com.microsoft", **attributes)


def _file(nodes: Sequence[NodeProto], shape: Sequence[int], **held: np.ndarray) -> bytes:
    tensors = [numpy_helper.from_array(np.asarray(array), name) for name, array in held.items()]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    graph = helper.make_graph(nodes, "g", inputs, outputs, tensors)
    return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString())
