"""Movement is moved until it cancels: what stays of it, and that results stay the same."""

import numpy as np
import pytest

from edgetx import ops
from edgetx.ir import Graph, GraphBuilder, Value
from edgetx.passes.pipeline import canonicalize
from edgetx.reference import execute

RNG = np.random.default_rng(0)
FIRST, LAST = (0, 3, 1, 2), (0, 2, 3, 1)


def conv(b: GraphBuilder, x: Value, channels: int = 4) -> Value:
    """A convolution of a channels-first image, as frontends write it."""
    weight = b.const(RNG.normal(size=(channels, 1, 1, x.shape[1])).astype(np.float32))
    y = b.op(ops.Conv2D(), b.op(ops.Transpose(LAST), x), weight)
    return b.op(ops.Transpose(FIRST), y)


def const(b: GraphBuilder, *shape: int) -> Value:
    return b.const(RNG.normal(size=shape).astype(np.float32))


def squeezed_bias(b: GraphBuilder, x: Value) -> Value:
    """One axis of one element goes between a convolution and its bias, and comes back."""
    y = conv(b, b.op(ops.Reshape((1, 8, 1, 24)), x))
    y = b.op(ops.Add(), b.op(ops.Reshape((1, 4, 24)), y), const(b, 1, 4, 1))
    return conv(b, b.op(ops.Reshape((1, 4, 1, 24)), y))


def sub_spectral_norm(b: GraphBuilder, x: Value) -> Value:
    """Every band of rows has gains of its own, as in BC-ResNet."""
    y = b.op(ops.Reshape((1, 8, 3, 6)), conv(b, x))
    y = b.op(ops.Add(), b.op(ops.Mul(), y, const(b, 1, 8, 1, 1)), const(b, 1, 8, 1, 1))
    return conv(b, b.op(ops.Reshape((1, 4, 6, 6)), y))


def joined(b: GraphBuilder, x: Value) -> Value:
    y = conv(b, x)
    z = b.op(ops.Gather(2, (0, 0, 1, 1, 2, 2)), b.op(ops.StridedSlice((0,) * 4, (1, 4, 3, 6), (1,) * 4), y))
    return conv(b, b.op(ops.Concatenation(1), conv(b, z), y))


def shuffled(b: GraphBuilder, x: Value) -> Value:
    y = b.op(ops.Transpose((0, 2, 1, 3, 4)), b.op(ops.Reshape((1, 2, 2, 6, 6)), conv(b, x)))
    return conv(b, b.op(ops.Reshape((1, 4, 6, 6)), y))


@pytest.mark.parametrize(
    ("body", "shape"),
    [(squeezed_bias, (1, 8, 24)), (sub_spectral_norm, (1, 4, 6, 6)), (joined, (1, 4, 6, 6)), (shuffled, (1, 4, 6, 6))],
)
def test_only_the_layout_of_input_and_output_stays(body, shape) -> None:
    b = GraphBuilder("g")
    graph = b.graph(body(b, b.input("x", shape)))
    settled = check_equal(graph)
    assert sum(isinstance(node.op, ops.Transpose) for node in settled.nodes) == 2


def test_half_of_the_parts_transposed_settles() -> None:
    b = GraphBuilder("g")
    x = b.input("x", (1, 4, 6, 6))
    graph = b.graph(b.op(ops.Concatenation(1), x, conv(b, x)), b.op(ops.Concatenation(1), conv(b, x), x))
    check_equal(graph)


@pytest.mark.parametrize("shape", [(8,), (1, 1, 8)])
def test_attention_behind_projections_with_biases_that_are_added(shape) -> None:
    b = GraphBuilder("g")
    x = b.input("x", (1, 5, 8))
    rows = [b.op(ops.Add(), b.op(ops.FullyConnected(), x, const(b, 8, 8)), const(b, *shape)) for _ in "qkv"]
    q, k, v = (b.op(ops.Transpose((0, 2, 1, 3)), b.op(ops.Reshape((1, 5, 2, 4)), y)) for y in rows)
    weights = b.op(ops.Softmax(), b.op(ops.BatchMatmul(adj_y=True), q, k))
    y = b.op(ops.Transpose((0, 2, 1, 3)), b.op(ops.BatchMatmul(), weights, v))
    settled = check_equal(b.graph(b.op(ops.Reshape((1, 5, 8)), y)))
    assert {node.op.name for node in settled.nodes} == {"attention", "fully_connected"}


def check_equal(graph: Graph) -> Graph:
    settled = canonicalize(graph)
    x = RNG.normal(size=graph.inputs[0].shape).astype(np.float32)
    for found, expected in zip(execute(settled, [x]), execute(graph, [x]), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    return settled
