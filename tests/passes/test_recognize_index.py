"""Negative indices that a model wraps before a look-up."""

import numpy as np
import pytest

from edgetx.frontends import composites, truths
from edgetx.frontends.builder_scope import BuilderScope
from edgetx.ir import Graph, GraphBuilder
from edgetx.ops import Add, Lookup
from edgetx.passes.pipeline import canonicalize
from edgetx.passes.recognize_index import RecognizeIndex
from edgetx.reference import execute

ROWS = 5
TABLE = np.arange(3 * ROWS, dtype=np.float32).reshape(ROWS, 3)


def wrapped(size: int) -> Graph:
    """Rows at x, or at x + size where x is negative, as Keras writes its embeddings."""
    s = BuilderScope(GraphBuilder("embedding"), "embedding")
    x = s.builder.input("x", (1, 2 * ROWS))
    below = truths.compared(s, "less", x, s.scalar(0))
    index = truths.chosen(s, below, s.op(Add(), x, s.scalar(size)), x)
    return s.builder.graph(s.op(Lookup(), s.const(TABLE, "table"), index))


def test_wrapping_becomes_the_look_up_s() -> None:
    graph = wrapped(ROWS)
    (node,) = canonicalize(graph).nodes
    assert node.op == Lookup(wraps=True)
    x = np.arange(-ROWS, ROWS, dtype=np.float32)[None]
    np.testing.assert_array_equal(execute(canonicalize(graph), [x])[0], TABLE[[*range(ROWS)] * 2][None])
    np.testing.assert_array_equal(execute(canonicalize(graph), [x])[0], execute(graph, [x])[0])


def test_other_arithmetic_stays() -> None:
    graph = wrapped(ROWS - 1)
    assert RecognizeIndex().run(graph) == graph


@pytest.mark.parametrize("whole", [True, False])
def test_remainder_stays(whole: bool) -> None:
    """It reads the first row behind the last one, not the last one again."""
    s = BuilderScope(GraphBuilder("hashed"), "hashed")
    index = composites.remainder(s, s.builder.input("x", (1, 7)), s.scalar(8), is_whole=whole)
    graph = s.builder.graph(s.op(Lookup(), s.const(np.arange(16, dtype=np.float32).reshape(8, 2), "table"), index))
    assert RecognizeIndex().run(graph) == graph
