"""Take a residual branch out of a float graph."""

from dataclasses import dataclass
from typing import ClassVar

from edgetx import ops
from edgetx.ir import Graph, Value
from edgetx.passes.base import Pass


@dataclass(frozen=True)
class Branch:
    """What a residual connection adds to what goes past it.

    Attributes:
        join: Name of the node that adds.
        operand: Index of the operand that is the branch.
    """

    join: str
    operand: int


@dataclass(frozen=True)
class DropBranch(Pass):
    """Leave out residual branches; the rest computes what it computed with them at 0."""

    name: ClassVar[str] = "drop_branch"

    branches: tuple[Branch, ...]

    def run(self, graph: Graph) -> Graph:
        """The smaller graph."""
        for branch in self.branches:
            (join,) = (node for node in graph.nodes if node.name == branch.join)
            graph = graph.rewrite(remove=[join], replace_values={join.output.name: join.inputs[1 - branch.operand]})
        return graph


def residual_branches(graph: Graph) -> list[Branch]:
    """All branches that can be left out, in the order of the nodes that add them.

    A branch of an addition of two activations of the result's shape is the operand whose making reads the other one.
    """
    return [
        Branch(node.name, operand)
        for node in graph.nodes
        if isinstance(node.op, ops.Add) and node.op.activation == "none" and node.output.type == node.inputs[0].type
        for operand in range(2)
        if _reads(graph, node.inputs[operand], node.inputs[1 - operand])
    ]


def _reads(graph: Graph, value: Value, source: Value) -> bool:
    """Whether `value`, which only the addition reads, has the shape of `source` and depends on it."""
    if value.type != source.type or not graph.has_one_use(value):
        return False
    seen, waiting = set[str](), [value]
    while waiting:
        node = graph.producer(waiting.pop())
        if node is None or node.name in seen:
            continue
        seen.add(node.name)
        if source in node.inputs:
            return True
        waiting += node.inputs
    return False
