"""Reduce chains of data movement."""

from dataclasses import dataclass
from typing import ClassVar

from edgetx.ir import Graph, GraphBuilder, Node
from edgetx.ops import Reshape, Transpose
from edgetx.passes.base import Rule
from edgetx.passes.movement import is_movement, trace


@dataclass(frozen=True)
class SimplifyMovement(Rule):
    """Replace a chain of movement that keeps the order of elements by one reshape, or by nothing.

    Given:   %b = transpose[permutation=(1, 0, 2)](%a)    %c = reshape(%b)    with %a of one row
    Result:  %c = reshape(%a)
    """

    name: ClassVar[str] = "simplify-movement"

    def rewrite(self, node: Node, graph: Graph) -> Graph | str:
        if not is_movement(node):
            return "not data movement"
        moved = trace(graph, node.output)
        if not moved.is_identity:
            return _reshaped(node, graph) if _keeps_order(node) else _merge_transposes(node, graph)
        if node.output.shape == moved.source.shape:
            return graph.rewrite(remove=[node], replace_values={node.output.name: moved.source})
        if isinstance(node.op, Reshape) and node.inputs[0].name == moved.source.name:
            return "already one reshape"
        b = GraphBuilder.beside(graph, node)
        y = b.op(Reshape(node.output.shape), moved.source, name=node.name)
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
