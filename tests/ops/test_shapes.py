"""Any shape and any attribute: compiled kernels equal the reference, and misfits are refused with a reason."""

import numpy as np
import pytest
from cases import Case, contents
from host_kernels import run_c
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from edgetx import ops
from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.ir import DType, TensorType
from edgetx.ops import Op
from edgetx.reference import execute

SIZES = st.integers(1, 6)
SHAPES = st.lists(SIZES, min_size=1, max_size=4).map(tuple)
DTYPES = st.sampled_from(["int8", "int16"])
SEEDS = st.integers(0, 2**16)
PAIRS = st.tuples(st.integers(1, 3), st.integers(1, 3))
PADDING = st.sampled_from(["same", "valid"])

many = settings(max_examples=60, deadline=None)


def check(op: Op, inputs: tuple[tuple[int, ...], ...], dtype: DType, seed: int, *consts: tuple[int, ...]) -> None:
    try:
        graph = Case("any", op, inputs, consts, dtype).graph(seed)
    except ModelError:
        assume(False)
    xs = contents(graph, seed)
    (expected,), (found,) = execute(graph, xs), run_c(graph, xs)
    np.testing.assert_array_equal(found, expected)
    assert expected.shape == graph.outputs[0].shape


@many
@given(st.sampled_from([ops.Add, ops.Sub, ops.Mul]), SHAPES, st.data(), DTYPES, SEEDS)
def test_elementwise_broadcasts(kind: type[Op], shape: tuple[int, ...], data: st.DataObject, dtype: DType, seed: int):
    masks = [data.draw(st.lists(st.booleans(), min_size=len(shape), max_size=len(shape))) for _ in range(2)]
    cuts = [data.draw(st.integers(0, len(shape) - 1)) for _ in range(2)]
    a, b = (
        tuple(n if keep else 1 for n, keep in zip(shape, mask, strict=True))[cut:]
        for mask, cut in zip(masks, cuts, strict=True)
    )
    check(kind(), (a, b), dtype, seed)


@many
@given(SHAPES, st.data(), DTYPES, SEEDS)
def test_transpose(shape: tuple[int, ...], data: st.DataObject, dtype: DType, seed: int) -> None:
    check(ops.Transpose(tuple(data.draw(st.permutations(range(len(shape)))))), (shape,), dtype, seed)


@many
@given(SHAPES, st.data(), DTYPES, SEEDS)
def test_strided_slice(shape: tuple[int, ...], data: st.DataObject, dtype: DType, seed: int) -> None:
    begin = tuple(data.draw(st.integers(0, n - 1)) for n in shape)
    end = tuple(data.draw(st.integers(first + 1, n)) for first, n in zip(begin, shape, strict=True))
    check(ops.StridedSlice(begin, end, tuple(data.draw(st.integers(1, 3)) for _ in shape)), (shape,), dtype, seed)


@many
@given(SHAPES, st.data(), DTYPES, SEEDS)
def test_pad(shape: tuple[int, ...], data: st.DataObject, dtype: DType, seed: int) -> None:
    paddings = tuple((data.draw(st.integers(0, 3)), data.draw(st.integers(0, 3))) for _ in shape)
    check(ops.Pad(paddings), (shape,), dtype, seed)


@many
@given(SHAPES, st.data(), DTYPES, SEEDS)
def test_concatenation(shape: tuple[int, ...], data: st.DataObject, dtype: DType, seed: int) -> None:
    axis = data.draw(st.integers(0, len(shape) - 1))
    sizes = data.draw(st.lists(SIZES, min_size=1, max_size=8))
    check(ops.Concatenation(axis), tuple((*shape[:axis], n, *shape[axis + 1 :]) for n in sizes), dtype, seed)


@many
@given(SHAPES, st.data(), st.booleans(), DTYPES, SEEDS)
def test_mean(shape: tuple[int, ...], data: st.DataObject, keepdims: bool, dtype: DType, seed: int) -> None:
    first = data.draw(st.integers(0, len(shape) - 1))
    last = data.draw(st.integers(first, len(shape) - 1))
    check(ops.Mean(tuple(range(first, last + 1)), keepdims), (shape,), dtype, seed)


@many
@given(PAIRS, PAIRS, PAIRS, PADDING, st.tuples(SIZES, SIZES, SIZES), SIZES, DTYPES, SEEDS)
def test_convolutions(window, stride, dilation, padding, image, channels, dtype, seed) -> None:  # type: ignore[no-untyped-def]
    x = (1, image[0] + 3, image[1] + 3, image[2])
    check(ops.Conv2D(stride, dilation, padding), (x,), dtype, seed, (channels, *window, image[2]), (channels,))
    depthwise = ops.DepthwiseConv2D(stride, dilation, padding)
    check(depthwise, (x,), dtype, seed, (1, *window, 2 * image[2]), (2 * image[2],))


