"""The text of a graph: complete but for constant data, and stable."""

import dataclasses
import hashlib

from edgetx.ir.graph import Graph, Node, OpLike
from edgetx.ir.types import Array, Value


def print_graph(graph: Graph) -> str:
    """One line per input, state, constant and node."""
    lines = [f"graph {graph.name}({', '.join(map(_typed, graph.inputs))})"]
    lines += [f"  state {_typed(s.read)} <- {s.write}  init {_digest(s.init)}" for s in graph.states]
    known = {value.name: value for value in graph.values}
    lines += [f"  const {_typed(known[name])}  {_digest(data)}" for name, data in graph.consts.items() if name in known]
    lines += [f"  {_node(node)}" for node in graph.nodes]
    lines.append(f"  return {', '.join(map(str, graph.outputs))}")
    return "\n".join(lines) + "\n"


def print_op(op: OpLike) -> str:
    """Name and attributes of an op; attributes at their defaults are left out."""
    fields = dataclasses.fields(op)  # type: ignore[arg-type]
    shown = [(f.name, getattr(op, f.name)) for f in fields if getattr(op, f.name) != f.default]
    attributes = ", ".join(f"{name}={value!r}" for name, value in shown)
    return f"{op.name}[{attributes}]" if attributes else op.name


def _node(node: Node) -> str:
    results = ", ".join(map(_typed, node.outputs))
    return f"{results} = {print_op(node.op)}({', '.join(map(str, node.inputs))})"


def _typed(value: Value) -> str:
    return f"{value}: {value.type}"


def _digest(data: Array) -> str:
    return "#" + hashlib.sha256(data.tobytes()).hexdigest()[:8]
