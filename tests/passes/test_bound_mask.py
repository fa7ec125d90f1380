"""Masks that attention has not taken in."""

import numpy as np
import pytest

from edgetx import ops
from edgetx.errors import UnsupportedOpError
from edgetx.ir import Graph, GraphBuilder
from edgetx.ops.attention import HIDDEN
from edgetx.passes.base import why_not
from edgetx.passes.bound_mask import FAR, BoundMask
from edgetx.passes.fuse_attention import FuseAttention
from edgetx.reference import execute

RNG = np.random.default_rng(0)
ANYWHERE = RNG.random((5, 6)) < 0.5
ANYWHERE[:, 0] = False


def masked(mask: np.ndarray, last: ops.Op, shape: tuple[int, ...] = (2, 5, 6)) -> Graph:
    b = GraphBuilder("test")
    x = b.input("x", shape, "float32")
    return b.graph(b.op(last, b.op(ops.Add(), x, b.const(mask.astype(np.float32), "mask"), name="masked")))


@pytest.mark.parametrize("hidden", [HIDDEN, -np.inf, np.finfo(np.float32).min, -100.0])
@pytest.mark.parametrize("bias", [0.0, 0.3])
def test_bounded_mask_gives_the_same_weights(hidden: float, bias: float) -> None:
    mask = np.where(ANYWHERE, hidden, bias * np.arange(6))
    graph = masked(mask, ops.Softmax())
    bounded = BoundMask().run(graph)
    x = RNG.normal(0, 1, (2, 5, 6)).astype(np.float32)
    np.testing.assert_allclose(execute(bounded, [x])[0], execute(graph, [x])[0], atol=2e-4)
    assert min(data.min() for data in bounded.consts.values()) >= -FAR


@pytest.mark.parametrize("spread", [3, 30, 300])
@pytest.mark.parametrize("shape", [(2, 5, 6), (5, 6), (5, 1)])
def test_hidden_scores_may_be_the_largest(shape: tuple[int, ...], spread: float) -> None:
    graph = masked(np.where(ANYWHERE, HIDDEN, 0)[None], ops.Softmax(), shape)
    bounded = BoundMask().run(graph)
    for x in RNG.normal(0, spread, (20, *shape)).astype(np.float32):
        np.testing.assert_allclose(execute(bounded, [x])[0], execute(graph, [x])[0], atol=2e-4)


def test_offset_that_hides_nothing_stays() -> None:
    assert why_not(BoundMask(), masked(np.full((5, 6), -100.0), ops.Softmax()), "masked") == "hides nothing"


def test_flat_softmax_sees_what_a_steep_one_does_not() -> None:
    graph = masked(np.where(ANYWHERE, -100.0, 0), ops.Softmax(0.05))
    assert why_not(BoundMask(), graph, "masked") == "hides nothing"


@pytest.mark.parametrize(("beta", "fuses"), [(1.0, True), (0.05, False)])
def test_attention_takes_in_what_its_softmax_does_not_see(beta: float, fuses: bool) -> None:
    b = GraphBuilder("attention")
    q, k, v = (b.input(name, (1, 4, 8), "float32") for name in "qkv")
    mask = b.const(np.where(np.tri(4), 0, -100).astype(np.float32), "mask")
    weights = b.op(ops.Softmax(beta), b.op(ops.Add(), b.op(ops.BatchMatmul(adj_y=True), q, k), mask))
    graph = b.graph(b.op(ops.BatchMatmul(), weights, v))
    fused = FuseAttention().run(graph)
    assert any(isinstance(node.op, ops.Attention) for node in fused.nodes) == fuses
    inputs = [RNG.normal(0, 1, (1, 4, 8)).astype(np.float32) for _ in range(3)]
    np.testing.assert_allclose(execute(fused, inputs)[0], execute(graph, inputs)[0], atol=1e-5)


def test_mask_before_anything_else_is_refused() -> None:
    with pytest.raises(UnsupportedOpError, match="among"):
        BoundMask().run(masked(np.where(ANYWHERE, HIDDEN, 0), ops.ReduceMax((2,), True)))
