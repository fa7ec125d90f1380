"""Norms on the way to built-ins: what is folded, what stays, and why."""

from collections.abc import Callable

import numpy as np
import pytest

from edgetx.ir import Array, Graph, GraphBuilder, Value
from edgetx.ir.verify import FLOAT, verify
from edgetx.ops import Add, FullyConnected, LayerNorm, Mean, Mul, Relu, RmsNorm, StridedSlice
from edgetx.passes import why_not
from edgetx.passes.base import run_passes
from edgetx.passes.carry_residual import CarryResidual
from edgetx.passes.center_residual import CenterResidual
from edgetx.passes.fold_affine import FoldGain, FoldShift
from edgetx.passes.legalize_tflite import LegalizeLayerNorm, LegalizeRmsNorm, tflite_passes
from edgetx.reference import execute

WIDTH = 6
TINY = 1e-12
"""An epsilon that can be dropped without a trace."""


class Network(GraphBuilder):
    """A builder of small networks over five rows of six channels."""

    def __init__(self) -> None:
        super().__init__("network")
        self.rng = np.random.default_rng(0)
        self.x = self.input("x", (1, 5, WIDTH))

    def data(self, *shape: int) -> Value:
        return self.const(self.rng.normal(0, 1, shape).astype(np.float32))

    def layer(self, x: Value, name: str, activation: str = "none") -> Value:
        return self.op(FullyConnected(activation), x, self.data(WIDTH, WIDTH), self.data(WIDTH), name=name)

    def norm(self, x: Value, name: str, gamma: Array | None = None, beta: Array | None = None) -> Value:
        gain = self.data(WIDTH) if gamma is None else self.const(gamma.astype(np.float32))
        shift = self.data(WIDTH) if beta is None else self.const(beta.astype(np.float32))
        return self.op(LayerNorm(), x, gain, shift, name=name)


def ops_of(graph: Graph) -> list[str]:
    return [node.op.name for node in graph.nodes]


def assert_keeps_meaning(graph: Graph, rewritten: Graph) -> None:
    verify(rewritten, FLOAT)
    x = np.random.default_rng(1).normal(0, 1, (1, 5, WIDTH)).astype(np.float32)
    for expected, result in zip(execute(graph, [x]), execute(rewritten, [x]), strict=True):
        np.testing.assert_allclose(result, expected, atol=2e-5)


def pre_norm() -> Graph:
    b = Network()
    x = b.op(Add(), b.layer(b.x, "stem"), b.data(1, 5, WIDTH))
    for index in range(2):
        x = b.op(Add(), x, b.layer(b.norm(x, f"norm{index}"), f"branch{index}"))
    return b.graph(b.layer(b.norm(x, "last"), "head"))


def test_residual_stream_that_only_norms_read_is_centred() -> None:
    graph = pre_norm()
    centred = CenterResidual().run(graph)
    assert "layer_norm" not in ops_of(centred)
    assert ops_of(centred).count("rms_norm") == 3
    assert_keeps_meaning(graph, centred)


def test_norms_after_each_other_are_centred_when_their_gains_are_equal() -> None:
    b = Network()
    even, none = np.full(WIDTH, 1.5), np.zeros(WIDTH)
    x = b.norm(b.layer(b.x, "stem"), "norm0", even, none)
    for index in (1, 2):
        x = b.norm(b.op(Add(), x, b.layer(x, f"branch{index}")), f"norm{index}", even, none)
    graph = b.graph(b.layer(x, "head"))
    centred = CenterResidual().run(graph)
    assert "layer_norm" not in ops_of(centred)
    assert_keeps_meaning(graph, centred)


def read_with_its_mean(b: Network) -> Value:
    x = b.layer(b.x, "stem")
    return b.op(Add(), b.norm(x, "norm"), b.layer(x, "head"))


def clamped(b: Network) -> Value:
    return b.layer(b.norm(b.layer(b.x, "stem", "relu"), "norm"), "head")


def from_outside(b: Network) -> Value:
    return b.layer(b.norm(b.x, "norm"), "head")


