"""Nodes run in an order that needs less memory, where there is one."""

import numpy as np
import pytest
from encoders import ENCODERS, imported

from edgetx.compiler.quantized import quantize_model
from edgetx.ir import Graph, GraphBuilder, QuantParams
from edgetx.ops import Add, FullyConnected, Reshape
from edgetx.plan import plan_program
from edgetx.plan.order import least_arena, order_for_memory
from edgetx.quant import QuantRecipe
from edgetx.reference import execute

INT8 = ("int8", QuantParams((0.05,), 3))


def dense(b: GraphBuilder, x, out: int, name: str):
    rng = np.random.default_rng(out)
    weight = b.const(rng.integers(-127, 128, (out, x.shape[-1])).astype(np.int8), "w", QuantParams((0.01,) * out, 0, 0))
    return b.op(FullyConnected(), x, weight, name=name, quant=INT8)


def branches(*, wide_first: bool) -> Graph:
    """Four wide layers that are narrowed and added up: first all wide ones, or one branch after the other."""
    b = GraphBuilder("branches")
    x = b.input("x", (1, 16), *INT8)
    wide = [dense(b, x, 400, f"wide{i}") for i in range(4)] if wide_first else []
    total = None
    for i in range(4):
        branch = wide[i] if wide_first else dense(b, x, 400, f"wide{i}")
        narrow = dense(b, b.op(Reshape((1, 400)), branch, quant=INT8), 8, f"narrow{i}")
        total = narrow if total is None else b.op(Add(), total, narrow, quant=INT8)
    return b.graph(total)


def test_branches_are_finished_one_by_one() -> None:
    given, found = branches(wide_first=True), order_for_memory(branches(wide_first=True))
    assert least_arena(given) > 1600
    assert least_arena(found) < 500
    x = np.arange(-8, 8, dtype=np.int8)[None]
    np.testing.assert_array_equal(execute(found, [x])[0], execute(given, [x])[0])
    assert plan_program(given).arena.nbytes < 500


def test_order_that_is_good_stays() -> None:
    graph = branches(wide_first=False)
    assert order_for_memory(graph) is graph


@pytest.mark.parametrize("name", ENCODERS)
def test_no_order_is_worse(name: str) -> None:
    graph, x, _ = imported(name)
    graph = quantize_model(graph, x, QuantRecipe()).graph
    found = order_for_memory(graph)
    assert least_arena(found) <= least_arena(graph)
    assert {node.name for node in found.nodes} == {node.name for node in graph.nodes}
