"""The order of a graph's nodes in which the fewest bytes are needed at once, as far as a greedy choice finds it."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import cast

from edgetx.ir import Graph, Node, Value
from edgetx.ops import Op
from edgetx.plan.arena import lower_bound
from edgetx.plan.liveness import live_buffers, places
from edgetx.plan.views import computed

Key = Callable[["_Choice"], tuple[int, int]]


@dataclass(frozen=True)
class _Choice:
    """A node that could be next, with the bytes that are needed while it runs and those that are left behind it."""

    node: Node
    during: int
    after: int


KEYS: tuple[Key, ...] = (lambda c: (c.during, c.after), lambda c: (c.after, c.during))


def order_for_memory(graph: Graph) -> Graph:
    """The graph with its nodes in an order that needs less memory than theirs; itself if none is found."""
    orders = {tuple(node.name for node in nodes): nodes for nodes in (graph.nodes, *(_greedy(graph, k) for k in KEYS))}
    if len(orders) == 1:
        return graph
    return min((graph, *(replace(graph, nodes=nodes) for nodes in [*orders.values()][1:])), key=least_arena)


def least_arena(graph: Graph) -> int:
    """Bytes below which no arena of an integer graph can be, with kernels that need no buffers of their own."""
    calls = {node.name: cast(Op, node.op).to_c(node) for node in computed(graph)}
    return lower_bound(live_buffers(graph, calls, places(graph, calls)))


def _greedy(graph: Graph, key: Key) -> tuple[Node, ...]:
    """Always the node of the least key that has all its operands, of equals the one that stands first."""
    place = {node.name: index for index, node in enumerate(graph.nodes)}
    memory = _Memory(graph)
    operands = {node.name: {v.name for v in node.inputs if graph.producer(v) is not None} for node in graph.nodes}
    ready = {node.name: node for node in graph.nodes if not operands[node.name]}
    order = []
    while ready:
        chosen = min(map(memory.choice, ready.values()), key=lambda c: (*key(c), place[c.node.name])).node
        order.append(ready.pop(chosen.name))
        memory.run(chosen)
        for value in chosen.outputs:
            for user in graph.users(value):
                operands[user.name].discard(value.name)
                if not operands[user.name]:
                    ready[user.name] = user
    return tuple(order)


class _Memory:
    """The bytes that are needed as nodes run; views take none."""

    def __init__(self, graph: Graph) -> None:
        self._root: dict[str, str] = {}
        self._size: dict[str, int] = {}
        for value in graph.inputs:
            self._hold(value)
        for node in graph.nodes:
            for value in node.outputs:
                self._hold(value, node)
        self._uses = Counter(root for node in graph.nodes for root in self._read(node))
        self._uses.update(
            self._root[v.name] for v in (*graph.outputs, *(s.write for s in graph.states)) if v.name in self._root
        )
        self._live = sum(value.type.nbytes for value in graph.inputs)

    def _hold(self, value: Value, node: Node | None = None) -> None:
        is_view = node is not None and cast(Op, node.op).is_view
        source = node.inputs[0].name if node is not None and is_view else ""
        self._root[value.name] = self._root.get(source, value.name)
        self._size.setdefault(self._root[value.name], value.type.nbytes)

    def _read(self, node: Node) -> set[str]:
        return {self._root[value.name] for value in node.inputs if value.name in self._root}

    def _made(self, node: Node) -> Iterable[str]:
        return () if cast(Op, node.op).is_view else (value.name for value in node.outputs)

    def choice(self, node: Node) -> _Choice:
        """What running a node next would take."""
        during = self._live + sum(self._size[name] for name in self._made(node))
        freed = sum(self._size[name] for name in self._read(node) if self._uses[name] == 1)
        return _Choice(node, during, during - freed)

    def run(self, node: Node) -> None:
        """Run a node."""
        self._live = self.choice(node).after
        self._uses.subtract(self._read(node))