def uneven_norm(b: Network) -> Value:
    z = b.norm(b.layer(b.x, "stem"), "before")
    return b.layer(b.norm(b.op(Add(), z, b.layer(z, "branch")), "norm"), "head")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (read_with_its_mean, "head needs the mean"),
        (clamped, "stem is not linear with constant weights"),
        (from_outside, "x comes from outside"),
        (uneven_norm, "before needs the mean"),
    ],
)
def test_stream_that_cannot_be_centred_says_why(make: Callable[[Network], Value], reason: str) -> None:
    b = Network()
    graph = b.graph(make(b))
    assert why_not(CenterResidual(), graph, "norm") == reason


def test_stream_that_leaves_the_graph_is_not_centred() -> None:
    b = Network()
    x = b.layer(b.x, "stem")
    assert why_not(CenterResidual(), b.graph(b.norm(x, "norm"), x), "norm") == "stem leaves the graph"


def test_gain_and_shift_go_into_the_layers_below() -> None:
    b = Network()
    scaled = b.op(Add(), b.op(Mul(), b.x, b.data(WIDTH)), b.data(WIDTH))
    row = b.op(StridedSlice((0, 2, 0), (1, 3, WIDTH), (1, 1, 1)), scaled)
    graph = b.graph(b.layer(scaled, "one"), b.layer(row, "two"), b.layer(b.op(Mean((1,)), scaled), "three"))
    folded = FoldGain().run(FoldShift().run(graph))
    assert sorted(ops_of(folded)) == ["fully_connected"] * 3 + ["mean", "strided_slice"]
    assert_keeps_meaning(graph, folded)


def test_shift_goes_into_the_layer_beside() -> None:
    b = Network()
    shifted = b.op(Add(), b.x, b.data(WIDTH))
    graph = b.graph(b.op(Add(), shifted, b.layer(shifted, "branch")))
    folded = FoldShift().run(graph)
    assert ops_of(folded) == ["fully_connected", "add"]
    assert_keeps_meaning(graph, folded)


def test_even_gain_goes_through_a_residual_that_only_norms_read() -> None:
    b = Network()
    scaled = b.op(Mul(), b.x, b.const(np.full(WIDTH, 3.0, np.float32)))
    graph = b.graph(b.norm(b.op(Add(), scaled, b.layer(scaled, "branch")), "norm"))
    folded = FoldGain().run(graph)
    assert ops_of(folded) == ["fully_connected", "add", "layer_norm"]
    assert_keeps_meaning(graph, folded)


def test_gain_that_cannot_be_folded_says_why() -> None:
    b = Network()
    uneven = b.op(Mul(), b.x, b.data(WIDTH), name="uneven")
    b.norm(b.op(Add(), uneven, b.layer(uneven, "beside")), "norm")
    even = b.op(Mul(), b.x, b.const(np.full(1, 3.0, np.float32)), name="even")
    total = b.op(Add(), even, b.layer(even, "another"), name="total")
    clamped = b.op(Mul("relu"), b.x, b.data(WIDTH), name="clamped")
    read = b.op(Mul(), b.x, b.data(WIDTH), name="read")
    product = b.op(Mul(), b.x, uneven, name="product")
    normed = b.op(Relu(), read, name="relu")
    graph = b.graph(b.nodes[3].output, total, b.layer(clamped, "c"), normed, b.layer(product, "p"))
    assert why_not(FoldGain(), graph, "clamped") == "not a plain mul"
    assert why_not(FoldGain(), graph, "product") == "no operand is a constant per channel"
    assert why_not(FoldGain(), graph, "read") == "relu reads it"
    assert why_not(FoldGain(), graph, "even") == "the size of total matters"


def test_uneven_gain_stays_before_a_residual() -> None:
    b = Network()
    scaled = b.op(Mul(), b.x, b.data(WIDTH), name="scaled")
    graph = b.graph(b.norm(b.op(Add(), scaled, b.layer(scaled, "branch")), "norm"))
    assert why_not(FoldGain(), graph, "scaled") == "branch is added to it"


@pytest.mark.parametrize("rms", [False, True])
def test_norms_become_built_ins(rms: bool) -> None:
    b = Network()
    y = b.op(RmsNorm(), b.x, b.data(WIDTH)) if rms else b.norm(b.x, "norm")
    graph = b.graph(y)
    legal = LegalizeRmsNorm().run(LegalizeLayerNorm().run(graph))
    before, after = ([], []) if rms else (["mean", "sub"], ["add"])
    assert ops_of(legal) == [*before, "l2_normalization", "mul", *after]
    assert_keeps_meaning(graph, legal)


