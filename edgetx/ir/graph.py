"""The graph: static-shape SSA with explicit constants and states, never changed in place."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, Protocol

from edgetx.ir.types import Array, TensorType, Value


class OpLike(Protocol):
    """What the IR needs to know of an op; the meaning lives in `edgetx.ops`."""

    @property
    def name(self) -> str:
        """Canonical name of the op."""

    @property
    def activation_bits(self) -> frozenset[int]:
        """Widths of activations for which there is integer arithmetic."""

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        """Types of the results, given those of the operands."""

    def has_form(self, form: Literal["tflite", "onnx", "c"], /) -> bool:
        """Whether the op can be written in that output form."""


@dataclass(frozen=True)
class Node:
    """One application of an op."""

    name: str
    op: OpLike
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]

    @property
    def output(self) -> Value:
        """The result of a node that has exactly one."""
        (value,) = self.outputs
        return value


@dataclass(frozen=True)
class State:
    """A tensor that survives from one invocation to the next.

    Attributes:
        name: Name of the state.
        init: Its contents after reset.
        read: The value as the invocation finds it.
        write: The value that the invocation leaves behind.
    """

    name: str
    init: Array = field(repr=False, compare=False)
    read: Value
    write: Value


@dataclass(frozen=True)
class Graph:
    """Nodes in topological order between inputs, constants and states and the outputs.

    Values are identified by name. Nothing here is ever changed in place: every rewrite gives a new graph.
    """

    name: str
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    nodes: tuple[Node, ...]
    consts: Mapping[str, Array] = field(default_factory=dict, compare=False)
    states: tuple[State, ...] = ()

    @cached_property
    def producers(self) -> Mapping[str, Node]:
        """The node that makes each value."""
        return {value.name: node for node in self.nodes for value in node.outputs}

    @cached_property
    def _users(self) -> Mapping[str, tuple[Node, ...]]:
        users: dict[str, list[Node]] = {}
        for node in self.nodes:
            for name in dict.fromkeys(value.name for value in node.inputs):
                users.setdefault(name, []).append(node)
        return {name: tuple(nodes) for name, nodes in users.items()}

    def producer(self, value: Value) -> Node | None:
        """The node that makes `value`; None for inputs, constants and states."""
        return self.producers.get(value.name)

    def users(self, value: Value) -> tuple[Node, ...]:
        """The nodes that read `value`."""
        return self._users.get(value.name, ())

    def is_result(self, value: Value) -> bool:
        """Whether `value` leaves the graph, as an output or into a state."""
        leaving = (*self.outputs, *(state.write for state in self.states))
        return any(value.name == v.name for v in leaving)

    def has_one_use(self, value: Value) -> bool:
        """Whether exactly one node, and nothing else, reads `value`."""
        return len(self.users(value)) == 1 and not self.is_result(value)

    def const(self, value: Value) -> Array | None:
        """The data of `value` if it is a constant."""
        return self.consts.get(value.name)

    @property
    def values(self) -> Iterable[Value]:
        """Every value once: inputs, states, then operands and results in node order."""
        seen: dict[str, Value] = {v.name: v for v in self.inputs}
        seen.update((s.read.name, s.read) for s in self.states)
        for node in self.nodes:
            for value in (*node.inputs, *node.outputs):
                seen.setdefault(value.name, value)
        return seen.values()

    @property
    def parameters(self) -> int:
        """Number of constant elements."""
        return sum(array.size for array in self.consts.values())

    def rewrite(
        self,
        *,
        remove: Sequence[Node] = (),
        add: Sequence[Node] = (),
        consts: Mapping[str, Array] | None = None,
        replace_values: Mapping[str, Value] | None = None,
    ) -> "Graph":
        """Exchange nodes, redirect the uses of values, and drop what nothing needs any more.

        Args:
            remove: Nodes to take out.
            add: Nodes to put in; their place in the order is found.
            consts: Constants that the new nodes read.
            replace_values: For a value's name, the value that the other nodes shall read instead.
        """
        gone = {node.name for node in remove}
        redirect = replace_values or {}

        def resolve(value: Value) -> Value:
            return redirect.get(value.name, value)

        def redirected(node: Node) -> Node:
            if not any(value.name in redirect for value in node.inputs):
                return node
            return replace(node, inputs=tuple(map(resolve, node.inputs)))

        kept = [redirected(node) for node in self.nodes if node.name not in gone]
        nodes = [*kept, *add]
        states = tuple(replace(s, write=resolve(s.write)) for s in self.states)
        outputs = tuple(map(resolve, self.outputs))
        graph = replace(
            self,
            nodes=tuple(_sorted(nodes)),
            outputs=outputs,
            consts={**self.consts, **(consts or {})},
            states=states,
        )
        return graph.without_dead_code()

    def without_dead_code(self) -> "Graph":
        """Drop nodes and constants that no output and no state depends on."""
        live = {v.name for v in (*self.outputs, *(s.write for s in self.states))}
        nodes: list[Node] = []
        for node in reversed(self.nodes):
            if any(value.name in live for value in node.outputs):
                nodes.append(node)
                live.update(value.name for value in node.inputs)
        consts = {name: array for name, array in self.consts.items() if name in live}
        if len(nodes) == len(self.nodes) and len(consts) == len(self.consts):
            return self
        return replace(self, nodes=tuple(reversed(nodes)), consts=consts)

    def __str__(self) -> str:
        from edgetx.ir.printer import print_graph

        return print_graph(self)


def _sorted(nodes: Sequence[Node]) -> list[Node]:
    """Topological order that otherwise keeps the given one."""
    makers = {value.name: node for node in nodes for value in node.outputs}
    done: dict[str, Node] = {}
    entered: set[str] = set()
    for node in nodes:
        stack = [node]
        while stack:
            top = stack[-1]
            waiting = [makers[v.name] for v in top.inputs if v.name in makers and makers[v.name].name not in done]
            if top.name in done or not waiting:
                done.setdefault(stack.pop().name, top)
            elif top.name in entered:
                raise ValueError(f"cycle through node {top.name}")
            else:
                entered.add(top.name)
                stack.extend(waiting)
    return list(done.values())
