"""ONNX operators that our own files do not use: what is imported computes what ONNX Runtime does."""

import math
from collections.abc import Sequence

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.frontends.onnx import import_onnx
from edgetx.passes.pipeline import canonicalize
from edgetx.reference import execute
from edgetx.runtimes.onnxruntime import OnnxFile

pytestmark = pytest.mark.runtimes
RNG = np.random.default_rng(0)


def normal(*shape: int) -> np.ndarray:
    return RNG.normal(0, 0.7, shape).astype(np.float32)


def model(kind: str, shape: Sequence[int], consts: Sequence[object] = (), opset: int = 18, **attributes) -> bytes:
    """One operator from x to y, with constants behind x; None leaves an operand out."""
    held = [numpy_helper.from_array(np.asarray(c), f"c{i}") for i, c in enumerate(consts) if c is not None]
    names = ["" if c is None else f"c{i}" for i, c in enumerate(consts)]
    node = helper.make_node(kind, ["x", *names], ["y"], **attributes)
    infos = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape), onnx.ValueInfoProto(name="y")]
    infos[1] = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph([node], "g", infos[:1], infos[1:], held)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)
    return made.SerializeToString()


IMAGE = (1, 4, 7, 6)
AROUND = {"pads": [1, 1, 1, 1]}
LISTS = {"scales": np.float32([1, 1, 2, 2]), "sizes": np.int64([1, 4, 9, 5])}
CASES = {
    "conv_transpose": ("ConvTranspose", IMAGE, (normal(4, 3, 3, 3), normal(3)),
                       {"strides": [2, 2], "pads": [1, 0, 0, 1]}),
    "conv_transpose_more": ("ConvTranspose", IMAGE, (normal(4, 3, 2, 3),),
                            {"strides": [3, 2], "output_padding": [1, 1]}),
    "conv_transpose_dilated": ("ConvTranspose", IMAGE, (normal(4, 3, 3, 2),), {"strides": [1, 2], "dilations": [2, 3]}),
    "conv_transpose_1d": ("ConvTranspose", (1, 4, 9), (normal(4, 3, 4), normal(3)), {"strides": [2], "pads": [1, 1]}),
    "conv_grouped": ("Conv", IMAGE, (normal(6, 2, 3, 3), normal(6)), {"group": 2, **AROUND}),
    "max_pool_padded": ("MaxPool", IMAGE, (), {"kernel_shape": [3, 3], "strides": [2, 2], **AROUND}),
    "max_pool_ceil": ("MaxPool", IMAGE, (), {"kernel_shape": [2, 3], "strides": [2, 2], "ceil_mode": 1}),
    "average_pool_padded": ("AveragePool", IMAGE, (), {"kernel_shape": [3, 3], "strides": [2, 2], **AROUND}),
    "average_pool_counted": ("AveragePool", IMAGE, (), {"kernel_shape": [3, 3], **AROUND, "count_include_pad": 1}),
    "resize_nearest": ("Resize", IMAGE, (None, LISTS["scales"]), {"coordinate_transformation_mode": "asymmetric",
                                                                  "nearest_mode": "floor"}),
    "resize_nearest_half": ("Resize", IMAGE, (None, None, LISTS["sizes"]), {}),
    "resize_linear": ("Resize", IMAGE, (None, LISTS["scales"]), {"mode": "linear"}),
    "resize_corners": ("Resize", IMAGE, (None, None, LISTS["sizes"]),
                       {"mode": "linear", "coordinate_transformation_mode": "align_corners"}),
    "depth_to_space": ("DepthToSpace", (1, 8, 3, 2), (), {"blocksize": 2}),
    "depth_to_space_crd": ("DepthToSpace", (1, 8, 3, 2), (), {"blocksize": 2, "mode": "CRD"}),
    "space_to_depth": ("SpaceToDepth", (1, 2, 4, 6), (), {"blocksize": 2}),
    "instance_norm": ("InstanceNormalization", IMAGE, (normal(4), normal(4)), {}),
    "cumulative_sum": ("CumSum", IMAGE, (np.int64(2),), {}),
    "cumulative_sum_more": ("CumSum", IMAGE, (np.int64(-1),), {"exclusive": 1, "reverse": 1}),
    "layer_norm": ("LayerNormalization", IMAGE, (normal(4, 7, 6), normal(4, 7, 6)), {"axis": 1}),
    "tile": ("Tile", (1, 2, 3), (np.int64([1, 2, 3]),), {}),
    "expand": ("Expand", (1, 1, 3), (np.int64([1, 4, 3]),), {}),
    "reduce_l2": ("ReduceL2", IMAGE, (np.int64([2, 3]),), {}),
    "log_softmax": ("LogSoftmax", (1, 3, 5), (), {"axis": 1}),
    "selu": ("Selu", (1, 9), (), {}), "celu": ("Celu", (1, 9), (), {"alpha": 1.5}), "mish": ("Mish", (1, 9), (), {}),
    "softsign": ("Softsign", (1, 9), (), {}), "softplus": ("Softplus", (1, 9), (), {}),
    "thresholded": ("ThresholdedRelu", (1, 9), (), {"alpha": 0.3}), "elu": ("Elu", (1, 9), (), {"alpha": 0.7}),
    "sign": ("Sign", (1, 9), (), {}), "einsum": ("Einsum", (1, 3, 5), (normal(1, 4, 5),), {"equation": "btc,bsc->bts"}),
    "stft": ("STFT", (1, 64), (np.int64(16), normal(32)), {}),
    "dft": ("DFT", (1, 3, 16, 1), (), {"axis": 2, "onesided": 1}),
    "dft_of_complex": ("DFT", (1, 3, 16, 2), (), {"axis": 1}),
    "dft_inverse": ("DFT", (1, 16, 3, 2), (), {"axis": 1, "inverse": 1}),
    "dft_longer": ("DFT", (1, 12, 1), (np.int64(16),), {"axis": 1}),
    "conv_transpose_groups": ("ConvTranspose", IMAGE, (normal(4, 3, 3, 3), normal(6)), {"group": 2, "strides": [2, 1]}),
    "max_pool_dilated": ("MaxPool", IMAGE, (),
                         {"kernel_shape": [2, 3], "dilations": [2, 1], "strides": [1, 2], **AROUND}),
    "reverse": ("ReverseSequence", (4, 2, 3), (np.int64([3, 4]),), {}),
    "reverse_one": ("ReverseSequence", (1, 5, 2), (np.int64([4]),), {"batch_axis": 0, "time_axis": 1}),
    "mod": ("Mod", (1, 9), (np.float32([0.4]),), {"fmod": 1}), "atan": ("Atan", (1, 9), (), {}),
    "ceil": ("Ceil", (1, 9), (), {}), "round": ("Round", (1, 9), (), {}), "cos": ("Cos", (1, 9), (), {}),
    "sinh": ("Sinh", (1, 9), (), {}), "cosh": ("Cosh", (1, 9), (), {}),
    "shrink": ("Shrink", (1, 9), (), {"lambd": 0.3, "bias": 0.1}),
    "mean_variance": ("MeanVarianceNormalization", IMAGE, (), {"axes": [2, 3]}),
    "lrn": ("LRN", IMAGE, (), {"size": 3, "alpha": 0.3}), "trilu": ("Trilu", IMAGE, (np.int64(1),), {"upper": 0}),
    "reduce_prod": ("ReduceProd", (1, 3, 5), (np.int64([1]),), {"keepdims": 0}),
    "pad_less": ("Pad", (1, 3, 5), (np.int64([0, 1, -1, 0, 0, 2]), np.float32(0.7)), {}),
    "matmul_vector": ("MatMul", (1, 3, 5), (normal(5),), {}),
    "gemm": ("Gemm", (5, 3), (normal(5, 4), normal(3, 4)), {"transA": 1, "alpha": 0.5, "beta": 2.0}),
    "gather_nd": ("GatherND", (1, 4, 5), (np.int64([[[0, 1], [0, -1]]]),), {}),
    "gather_elements": ("GatherElements", (1, 4, 5), (np.int64([[[1, 0], [2, 4], [3, 3]]]),), {"axis": 2}),
    "scatter_nd": ("ScatterND", (1, 4, 5), (np.int64([[0, 1], [0, 3]]), normal(2, 5)), {}),
    "scatter_elements": ("ScatterElements", (1, 4, 5), (np.int64([[[1, 0]]]), normal(1, 1, 2)), {"axis": 2}),
    "einsum_three": ("Einsum", (1, 3, 5), (normal(5, 4), normal(1, 3)), {"equation": "btc,cd,bt->bd"}),
    "einsum_ellipsis": ("Einsum", (1, 3, 5), (normal(5, 4),), {"equation": "...i,ij->...j"}),
    "einsum_outer": ("Einsum", (1, 3), (normal(1, 5),), {"equation": "bi,bj->bij"}),
    "einsum_implicit": ("Einsum", (1, 3, 5), (normal(5, 4),), {"equation": "btc,cd"}),
}  # fmt: skip


