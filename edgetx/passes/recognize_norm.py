"""Recognize normalizations that were written out in arithmetic."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.ir import Array, Graph, GraphBuilder, Node, Value
from edgetx.ops import Add, LayerNorm, Maximum, Mean, Minimum, Mul, RmsNorm, Sub
from edgetx.ops.pointwise import Pointwise
from edgetx.passes.base import Pass
from edgetx.passes.region import Region, regions

ROWS = 4
SMALL = 1e-3
"""Size of a row whose variance shows epsilon."""
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Norm:
    """What a region computes: gamma · (x − mean) / sqrt(variance + epsilon) + beta, or without mean and beta."""

    centred: bool
    epsilon: float
    gamma: Array
    beta: Array

    def evaluate(self, x: Array) -> Array:
        """The normalization of rows."""
        d = x - x.mean(-1, keepdims=True) * self.centred
        return np.asarray(self.gamma * d / np.sqrt((d * d).mean(-1, keepdims=True) + self.epsilon) + self.beta)


@dataclass(frozen=True)
class RecognizeNorm(Pass):
    """Replace arithmetic on rows by the layer or root-mean-square normalization that has the same values.

    Given:   %m = mean(%x)    %v = mean(square(%x − %m))    %y = %gamma · (%x − %m) · rsqrt(%v + 1e-6) + %beta
    Result:  %y = layer_norm[epsilon=1e-6](%x, %gamma, %beta)
    """

    name: ClassVar[str] = "recognize-norm"

    def run(self, graph: Graph) -> Graph:
        for node in reversed(graph.nodes):
            found = next(_matches(graph, node), None)
            if found is not None:
                graph = _replaced(graph, node, *found)
        return graph


def _matches(graph: Graph, node: Node) -> Iterator[tuple[Value, Norm]]:
    if not isinstance(node.op, Mul | Add):
        return
    for region in regions(graph, node, _of_one_row):
        if any(isinstance(inner.op, Mean) for inner in region.nodes) and node.output.shape == region.source.shape:
            candidates = (_solved(region, centred) for centred in (True, False))
            yield from ((region.source, norm) for norm in candidates if _computes(region, norm))


def _of_one_row(graph: Graph, node: Node) -> bool:
    """Whether a node computes every row, along the last axis, on its own and like any other."""
    consts = [data for value in node.inputs if (data := graph.const(value)) is not None]
    if any(data.size != int(np.prod(data.shape[-1:])) for data in consts):
        return False
    if isinstance(node.op, Mean):
        return node.op.axes == (node.inputs[0].type.rank - 1,) and node.op.keepdims
    return isinstance(node.op, Pointwise | Add | Sub | Mul | Minimum | Maximum)


def _solved(region: Region, centred: bool) -> Norm:
    """The normalization with the region's values on a row of zeros, one of variance 1, and a small one."""
    row = np.random.default_rng(0).normal(size=region.source.shape[-1])
    row = row - row.mean() * centred
    row = row / np.sqrt((row * row).mean())
    with np.errstate(all="ignore"):
        beta, large, small = _on_rows(region, np.stack([row * 0, row, row * SMALL]))
        gains = ((large - beta) / row, (small - beta) / (row * SMALL))
        ratio = np.median((gains[0] / gains[1]) ** 2)
        epsilon = np.maximum((ratio - SMALL**2) / (1 - ratio), 0.0)
    return Norm(centred, float(np.float32(epsilon)), gains[0] * np.sqrt(1 + epsilon), beta)


def _computes(region: Region, norm: Norm) -> bool:
    if not np.isfinite([norm.epsilon, *norm.gamma, *norm.beta]).all() or (not norm.centred and norm.beta.any()):
        return False
    rng = np.random.default_rng(1)
    rows = rng.normal(rng.normal(size=(ROWS, 1)), np.logspace(-2, 2, ROWS)[:, None], (ROWS, len(norm.gamma)))
    return np.allclose(_on_rows(region, rows), norm.evaluate(rows), TOLERANCE, TOLERANCE)


def _on_rows(region: Region, rows: Array) -> Array:
    rank = region.source.type.rank
    return region.evaluate(rows.reshape((1,) * (rank - 2) + rows.shape)).reshape(rows.shape)


def _replaced(graph: Graph, node: Node, x: Value, norm: Norm) -> Graph:
    b = GraphBuilder.beside(graph, node)
    gamma = b.const(norm.gamma.astype(np.float32), f"{node.name}.gamma")
    if norm.centred:
        beta = b.const(norm.beta.astype(np.float32), f"{node.name}.beta")
        y = b.op(LayerNorm(norm.epsilon), x, gamma, beta, name=node.name)
    else:
        y = b.op(RmsNorm(norm.epsilon), x, gamma, name=node.name)
    return graph.rewrite(remove=[node], add=b.nodes, consts=b.consts, replace_values={node.output.name: y})
