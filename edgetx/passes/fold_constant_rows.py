"""Add constants to constant rows when compiling."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.ir import Array, Graph, GraphBuilder, Node, Value
from edgetx.ops import Add, Concatenation
from edgetx.passes.base import Rule


@dataclass(frozen=True)
class FoldConstantRows(Rule):
    """Concatenate after adding a constant, where a part is constant itself: a class token with its position.

    Given:   %a = concatenation(%token, %x)    %y = add(%a, %positions)
    Result:  %b = add(%x, %positions[1:])    %y = concatenation(%token + %positions[:1], %b)
    """

    name: ClassVar[str] = "fold-constant-rows"

    def rewrite(self, node: Node, graph: Graph) -> Graph | str:
        if node.op != Add():
            return "not a plain addition"
        for value, other in (node.inputs, node.inputs[::-1]):
            above, data = graph.producer(value), graph.const(other)
            if data is not None and above is not None and isinstance(above.op, Concatenation):
                return _concatenated_last(graph, node, above, data)
        return "no constant is added to a concatenation"


def _concatenated_last(graph: Graph, node: Node, above: Node, data: Array) -> Graph | str:
    if not graph.has_one_use(above.output):
        return f"{above.name} is read elsewhere too"
    if not any(value.name in graph.consts for value in above.inputs):
        return f"no part of {above.name} is constant"
    assert isinstance(above.op, Concatenation)
    axis = above.op.axis
    ends = np.cumsum([value.shape[axis] for value in above.inputs])
    constants = np.split(np.broadcast_to(data, above.output.shape), ends[:-1], axis)
    b = GraphBuilder.beside(graph, node)
    parts = [_sum(graph, b, value, constant) for value, constant in zip(above.inputs, constants, strict=True)]
    y = b.op(above.op, *parts, name=node.name)
    return graph.rewrite(remove=[node], add=b.nodes, consts=b.consts, replace_values={node.output.name: y})


def _sum(graph: Graph, b: GraphBuilder, value: Value, constant: Array) -> Value:
    data = graph.const(value)
    if data is not None:
        return b.const(data + constant, value.name)
    return b.op(Add(), value, b.const(constant.copy(), f"{value.name}.addend"))
