"""Recognize activations that were written out in arithmetic."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.ir import Graph, GraphBuilder, Node
from edgetx.ops import Add, Gelu, HardSwish, LeakyRelu, Logistic, Maximum, Mul, Silu, Square, Sub, Tanh
from edgetx.ops.pointwise import Pointwise
from edgetx.passes.base import Pass
from edgetx.passes.region import Region, elementwise, regions

GRID = np.linspace(-8, 8, 1001)
TOLERANCE = 1e-5


@dataclass(frozen=True)
class RecognizeActivation(Pass):
    """Replace arithmetic on one variable by the activation that has the same values.

    Given:   %c = tanh(0.798 · (%x + 0.0447 · %x³))    %y = 0.5 · %x · (1 + %c)
    Result:  %y = gelu[approximate='tanh'](%x)
    """

    name: ClassVar[str] = "recognize-activation"

    def run(self, graph: Graph) -> Graph:
        for node in reversed(graph.nodes):
            found = next(_matches(graph, node), None)
            if found is not None:
                graph = _replaced(graph, node, *found)
        return graph


def _matches(graph: Graph, node: Node) -> Iterator[tuple[Region, Pointwise]]:
    for region in regions(graph, node, elementwise(Add, Sub, Mul, Maximum)):
        with np.errstate(all="ignore"):
            values = region.evaluate(GRID).ravel()
        candidates = (op for op in _candidates(values) if np.allclose(values, op.function(GRID), TOLERANCE, TOLERANCE))
        yield from ((region, op) for op in candidates)


def _candidates(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> list[Pointwise]:
    slope = float(values[0] / GRID[0])
    return [Gelu(), Gelu("tanh"), Silu(), HardSwish(), Logistic(), Tanh(), Square(), LeakyRelu(round(slope, 6))]


def _replaced(graph: Graph, node: Node, region: Region, op: Pointwise) -> Graph:
    b = GraphBuilder.beside(graph, node)
    y = b.op(op, region.source, name=node.name)
    return graph.rewrite(remove=[node], add=b.nodes, replace_values={node.output.name: y})