def post_norm(gamma: Array | None = None, rms: bool = False, row: bool = False) -> Graph:
    b = Network()
    gain = np.full(WIDTH, 1.5) if gamma is None else gamma
    z = b.layer(b.x, "stem")
    for index in range(3):
        z = rms_norm(b, z, f"norm{index}", gain) if rms else layer_norm(b, z, f"norm{index}", gain)
        f = b.layer(z, f"branch{index}", "relu")
        if row and index == 2:
            z = b.op(StridedSlice((0, 0, 0), (1, 1, WIDTH), (1, 1, 1)), z)
            f = b.op(Mean((1,), keepdims=True), f)
        z = b.op(Add(), z, b.layer(f, f"last{index}"), name=f"sum{index}")
    return b.graph(b.layer(rms_norm(b, z, "norm", gain), "head"))


def rms_norm(b: Network, x: Value, name: str, gamma: Array) -> Value:
    scaled = b.op(RmsNorm(TINY), x, b.const(gamma.astype(np.float32)), name=f"{name}.scaled")
    return b.op(Add(), scaled, b.data(WIDTH), name=name)


def layer_norm(b: Network, x: Value, name: str, gamma: Array) -> Value:
    return b.op(LayerNorm(TINY), x, b.const(gamma.astype(np.float32)), b.const(np.zeros(WIDTH, np.float32)), name=name)


@pytest.mark.parametrize("row", [False, True])
@pytest.mark.parametrize("rms", [False, True])
def test_residual_does_not_pass_the_norms(rms: bool, row: bool) -> None:
    graph = CenterResidual().run(post_norm(rms=rms, row=row))
    carried = CarryResidual().run(graph)
    assert ops_of(carried).count("rms_norm") == 1  # that of the head
    for index in range(3):
        (total,) = (n for n in carried.nodes if n.name == f"sum{index}")
        above = {producer.op.name for v in total.inputs if (producer := carried.producer(v))}
        assert above <= {"add", "fully_connected", "mul", "strided_slice"}
    assert_keeps_meaning(graph, carried)


def test_norms_that_a_carried_residual_leaves_to_the_branches_are_folded() -> None:
    graph = CenterResidual().run(post_norm())
    legal = run_passes(graph, tflite_passes()[3:8])
    assert ops_of(legal).count("mul") == 2 * 3  # the products that carry the residual
    assert_keeps_meaning(graph, legal)


def unequal(b: Network) -> Value:
    z = rms_norm(b, b.x, "norm", np.arange(1.0, WIDTH + 1))
    return b.op(Add(), z, b.layer(z, "branch"), name="sum")


def clamped_sum(b: Network) -> Value:
    z = rms_norm(b, b.x, "norm", np.ones(WIDTH))
    return b.op(Add("relu"), z, b.layer(z, "branch"), name="sum")


def clamped_branch(b: Network) -> Value:
    z = rms_norm(b, b.x, "norm", np.ones(WIDTH))
    return b.op(Add(), z, b.layer(z, "branch", "relu"), name="sum")


def pre_norm_sum(b: Network) -> Value:
    return b.op(Add(), b.x, b.layer(rms_norm(b, b.x, "norm", np.ones(WIDTH)), "branch"), name="sum")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (unequal, "the gains of norm.scaled differ"),
        (clamped_sum, "not a plain addition"),
        (clamped_branch, "no layer is added to the result of a norm"),
        (pre_norm_sum, "no layer is added to the result of a norm"),
    ],
)
def test_residual_that_cannot_be_carried_says_why(make: Callable[[Network], Value], reason: str) -> None:
    b = Network()
    graph = b.graph(b.norm(make(b), "after"))
    assert why_not(CarryResidual(), graph, "sum") == reason


def test_residual_whose_size_is_seen_is_not_carried() -> None:
    b = Network()
    z = rms_norm(b, b.x, "norm", np.ones(WIDTH))
    graph = b.graph(b.layer(b.op(Add(), z, b.layer(z, "branch"), name="sum"), "head"))
    assert why_not(CarryResidual(), graph, "sum") == "the size of sum matters"
