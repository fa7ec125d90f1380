"""Reduce axes that are not neighbours one after the other."""

from dataclasses import dataclass, replace
from typing import ClassVar

from edgetx.ir import Graph, GraphBuilder, Node
from edgetx.ops import Mean, ReduceMax
from edgetx.passes.base import Rule


@dataclass(frozen=True)
class SplitReduction(Rule):
    """Reduce the last run of neighbouring axes first, then the others.

    Given:   %b = mean[axes=(1, 2, 4)](%a)
    Result:  %b = mean[axes=(4,)](%a)    %c = mean[axes=(1, 2)](%b)
    """

    name: ClassVar[str] = "split-reduction"

    def rewrite(self, node: Node, graph: Graph) -> Graph | str:
        op = node.op
        if not isinstance(op, Mean | ReduceMax):
            return "no reduction"
        gaps = [i for i, (a, b) in enumerate(zip(op.axes, op.axes[1:], strict=False), 1) if b != a + 1]
        if not gaps:
            return "neighbouring axes"
        first, last = op.axes[: gaps[-1]], op.axes[gaps[-1] :]
        b = GraphBuilder.beside(graph, node)
        inner = b.op(replace(op, axes=last), node.inputs[0])
        y = b.op(replace(op, axes=first), inner, name=node.name)
        return graph.rewrite(remove=[node], add=b.nodes, replace_values={node.output.name: y})