def agree(content: bytes) -> None:
    graph = import_onnx(content, "case", {})
    runtime = OnnxFile(content, {})
    for _ in range(2):
        xs = [normal(*value.shape) for value in graph.inputs]
        found, expected = execute(graph, xs), runtime.run(xs)
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a.reshape(b.shape), b, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("name", CASES)
def test_operator(name: str) -> None:
    kind, shape, consts, attributes = CASES[name]
    agree(model(kind, shape, consts, **attributes))


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize(("kind", "gates"), [("LSTM", 4), ("GRU", 3), ("RNN", 1)])
@pytest.mark.parametrize("reset_behind", [0, 1])
def test_recurrence(kind: str, gates: int, direction: str, reset_behind: int, batch: int) -> None:
    if reset_behind and kind != "GRU":
        pytest.skip("an attribute of GRU")
    count, size = (2 if direction == "bidirectional" else 1), 3
    weights = [normal(count, gates * size, 5), normal(count, gates * size, size), normal(count, 2 * gates * size)]
    more = {"linear_before_reset": reset_behind} if kind == "GRU" else {}
    agree(model(kind, (6, batch, 5), weights, hidden_size=size, direction=direction, **more))


@pytest.mark.parametrize("relation", ["Greater", "LessOrEqual"])
def test_choice(relation: str) -> None:
    nodes = [helper.make_node(relation, ["x", "c"], ["t"]), helper.make_node("Neg", ["x"], ["n"]),
             helper.make_node("Where", ["t", "x", "n"], ["y"])]  # fmt: skip
    infos = [helper.make_tensor_value_info(n, TensorProto.FLOAT, (1, 6)) for n in "xy"]
    held = [numpy_helper.from_array(np.float32([0.2]), "c")]
    graph = helper.make_graph(nodes, "g", infos[:1], infos[1:], held)
    agree(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString())


