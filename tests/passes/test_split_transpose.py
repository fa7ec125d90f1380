"""Transposes of many axes as several of a few."""

import numpy as np
import pytest

from edgetx import ops
from edgetx.ir import GraphBuilder
from edgetx.ops.axes import MAX_AXES, merge_axes
from edgetx.passes.base import why_not
from edgetx.passes.split_transpose import SplitTranspose
from edgetx.reference import execute


@pytest.mark.parametrize(
    "permutation", [(0, 3, 5, 1, 2, 4), (0, 1, 4, 2, 5, 3), (5, 4, 3, 2, 1, 0), (0, 5, 1, 4, 2, 3)]
)
def test_split_moves_the_same_elements_through_few_axes(permutation):
    b = GraphBuilder("test")
    x = b.input("x", (1, 2, 3, 4, 5, 6), "float32")
    graph = b.graph(b.op(ops.Transpose(permutation), x, name="moved"))
    split = SplitTranspose().run(graph)
    data = np.arange(720, dtype=np.float32).reshape(x.shape)
    np.testing.assert_array_equal(execute(split, [data])[0], data.transpose(permutation))
    for node in split.nodes:
        if isinstance(node.op, ops.Transpose):
            shape = node.inputs[0].shape
            steps = np.cumprod([1, *shape[:0:-1]])[::-1]
            merged = merge_axes("moved", node.output.shape, [int(steps[axis]) for axis in node.op.permutation])
            assert len(merged[0]) == MAX_AXES


def test_few_axes_stay_together():
    b = GraphBuilder("test")
    x = b.input("x", (1, 2, 3, 4, 5, 6), "float32")
    graph = b.graph(b.op(ops.Transpose((0, 2, 3, 1, 4, 5)), x, name="moved"))
    assert why_not(SplitTranspose(), graph, "moved") == "few axes"
