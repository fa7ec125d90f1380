"""Passes that decide how the TFLite form is laid out: heads, constant rows and rows of unequal size."""

import numpy as np
import pytest

from edgetx.backends.tflite.split import equal_parts
from edgetx.fixedpoint import quantize_multiplier
from edgetx.ir import Graph, GraphBuilder, Value
from edgetx.ops import (
    Add,
    Attention,
    BatchMatmul,
    Concatenation,
    Conv2D,
    FullyConnected,
    LayerNorm,
    Mul,
    Reshape,
    StridedSlice,
    Transpose,
)
from edgetx.passes.equalize_rows import EqualizeRows
from edgetx.passes.fold_constant_rows import FoldConstantRows
from edgetx.passes.legalize_attention import LegalizeAttention
from edgetx.passes.merge_heads import MergeHeads
from edgetx.quant import TensorPlan
from edgetx.quant.agree import with_agreeing_factors
from edgetx.reference import execute

ROWS, WIDTH, HEADS = 6, 8, 2


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def ops_of(graph: Graph) -> list[str]:
    return [node.op.name for node in graph.nodes]


def assert_same(before: Graph, after: Graph, atol: float = 1e-5) -> None:
    x = normal(*before.inputs[0].shape, seed=9)
    np.testing.assert_allclose(execute(after, [x])[0], execute(before, [x])[0], atol=atol)


def layer(b: GraphBuilder, x: Value, name: str, seed: int) -> Value:
    return b.op(
        FullyConnected(), x, b.const(normal(WIDTH, WIDTH, seed=seed)), b.const(normal(WIDTH, seed=seed)), name=name
    )


def attention(query_rows: int) -> Graph:
    b = GraphBuilder("g")
    x = b.input("x", (1, ROWS, WIDTH))
    rows = x if query_rows == ROWS else b.op(StridedSlice((0, 0, 0), (1, query_rows, WIDTH), (1, 1, 1)), x)
    q, k, v = layer(b, rows, "q", 1), layer(b, x, "k", 2), layer(b, x, "v", 3)
    return b.graph(b.op(Attention(HEADS, 0.5), q, k, v, name="attention"))


@pytest.mark.parametrize(("query_rows", "layers"), [(ROWS, 1), (1, 2)])
def test_projections_of_one_operand_are_joined(query_rows: int, layers: int) -> None:
    graph = attention(query_rows)
    peaks = {"q": np.full(query_rows, 2.0), "k": np.full(ROWS, 5.0), "v": np.full(ROWS, 3.0)}
    legal = LegalizeAttention(peaks).run(graph)
    assert ops_of(legal).count("fully_connected") == layers
    assert_same(graph, legal)


def test_parts_of_a_joined_projection_are_one_split() -> None:
    legal = LegalizeAttention().run(attention(ROWS))
    ((axis, parts),) = {name: cut for name, cut in equal_parts(legal).items() if name == "q.heads"}.values()
    assert (axis, [part.name for part in parts]) == (1, ["q.heads", "k.heads", "v.heads"])


def test_unequal_slices_are_no_split() -> None:
    b = GraphBuilder("g")
    x = b.input("x", (1, 6))
    first = b.op(StridedSlice((0, 0), (1, 2), (1, 1)), x)
    second = b.op(StridedSlice((0, 2), (1, 6), (1, 1)), x)
    assert not equal_parts(b.graph(first, second))


def test_convolution_reaches_over_heads() -> None:
    b = GraphBuilder("g")
    x = b.input("x", (1, HEADS, ROWS, 4))
    merged = b.op(Reshape((1, 1, ROWS, WIDTH)), b.op(Transpose((0, 2, 1, 3)), x))
    graph = b.graph(b.op(Conv2D(), merged, b.const(normal(5, 1, 1, WIDTH)), b.const(normal(5))))
    reached = MergeHeads().run(graph)
    assert ops_of(reached) == ["conv_2d"]
    assert_same(graph, reached)


def stream(token: float) -> Graph:
    """A class token of the given size before rows of an input, positions, a residual branch and a norm."""
    b = GraphBuilder("g")
    x = layer(b, b.input("x", (1, ROWS, WIDTH)), "embedding", 1)
    rows = b.op(Concatenation(1), b.const(token * normal(1, 1, WIDTH)), x, name="rows")
    rows = b.op(Add(), rows, b.const(0.01 * normal(1, ROWS + 1, WIDTH)), name="positioned")
    y = b.op(Add(), rows, b.op(Mul(), layer(b, rows, "branch", 2), b.const(np.float32([0.1]))), name="sum")
    return b.graph(b.op(LayerNorm(1e-12), y, b.const(normal(WIDTH)), b.const(normal(WIDTH)), name="norm"))


def test_positions_of_constant_rows_are_added_when_compiling() -> None:
    graph = stream(0.01)
    folded = FoldConstantRows().run(graph)
    assert ops_of(folded)[:3] == ["fully_connected", "add", "concatenation"]
    assert_same(graph, folded)


def test_small_rows_before_norms_are_scaled_up() -> None:
    graph = FoldConstantRows().run(stream(0.01))
    peaks = {"sum": np.array([0.5, *[4.0] * ROWS])}
    equal = EqualizeRows(peaks).run(graph)
    assert ops_of(equal).count("mul") == ops_of(graph).count("mul") + 1
    assert ops_of(equal).count("concatenation") == 2
    assert_same(graph, equal, atol=1e-4)


def test_rows_of_like_size_stay() -> None:
    graph = stream(1.0)
    assert EqualizeRows({"sum": np.array([2.0, *[4.0] * ROWS])}).run(graph) is graph
    assert EqualizeRows().run(graph) is graph


@pytest.mark.parametrize("constant", [True, False])
def test_factors_agree_in_single_and_double_precision(constant: bool) -> None:
    b = GraphBuilder("g")
    x = b.input("x", (4, 4))
    factor = b.const(normal(4), "factor") if constant else b.input("factor", (4, 4))
    y = b.op(Mul() if constant else BatchMatmul(), x, factor, name="y")
    graph = b.graph(b.op(Transpose((1, 0)), y, name="turned"))
    rng = np.random.default_rng(0)
    changed = 0
    for _ in range(50):
        before = {name: float(np.float32(rng.uniform(1e-3, 0.1))) for name in ("x", "factor", "y")}
        before["turned"] = before["y"]
        plan = {name: TensorPlan(8, scale, 0) for name, scale in before.items()}
        agreed = with_agreeing_factors(graph, plan, [["x"], ["factor"], ["y", "turned"]], ["x"])
        scales = {name: tensor.scale for name, tensor in agreed.items()}
        single = np.float32(scales["x"]) * np.float32(scales["factor"])
        single = float(single / np.float32(scales["y"])) if constant else float(single) / scales["y"]
        assert quantize_multiplier(single) == quantize_multiplier(scales["x"] * scales["factor"] / scales["y"])
        assert scales["turned"] == scales["y"]
        assert all(0 <= scales[name] / scale - 1 < 2e-3 for name, scale in before.items())
        assert scales["x"] == before["x"]
        changed += scales != before
    assert changed > 40