def test_mask_of_minus_infinity_computed_by_the_file() -> None:
    """As exporters write causal attention: zeros and infinity chosen by a triangle, and added to the scores."""
    held = {"hidden": np.triu(np.ones((5, 5), bool), 1), "low": np.float32(-np.inf), "none": np.float32(0)}
    nodes = [
        helper.make_node("Where", ["hidden", "low", "none"], ["mask"]),
        helper.make_node("Add", ["x", "mask"], ["s"]),
        helper.make_node("Softmax", ["s"], ["y"]),
    ]
    infos = [helper.make_tensor_value_info(n, TensorProto.FLOAT, (1, 5, 5)) for n in "xy"]
    tensors = [numpy_helper.from_array(np.asarray(data), name) for name, data in held.items()]
    graph = helper.make_graph(nodes, "g", infos[:1], infos[1:], tensors)
    content = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()
    agree(content)
    assert all(np.isfinite(data).all() for data in canonicalize(import_onnx(content, "case", {})).consts.values())


def test_part_without_elements_vanishes() -> None:
    nodes = [
        helper.make_node("Slice", ["x", "begin", "end"], ["n"]),
        helper.make_node("Concat", ["n", "x"], ["y"], axis=0),
    ]
    infos = [helper.make_tensor_value_info("x", TensorProto.FLOAT, (2, 3)),
             helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]  # fmt: skip
    held = [numpy_helper.from_array(np.int64([1]), name) for name in ("begin", "end")]
    graph = helper.make_graph(nodes, "g", infos[:1], infos[1:], held)
    agree(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString())


