"""Work on half as many tokens from some layer on."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar, cast

from edgetx import ops
from edgetx.ir import Graph, GraphBuilder, Node, Value
from edgetx.ops import Op
from edgetx.ops.elementwise import Elementwise
from edgetx.ops.pointwise import Pointwise
from edgetx.ops.reduction import Reduction
from edgetx.passes.base import Pass

TOKENS = 1
"""The axis of tokens in [1, tokens, features]."""
FEWEST = 4


@dataclass(frozen=True)
class PoolTokens(Pass):
    """Put the mean of every two neighbours in place of some tokens, for all that follows.

    Of an odd number the last stays. With an even number the result is what it was with both neighbours replaced by
    their mean.
    """

    name: ClassVar[str] = "pool_tokens"

    values: tuple[str, ...]

    def run(self, graph: Graph) -> Graph:
        """The faster graph."""
        for name in self.values:
            (value,) = (value for value in graph.values if value.name == name)
            graph = _pooled(graph, value)
        return graph


def poolable(graph: Graph) -> list[str]:
    """Names of the tokens that may be pooled, in the order of the graph: all that follows takes any number of them."""
    sums = (node.outputs[0] for node in graph.nodes if isinstance(node.op, Elementwise))
    return [
        value.name
        for value in sums
        if _is_tokens(value) and any(not isinstance(node.op, Reduction) for node in _followers(graph, value))
    ]


def _is_tokens(value: Value) -> bool:
    return value.type.rank == 3 and value.shape[0] == 1 and value.shape[TOKENS] >= FEWEST


def _followers(graph: Graph, value: Value) -> list[Node]:
    """The nodes from tokens to the means over them; none if one of them needs their number, or an output holds it."""
    tokens, found = {value.name}, list[Node]()
    for node in graph.nodes:
        read = [v.name in tokens for v in node.inputs]
        if not any(read):
            continue
        found.append(node)
        if isinstance(node.op, Reduction) and TOKENS in node.op.axes:
            continue
        if not _takes_any_number(graph, node, tokens):
            return []
        tokens.update(v.name for v in node.outputs)
    ends = (*graph.outputs, *(state.write for state in graph.states))
    return [] if any(v.name in tokens for v in ends) else found


def _takes_any_number(graph: Graph, node: Node, tokens: Iterable[str]) -> bool:
    """Whether the result has the operands' tokens, each computed from its own or by attention to all."""
    constants = [v for v in node.inputs if graph.const(v) is not None]
    if any(v.name not in tokens for v in node.inputs if v not in constants):
        return False
    if isinstance(node.op, Elementwise):
        return all(v.type.rank < 2 or v.shape[-2] == 1 for v in constants)
    return isinstance(node.op, Pointwise | ops.FullyConnected | ops.LayerNorm | ops.RmsNorm | ops.Attention)


def _pooled(graph: Graph, value: Value) -> Graph:
    _, count, features = value.shape
    padding = "same" if count % 2 else "valid"
    builder = GraphBuilder.beside(graph)
    image = builder.op(ops.Reshape((1, count, 1, features)), value, name=f"{value.name}.rows")
    means = builder.op(ops.AveragePool2D((2, 1), (2, 1), padding), image, name=f"{value.name}.pairs")  # type: ignore[arg-type]
    fewer = builder.op(ops.Reshape((1, (count + 1) // 2, features)), means, name=f"{value.name}.pooled")
    values = {value.name: fewer}
    added = list(builder.nodes)
    changed = {node.name: _again(node, values) for node in _followers(graph, value)}
    nodes: list[Node] = []
    for node in graph.nodes:
        nodes.append(changed.get(node.name, node))
        if value in node.outputs:
            nodes += added
    return replace(graph, nodes=tuple(nodes))


def _again(node: Node, values: dict[str, Value]) -> Node:
    """The node on other operands, with the types that follow."""
    inputs = tuple(values.get(value.name, value) for value in node.inputs)
    kinds = cast(Op, node.op).infer(*(value.type for value in inputs))
    outputs = tuple(replace(value, type=kind) for value, kind in zip(node.outputs, kinds, strict=True))
    values.update((value.name, value) for value in outputs)
    return replace(node, inputs=inputs, outputs=outputs)
