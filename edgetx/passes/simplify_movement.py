"""Reduce chains of data movement."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.ir import Graph, GraphBuilder, Node
from edgetx.ops import Gather, Reshape, Transpose
from edgetx.passes.base import Rule
from edgetx.passes.movement import is_movement, trace, traces


@dataclass(frozen=True)
class SimplifyMovement(Rule):
    """Replace a chain of movement that keeps the order of elements by one reshape, or by nothing.

    Given:   %b = transpose[permutation=(1, 0, 2)](%a)    %c = reshape(%b)    with %a of one row
    Result:  %c = reshape(%a)

    What only reorders one axis becomes a gather, and axes of one element come and go before a transpose.
    """

    name: ClassVar[str] = "simplify-movement"

    def rewrite(self, node: Node, graph: Graph) -> Graph | str:
        if not is_movement(node):
            return "not data movement"
        moved = trace(graph, node.output)
        if not moved.is_identity:
            if isinstance(node.op, Reshape):
                return _gathered(node, graph) or _transpose_last(node, graph)
            return _reshaped(node, graph) if _keeps_order(node) else _merge_transposes(node, graph)
        if node.output.shape == moved.source.shape:
            return graph.rewrite(remove=[node], replace_values={node.output.name: moved.source})
        if isinstance(node.op, Reshape) and node.inputs[0].name == moved.source.name:
            return "already one reshape"
        b = GraphBuilder.beside(graph, node)
        y = b.op(Reshape(node.output.shape), moved.source, name=node.name)
        return graph.rewrite(remove=[node], add=b.nodes, replace_values={node.output.name: y})


def _gathered(node: Node, graph: Graph) -> Graph | None:
    """A shuffle of channels: the elements of one axis in another order."""
    shape = node.output.shape
    for moved in traces(graph, node):
        if moved.source.shape != shape or moved.is_identity:
            continue
        for axis, place in enumerate(np.unravel_index(moved.index, shape)):
            picked = np.moveaxis(place, axis, 0).reshape(shape[axis], -1)[:, 0]
            if (np.arange(moved.index.size).reshape(shape).take(picked, axis) == moved.index).all():
                b = GraphBuilder.beside(graph, node)
                y = b.op(Gather(axis, tuple(map(int, picked))), moved.source, name=node.name)
                return graph.rewrite(remove=[node], add=b.nodes, replace_values={node.output.name: y})
    return None


def _transpose_last(node: Node, graph: Graph) -> Graph | str:
    """Axes of one element come and go before a transpose instead of behind it."""
    above = graph.producer(node.inputs[0])
    if above is None or not isinstance(above.op, Transpose):
        return "it reorders elements"
    x, places = above.inputs[0], [axis for axis, n in enumerate(node.output.shape) if n > 1]
    if [n for n in above.output.shape if n > 1] != [node.output.shape[axis] for axis in places]:
        return "it reorders elements"
    order = [axis for axis in above.op.permutation if x.shape[axis] > 1]
    shape, permutation = [1] * node.output.type.rank, list(range(node.output.type.rank))
    for axis, place in zip(order, places, strict=True):
        permutation[place] = places[sorted(order).index(axis)]
        shape[permutation[place]] = x.shape[axis]
    b = GraphBuilder.beside(graph, node)
    y = b.op(Transpose(tuple(permutation)), b.op(Reshape(tuple(shape)), x), name=node.name)
    return graph.rewrite(remove=[node], add=b.nodes, replace_values={node.output.name: y})


def _keeps_order(node: Node) -> bool:
    """Whether a transpose moves only axes of one element."""
    if not isinstance(node.op, Transpose):
        return False
    moved = [axis for axis in node.op.permutation if node.inputs[0].shape[axis] > 1]
    return moved == sorted(moved)


def _reshaped(node: Node, graph: Graph) -> Graph:
    b = GraphBuilder.beside(graph, node)
    y = b.op(Reshape(node.output.shape), node.inputs[0], name=node.name)
    return graph.rewrite(remove=[node], add=b.nodes, replace_values={node.output.name: y})


def _merge_transposes(node: Node, graph: Graph) -> Graph | str:
    """Two transposes in a row are one."""
    above = graph.producer(node.inputs[0])
    if not isinstance(node.op, Transpose) or above is None or not isinstance(above.op, Transpose):
        return "it reorders elements"
    first, second = above.op.permutation, node.op.permutation
    b = GraphBuilder.beside(graph, node)
    y = b.op(Transpose(tuple(first[axis] for axis in second)), above.inputs[0], name=node.name)
    return graph.rewrite(remove=[node], add=b.nodes, replace_values={node.output.name: y})
