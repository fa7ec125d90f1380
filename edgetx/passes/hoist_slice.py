"""Compute only the rows that are read."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.ir import Graph, GraphBuilder, Node, Value
from edgetx.ops import Add, Attention, FullyConnected, LayerNorm, Mul, Op, RmsNorm, StridedSlice, Sub
from edgetx.ops.pointwise import Pointwise
from edgetx.passes.base import Rule

SLICED_OPERANDS = {FullyConnected: 1, LayerNorm: 1, RmsNorm: 1, Attention: 1, Add: 2, Sub: 2, Mul: 2}
"""How many leading operands of an op hold the rows of its result."""


@dataclass(frozen=True)
class HoistSlice(Rule):
    """Slice rows before computing them: a class token read at the end makes the last layer compute one row.

    Given:   %a = layer_norm(%x, …)    %y = strided_slice(%a)    and nothing else reads %a
    Result:  %b = strided_slice(%x)    %y = layer_norm(%b, …)
    """

    name: ClassVar[str] = "hoist-slice"

    def rewrite(self, node: Node, graph: Graph) -> Graph | str:
        if not isinstance(node.op, StridedSlice):
            return "not a slice"
        if node.output.shape[-1] != node.inputs[0].shape[-1]:
            return "it slices within rows"
        above = graph.producer(node.inputs[0])
        if above is None or not isinstance(above.op, (*SLICED_OPERANDS, Pointwise)):
            return "the op above mixes rows"
        if not graph.has_one_use(node.inputs[0]):
            return f"{node.inputs[0].name} is read elsewhere too"
        if isinstance(above.op, Attention) and node.inputs[0].type.rank != 3:
            return "the rows of attention are not its second axis"
        return self._hoisted(node, above, graph)

    def _hoisted(self, node: Node, above: Node, graph: Graph) -> Graph:
        assert isinstance(node.op, StridedSlice)
        assert isinstance(above.op, Op)
        b = GraphBuilder.beside(graph, node, above)
        count = SLICED_OPERANDS.get(type(above.op), 1)
        operands = [_sliced(graph, b, node, value) for value in above.inputs[:count]]
        y = b.op(above.op, *operands, *above.inputs[count:], name=above.name)
        return graph.rewrite(remove=[node, above], add=b.nodes, consts=b.consts, replace_values={node.output.name: y})


def _sliced(graph: Graph, b: GraphBuilder, node: Node, value: Value) -> Value:
    """The operand's rows; a constant that is broadcast over them stays as it is."""
    whole = node.inputs[0].shape
    data = graph.const(value)
    if data is not None:
        if value.shape[:-1] == (1,) * (value.type.rank - 1):
            return value
        (rows,) = node.op.float_ref(np.broadcast_to(data, (*whole[:-1], data.shape[-1])))  # type: ignore[attr-defined]
        return b.const(rows.copy(), value.name)
    op = node.op
    assert isinstance(op, StridedSlice)
    ends = (*op.end[:-1], value.shape[-1])
    return b.op(StridedSlice(op.begin, ends, op.strides), value, name=node.name)
