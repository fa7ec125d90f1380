"""Compute equal things once."""

from dataclasses import dataclass
from typing import ClassVar

from edgetx.ir import Graph, Node
from edgetx.passes.base import Rule


@dataclass(frozen=True)
class MergeDuplicates(Rule):
    """Let nodes of equal op and operands share one result.

    Given:   %b = strided_slice(%a)    %c = strided_slice(%a)
    Result:  %b = strided_slice(%a), read in place of %c
    """

    name: ClassVar[str] = "merge-duplicates"

    def rewrite(self, node: Node, graph: Graph) -> Graph | str:
        for other in graph.users(node.inputs[0]) if node.inputs else graph.nodes:
            if other.name == node.name:
                return "it is the first of its kind"
            if _computation(other) == _computation(node):
                shared = {mine.name: theirs for mine, theirs in zip(node.outputs, other.outputs, strict=True)}
                return graph.rewrite(remove=[node], replace_values=shared)
        return "not in the graph"


def _computation(node: Node) -> tuple[object, ...]:
    """What makes two nodes equal; integer results may differ in their quantization."""
    return node.op, node.inputs, [value.type for value in node.outputs]
