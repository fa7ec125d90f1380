"""Build graphs node by node; frontends, passes and tests share it."""

from collections.abc import Sequence

import numpy as np

from edgetx.ir.graph import Graph, Node, OpLike, State
from edgetx.ir.types import Array, DType, QuantParams, TensorType, Value, dtype_of


class GraphBuilder:
    """Collects inputs, constants, states and nodes, with fresh names and inferred types."""

    def __init__(self, name: str, taken: Sequence[str] = ()) -> None:
        self.name = name
        self.nodes: list[Node] = []
        self.consts: dict[str, Array] = {}
        self._inputs: list[Value] = []
        self._states: list[State] = []
        self._taken = set(taken)

    @classmethod
    def beside(cls, graph: Graph, *replaced: Node) -> "GraphBuilder":
        """A builder whose names do not clash with those of `graph`; the names of replaced nodes are free."""
        free = {name for node in replaced for name in (node.name, *(v.name for v in node.outputs))}
        taken = {*(v.name for v in graph.values), *(n.name for n in graph.nodes), *graph.consts}
        return cls(graph.name, [*(taken - free)])

    def fresh(self, base: str) -> str:
        """`base` if nothing has that name yet, else `base` with a number."""
        name, count = base, 1
        while name in self._taken:
            count += 1
            name = f"{base}_{count}"
        self._taken.add(name)
        return name

    def input(
        self, name: str, shape: Sequence[int], dtype: DType = "float32", quant: QuantParams | None = None
    ) -> Value:
        """Declare a graph input."""
        value = Value(self.fresh(name), TensorType(tuple(shape), dtype, quant))
        self._inputs.append(value)
        return value

    def const(self, data: Array, name: str = "const", quant: QuantParams | None = None) -> Value:
        """Add a constant."""
        data = np.asarray(data, order="C")
        value = Value(self.fresh(name), TensorType(data.shape, dtype_of(data), quant))
        self.consts[value.name] = data
        return value

    def state(self, name: str, init: Array, quant: QuantParams | None = None) -> Value:
        """Declare a state and return the value to read; `write_state` closes it."""
        value = Value(self.fresh(name), TensorType(init.shape, dtype_of(init), quant))
        self._states.append(State(value.name, init, value, value))
        return value

    def write_state(self, read: Value, write: Value) -> None:
        """Say which value the state keeps for the next invocation."""
        self._states = [State(s.name, s.init, s.read, write) if s.read.name == read.name else s for s in self._states]

    def ops(
        self,
        op: OpLike,
        *inputs: Value,
        name: str = "",
        quants: Sequence[tuple[DType, QuantParams | None]] = (),
    ) -> tuple[Value, ...]:
        """Apply `op` and return all its results; `quants` gives their integer types where the graph is integer."""
        types = op.infer(*(value.type for value in inputs))
        if quants:
            types = tuple(t.with_quant(*q) for t, q in zip(types, quants, strict=True))
        node_name = self.fresh(name or op.name)
        names = [node_name] if len(types) == 1 else [self.fresh(f"{node_name}.{i}") for i in range(len(types))]
        outputs = tuple(Value(n, t) for n, t in zip(names, types, strict=True))
        self.nodes.append(Node(node_name, op, inputs, outputs))
        return outputs

    def op(
        self,
        op: OpLike,
        *inputs: Value,
        name: str = "",
        quant: tuple[DType, QuantParams | None] | None = None,
    ) -> Value:
        """Apply an op that has one result."""
        (value,) = self.ops(op, *inputs, name=name, quants=() if quant is None else (quant,))
        return value

    def graph(self, *outputs: Value) -> Graph:
        """The finished graph."""
        return Graph(
            self.name, tuple(self._inputs), outputs, tuple(self.nodes), dict(self.consts), tuple(self._states)
        ).without_dead_code()
