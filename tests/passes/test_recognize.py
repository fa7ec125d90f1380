"""Norms and activations are recognized by their values, however they are spelled."""

from collections.abc import Callable

import numpy as np
import pytest

from edgetx import ops
from edgetx.ir import Graph, GraphBuilder, Value
from edgetx.passes.recognize_activation import RecognizeActivation
from edgetx.passes.recognize_hypot import RecognizeHypot
from edgetx.passes.recognize_norm import RecognizeNorm
from edgetx.reference import execute

SHAPE = (1, 5, 16)
RNG = np.random.default_rng(0)
GAMMA, BETA = RNG.normal(1, 0.3, 16).astype(np.float32), RNG.normal(0, 1, 16).astype(np.float32)

Body = Callable[[GraphBuilder, Value], Value]


def graph_of(body: Body) -> Graph:
    b = GraphBuilder("spelled")
    return b.graph(body(b, b.input("x", SHAPE)))


def scalar(b: GraphBuilder, number: float) -> Value:
    return b.const(np.array([number], np.float32))


def standardized(b: GraphBuilder, x: Value, epsilon: float) -> Value:
    d = b.op(ops.Sub(), x, b.op(ops.Mean((2,), True), x))
    variance = b.op(ops.Mean((2,), True), b.op(ops.Square(), d))
    return b.op(ops.Mul(), d, b.op(ops.Rsqrt(), b.op(ops.Add(), variance, scalar(b, epsilon))))


def layer_norm(b: GraphBuilder, x: Value) -> Value:
    return b.op(ops.Add(), b.op(ops.Mul(), standardized(b, x, 1e-3), b.const(GAMMA)), b.const(BETA))


def tensorflow_layer_norm(b: GraphBuilder, x: Value) -> Value:
    """gamma / sqrt(v) · x + (beta − mean · gamma / sqrt(v))."""
    mean = b.op(ops.Mean((2,), True), x)
    variance = b.op(ops.Mean((2,), True), b.op(ops.Square(), b.op(ops.Sub(), x, mean)))
    root = b.op(ops.Rsqrt(), b.op(ops.Add(), variance, scalar(b, 1e-6)))
    gain = b.op(ops.Mul(), root, b.const(GAMMA))
    shift = b.op(ops.Sub(), b.const(BETA), b.op(ops.Mul(), mean, gain))
    return b.op(ops.Add(), b.op(ops.Mul(), x, gain), shift)


def rms_norm(b: GraphBuilder, x: Value) -> Value:
    square = b.op(ops.Mean((2,), True), b.op(ops.Mul(), x, x))
    root = b.op(ops.Power(-0.5), b.op(ops.Add(), square, scalar(b, 1e-5)))
    return b.op(ops.Mul(), b.op(ops.Mul(), x, root), b.const(GAMMA))


def gelu_by_tanh(b: GraphBuilder, x: Value) -> Value:
    cubic = b.op(ops.Add(), x, b.op(ops.Mul(), scalar(b, 0.044715), b.op(ops.Power(3.0), x)))
    gate = b.op(ops.Tanh(), b.op(ops.Mul(), scalar(b, 0.7978845608), cubic))
    return b.op(ops.Mul(), b.op(ops.Mul(), scalar(b, 0.5), x), b.op(ops.Add(), scalar(b, 1), gate))


def gelu_by_erf(b: GraphBuilder, x: Value) -> Value:
    gate = b.op(ops.Erf(), b.op(ops.Mul(), x, scalar(b, 0.5**0.5)))
    return b.op(ops.Mul(), x, b.op(ops.Mul(), b.op(ops.Add(), gate, scalar(b, 1)), scalar(b, 0.5)))


def silu(b: GraphBuilder, x: Value) -> Value:
    return b.op(ops.Mul(), b.op(ops.Logistic(), x), x)


def hard_swish(b: GraphBuilder, x: Value) -> Value:
    gate = b.op(ops.Relu6(), b.op(ops.Add(), x, scalar(b, 3)))
    return b.op(ops.Mul(), x, b.op(ops.Mul(), gate, scalar(b, 1 / 6)))


@pytest.mark.parametrize(
    ("body", "op"),
    [(layer_norm, ops.LayerNorm(1e-3)), (tensorflow_layer_norm, ops.LayerNorm(1e-6)), (rms_norm, ops.RmsNorm(1e-5))],
)
def test_norms(body: Body, op: ops.LayerNorm | ops.RmsNorm) -> None:
    before = graph_of(body)
    after = RecognizeNorm().run(before)
    (node,) = after.nodes
    assert type(node.op) is type(op)
    assert node.op.epsilon == pytest.approx(op.epsilon, rel=1e-3)
    x = RNG.normal(0.3, 2, SHAPE).astype(np.float32)
    np.testing.assert_allclose(execute(after, [x])[0], execute(before, [x])[0], atol=1e-4)


@pytest.mark.parametrize(
    ("body", "op"),
    [
        (gelu_by_tanh, ops.Gelu("tanh")),
        (gelu_by_erf, ops.Gelu()),
        (silu, ops.Silu()),
        (hard_swish, ops.HardSwish()),
    ],
)
def test_activations(body: Body, op: ops.Op) -> None:
    after = RecognizeActivation().run(graph_of(body))
    assert [node.op for node in after.nodes] == [op]


def test_norm_over_other_rows_stays() -> None:
    def body(b: GraphBuilder, x: Value) -> Value:
        d = b.op(ops.Sub(), x, b.op(ops.Mean((1,), True), x))
        root = b.op(ops.Rsqrt(), b.op(ops.Mean((1,), True), b.op(ops.Square(), d)))
        return b.op(ops.Mul(), d, root)

    graph = graph_of(body)
    assert RecognizeNorm().run(graph) is graph


def test_what_only_looks_like_an_activation_stays() -> None:
    graph = graph_of(lambda b, x: b.op(ops.Mul(), b.op(ops.Tanh(), x), b.op(ops.Logistic(), x)))
    assert RecognizeActivation().run(graph) is graph


def magnitude(square: Body, root: ops.Op) -> Graph:
    b = GraphBuilder("spelled")
    total = b.op(ops.Add(), *(square(b, b.input(name, SHAPE)) for name in ("re", "im")))
    return b.graph(b.op(root, total))


@pytest.mark.parametrize("root", [ops.Sqrt(), ops.Power(0.5)], ids=lambda op: op.name)
@pytest.mark.parametrize(
    "square",
    [
        lambda b, x: b.op(ops.Mul(), x, x),
        lambda b, x: b.op(ops.Square(), x),
        lambda b, x: b.op(ops.Power(2.0), x),
    ],
)
def test_magnitude_becomes_one_op(square: Body, root: ops.Op) -> None:
    graph = magnitude(square, root)
    recognized = RecognizeHypot().run(graph)
    assert [node.op.name for node in recognized.nodes] == ["hypot"]
    inputs = [RNG.normal(size=SHAPE).astype(np.float32) for _ in range(2)]
    np.testing.assert_allclose(execute(recognized, inputs)[0], execute(graph, inputs)[0], rtol=1e-5)


def test_root_of_another_sum_stays() -> None:
    graph = magnitude(lambda b, x: b.op(ops.Abs(), x), ops.Sqrt())
    assert RecognizeHypot().run(graph) is graph