@many
@given(st.sampled_from([ops.AveragePool2D, ops.MaxPool2D]), PAIRS, PAIRS, PADDING, DTYPES, SEEDS)
def test_pooling(kind, size, stride, padding, dtype, seed) -> None:  # type: ignore[no-untyped-def]
    check(kind(size, stride, padding), ((1, 7, 5, 3),), dtype, seed)


@many
@given(SIZES, SIZES, SIZES, SIZES, st.booleans(), st.booleans(), DTYPES, SEEDS)
def test_batch_matmul(batch, rows, depth, columns, adj_x, adj_y, dtype, seed) -> None:  # type: ignore[no-untyped-def]
    a = (batch, depth, rows) if adj_x else (batch, rows, depth)
    b = (batch, columns, depth) if adj_y else (batch, depth, columns)
    check(ops.BatchMatmul(adj_x, adj_y), (a, b), dtype, seed)


MISFITS: list[tuple[Op, list[tuple[int, ...]], str]] = [
    (ops.FullyConnected(), [(1, 3), (4, 2)], "cannot multiply"),
    (ops.Conv2D(), [(1, 8, 8, 3), (4, 3, 3, 2)], "conv_2d"),
    (ops.Conv2D(), [(1, 2, 2, 3), (4, 3, 3, 3)], "does not fit"),
    (ops.Conv2D((0, 1)), [(1, 8, 8, 3), (4, 3, 3, 3)], "must be positive"),
    (ops.DepthwiseConv2D(), [(1, 8, 8, 3), (1, 3, 3, 4)], "depthwise_conv_2d"),
    (ops.AveragePool2D((2, 2), (1, 1)), [(8, 8)], "a window moves over"),
    (ops.Add(), [(1, 3), (1, 4)], "cannot broadcast"),
    (ops.BatchMatmul(), [(2, 3), (4, 5)], "batch_matmul of"),
    (ops.BatchMatmul(), [(3,), (3,)], "batch_matmul of"),
    (ops.Attention(2, 1.0), [(1, 4, 5)] * 3, "attention with 2 heads"),
    (ops.LayerNorm(), [(1, 4), (3,), (4,)], "layer_norm over 4"),
    (ops.RmsNorm(), [(1, 4), (3,)], "rms_norm over 4"),
    (ops.Mean((3,)), [(1, 4)], "mean of"),
    (ops.Mean((0, 0)), [(1, 4)], "mean of"),
    (ops.Reshape((3,)), [(1, 4)], "reshape of 4 elements"),
    (ops.Transpose((0, 0)), [(1, 4)], "does not permute"),
    (ops.StridedSlice((0,), (5,), (1,)), [(4,)], "leaves"),
    (ops.StridedSlice((0,), (4,), (1,)), [(4, 1)], "all 2 axes"),
    (ops.Concatenation(0), [(1, 4), (1, 5)], "concatenation along axis 0"),
    (ops.Concatenation(2), [(1, 4)], "along axis 2"),
    (ops.Pad(((0, -1),)), [(4,)], "pad of"),
]


@pytest.mark.parametrize(("op", "shapes", "reason"), MISFITS, ids=lambda value: getattr(value, "name", ""))
def test_misfit_is_refused(op: Op, shapes: list[tuple[int, ...]], reason: str) -> None:
    with pytest.raises(ModelError, match=reason):
        op.infer(*map(TensorType, shapes))


INEXPRESSIBLE: list[Case] = [
    Case("mean", ops.Mean((1, 3)), ((1, 2, 3, 4),)),
    Case("pad", ops.Pad(((0, 1),) * 5), ((1, 1, 1, 1, 1),)),
    Case("add", ops.Add(), ((2, 1, 2, 1, 2), (1, 2, 1, 2, 1))),
    Case("batch_matmul", ops.BatchMatmul(), ((2, 3, 4, 4), (2, 1, 4, 4))),
    Case("softmax", ops.Softmax(), ((1, 4096),)),
]


@pytest.mark.parametrize("case", INEXPRESSIBLE, ids=lambda case: case.name)
def test_what_no_kernel_can_do_is_said(case: Case) -> None:
    (node,) = case.graph(0).nodes
    with pytest.raises(UnsupportedOpError) as refused:
        node.op.to_c(node)
    assert refused.value.where == node.name
