"""Give attention over the whole clip a bounded look-back."""

from dataclasses import dataclass, replace
from typing import ClassVar

from edgetx.ir import Graph, Node
from edgetx.ops import Attention
from edgetx.passes.base import Pass


@dataclass(frozen=True)
class BoundAttention(Pass):
    """Let every query see its own frame and the `frames` - 1 before it. This changes what the model computes.

    Given:   %y = attention(%q, %k, %v)
    Result:  %y = attention[span=(frames - 1, 0)](%q, %k, %v)
    """

    name: ClassVar[str] = "bound-attention"

    frames: int

    def run(self, graph: Graph) -> Graph:
        return replace(graph, nodes=tuple(map(self._bounded, graph.nodes)))

    def _bounded(self, node: Node) -> Node:
        if (
            not isinstance(node.op, Attention)
            or node.op.span is not None
            or node.inputs[0].shape != node.inputs[1].shape
        ):
            return node
        return replace(node, op=replace(node.op, span=(self.frames - 1, 0)))