def test_complement_of_the_error_function() -> None:
    """No runtime has it."""
    x = normal(1, 9)
    (found,) = execute(import_onnx(model("Erfc", (1, 9)), "case", {}), [x])
    np.testing.assert_allclose(found[0], [math.erfc(v) for v in x[0]], rtol=1e-4, atol=1e-6)


def test_largest_places_are_refused_with_a_way_out() -> None:
    with pytest.raises(UnsupportedOpError, match="TopK") as error:
        import_onnx(model("TopK", (1, 5), (np.int64([2]),)), "case", {})
    assert "scores" in error.value.hint


def test_rows_by_a_computed_index() -> None:
    nodes = [
        helper.make_node("Abs", ["x"], ["a"]),
        helper.make_node("Cast", ["a"], ["i"], to=TensorProto.INT64),
        helper.make_node("Mod", ["i", "n"], ["j"]),
        helper.make_node("Mul", ["i", "49"], ["four"]),
        helper.make_node("Cast", ["x"], ["signed"], to=TensorProto.INT64),
        helper.make_node("Mul", ["signed", "49"], ["many"]),
        helper.make_node("Mod", ["many", "49"], ["none"]),
        helper.make_node("Div", ["four", "49"], ["half"]),
        helper.make_node("Add", ["half", "none"], ["rest"]),
        helper.make_node("Cast", ["rest"], ["q"], to=TensorProto.FLOAT),
        helper.make_node("Gather", ["table", "j"], ["rows"], axis=1),
        helper.make_node("ArgMax", ["x"], ["k"], axis=1, keepdims=0),
        helper.make_node("Cast", ["k"], ["z"], to=TensorProto.FLOAT),
    ]
    infos = [helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 6))]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("rows", "z", "q")]
    held = [numpy_helper.from_array(5 * normal(2, 4, 3), "table"), numpy_helper.from_array(np.int64(4), "n"),
            numpy_helper.from_array(np.int64(49), "49")]  # fmt: skip
    graph = helper.make_graph(nodes, "g", infos, ends, held)
    agree(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString())


def test_padding_as_wide_as_the_window_is_refused() -> None:
    with pytest.raises(ModelError, match="around windows of 3"):
        import_onnx(model("MaxPool", (1, 2, 6, 6), kernel_shape=[3, 3], pads=[0, 3, 0, 0]), "pool", {})


@pytest.mark.parametrize("spread", [{"dilations": [1, 1 << 32]}, {"strides": [1 << 20, 1 << 20]}])
def test_transposed_convolutions_spread_beyond_reason_are_refused(spread: dict[str, list[int]]) -> None:
    content = model("ConvTranspose", IMAGE, (normal(4, 3, 3, 3),), **spread)
    with pytest.raises(ModelError, match="taps"):
        import_onnx(content, "g", {})


def test_dilated_pools_of_absurd_size_are_refused() -> None:
    content = model("MaxPool", (1, 2, 6, 6), kernel_shape=[1 << 20, 1], dilations=[2, 1], pads=[1 << 19, 0, 1 << 19, 0])
    with pytest.raises(ModelError, match="pool"):
        import_onnx(content, "pool", {})


def test_neighbours_of_absurdly_many_channels_are_refused() -> None:
    with pytest.raises(ModelError, match="neighbours over 1048576 channels"):
        import_onnx(model("LRN", (1, 1 << 20, 1, 1), size=3), "norm", {})


def test_sums_along_absurdly_many_elements_are_refused() -> None:
    with pytest.raises(ModelError, match="sums along 1048576 elements"):
        import_onnx(model("CumSum", (1, 1 << 20), (np.int64(1),)), "sums", {})
