"""Regions of a graph that compute one value from one other: what a user wrote as many nodes may be one op.

A region is recognized by what it computes, not by how it was written: it is evaluated on chosen inputs, in double
precision.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from edgetx.ir import Array, Graph, Node, Value
from edgetx.ops import Op
from edgetx.ops.pointwise import Pointwise

LARGEST_REGION = 24
"""Nodes of a region at most."""

Allowed = Callable[[Graph, Node], bool]


def elementwise(*kinds: type[Op]) -> Allowed:
    """Allow ops of one operand, and of these kinds, that compute element by element: all constants are scalars."""

    def allowed(graph: Graph, node: Node) -> bool:
        consts = [data for value in node.inputs if (data := graph.const(value)) is not None]
        return isinstance(node.op, (Pointwise, *kinds)) and all(data.size == 1 for data in consts)

    return allowed


@dataclass(frozen=True)
class Region:
    """Nodes between `source` and the result of the last one, which depends on nothing else but constants."""

    graph: Graph
    source: Value
    nodes: tuple[Node, ...]

    def evaluate(self, x: Array) -> Array:
        """The result for another array, of the rank of the source, in its place."""
        values: dict[str, Array] = {self.source.name: np.asarray(x, np.float64)}
        for node in self.nodes:
            operands = [values.get(v.name, self.graph.consts.get(v.name)) for v in node.inputs]
            values[node.output.name] = _result(node, [np.asarray(operand, np.float64) for operand in operands])
        return values[self.nodes[-1].output.name]


def regions(graph: Graph, root: Node, allowed: Allowed) -> Iterator[Region]:
    """Every region that ends in `root` and holds at least two nodes that are `allowed`, the largest first."""
    inner = _ancestors(graph, root, allowed)
    sources = {v.name: v for node in inner for v in node.inputs if v.name not in graph.consts}
    found = (_between(graph, source, root, inner) for source in sources.values())
    complete = (region for region in found if region is not None and len(region.nodes) > 1)
    yield from sorted(complete, key=lambda region: -len(region.nodes))


def _ancestors(graph: Graph, root: Node, allowed: Allowed) -> list[Node]:
    """The allowed nodes that `root` depends on through allowed nodes, in the order of the graph."""
    found: dict[str, Node] = {}
    waiting = [root]
    while waiting and len(found) < LARGEST_REGION:
        node = waiting.pop(0)
        if node.name not in found and allowed(graph, node):
            found[node.name] = node
            waiting += filter(None, map(graph.producer, node.inputs))
    return [node for node in graph.nodes if node.name in found]


def _between(graph: Graph, source: Value, root: Node, inner: list[Node]) -> Region | None:
    """The region from `source` to `root`, if `root` depends on nothing else."""
    makers = {node.output.name: node for node in inner if node.output.name != source.name}
    needed: set[str] = set()
    waiting = [root.output.name]
    while waiting:
        name = waiting.pop()
        if name == source.name or name in graph.consts or name in needed:
            continue
        if name not in makers:
            return None
        needed.add(name)
        waiting += [value.name for value in makers[name].inputs]
    return Region(graph, source, tuple(node for node in inner if node.output.name in needed))


def _result(node: Node, operands: list[Array]) -> Array:
    if isinstance(node.op, Pointwise):
        return node.op.function(*operands)
    assert isinstance(node.op, Op)
    return node.op.float_ref(*operands)[0]
