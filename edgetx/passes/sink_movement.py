"""Move reshapes and transposes below the computations that do not mind them, until they meet and cancel."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from edgetx.ir import Graph, GraphBuilder, Node, Value
from edgetx.ops import Add, FullyConnected, LayerNorm, Mul, Pad, Reshape, RmsNorm, Softmax, StridedSlice, Sub, Transpose
from edgetx.ops.pointwise import Pointwise
from edgetx.ops.reduction import Reduction
from edgetx.passes.base import Rule
from edgetx.passes.movement import trace

ROWWISE = (FullyConnected, LayerNorm, RmsNorm, Softmax)
"""Ops whose first operand is a set of rows along the last axis, in any arrangement."""


@dataclass(frozen=True)
class SinkReshape(Rule):
    """Compute before reshaping where rows, or elements, stay whole.

    Given:   %b = reshape(%a)    %c = fully_connected(%b, %w)
    Result:  %b = fully_connected(%a, %w)    %c = reshape(%b)
    """

    name: ClassVar[str] = "sink-reshape"

    def rewrite(self, node: Node, graph: Graph) -> Graph | str:
        above = graph.producer(node.inputs[0]) if node.inputs else None
        if above is None or not isinstance(above.op, Reshape) or isinstance(node.op, Reshape):
            return "no reshape above"
        x = above.inputs[0]
        if isinstance(node.op, ROWWISE) and x.type.rank > 0 and x.shape[-1] == above.output.shape[-1]:
            return _compute_first(node, graph, x, node.op, (x, *node.inputs[1:]))
        if isinstance(node.op, Pointwise):
            return _compute_first(node, graph, x, node.op, (x,))
        if isinstance(node.op, Add | Sub | Mul):
            return self._binary(node, graph, x)
        return f"{node.op.name} depends on the shape"

    def _binary(self, node: Node, graph: Graph, x: Value) -> Graph | str:
        """Both operands reshaped alike, or the second is constant along all but the last axis."""
        other = trace(graph, node.inputs[1])
        alike = node.inputs[0].shape == node.inputs[1].shape
        if alike and other.source.shape == x.shape and other.is_identity:
            return _compute_first(node, graph, x, node.op, (x, other.source))
        data = graph.const(node.inputs[1])
        last = node.inputs[0].shape[-1:]
        if data is not None and data.size in (1, *last) and data.shape[-1:] in ((1,), last) and x.shape[-1:] == last:
            return _compute_first(node, graph, x, node.op, (x, node.inputs[1]), flat_operand=True)
        return "the other operand has another arrangement"


@dataclass(frozen=True)
class SinkTranspose(Rule):
    """Compute before transposing.

    Given:   %b = transpose(%a)    %c = relu(%b)
    Result:  %b = relu(%a)    %c = transpose(%b)
    """

    name: ClassVar[str] = "sink-transpose"

    def rewrite(self, node: Node, graph: Graph) -> Graph | str:
        above = graph.producer(node.inputs[0]) if node.inputs else None
        if above is None or not isinstance(above.op, Transpose):
            return "no transpose above"
        x, order = above.inputs[0], above.op.permutation
        if isinstance(node.op, Pointwise):
            return _transposed(node, graph, node.op, (x,), order)
        if isinstance(node.op, Add | Sub | Mul):
            return self._binary(node, graph, x, order)
        if isinstance(node.op, Reduction):
            axes = tuple(sorted(order[axis] for axis in node.op.axes))
            kept = order if node.op.keepdims else tuple(axis for axis in order if axis not in axes)
            ranks = tuple(sorted(kept).index(axis) for axis in kept)
            return _transposed(node, graph, replace(node.op, axes=axes), (x,), ranks)
        if isinstance(node.op, Pad):
            paddings = tuple(node.op.paddings[i] for i in np.argsort(order))
            return _transposed(node, graph, Pad(paddings), (x,), order)
        if isinstance(node.op, StridedSlice):
            bounds = (node.op.begin, node.op.end, node.op.strides)
            begin, end, strides = (tuple(bound[i] for i in np.argsort(order)) for bound in bounds)
            return _transposed(node, graph, StridedSlice(begin, end, strides), (x,), order)
        return f"{node.op.name} depends on the order of axes"

    def _binary(self, node: Node, graph: Graph, x: Value, order: Sequence[int]) -> Graph | str:
        other = graph.producer(node.inputs[1])
        if other is not None and isinstance(other.op, Transpose) and other.op.permutation == tuple(order):
            return _transposed(node, graph, node.op, (x, other.inputs[0]), order)
        data = graph.const(node.inputs[1])
        if data is None:
            return "the other operand has another order of axes"
        b = GraphBuilder.beside(graph, node)
        aligned = data.reshape((1,) * (len(order) - data.ndim) + data.shape)
        operand = b.const(aligned.transpose(np.argsort(order)), node.inputs[1].name, node.inputs[1].type.quant)
        return _transposed(node, graph, node.op, (x, operand), order, b)


def _compute_first(
    node: Node, graph: Graph, x: Value, op: object, operands: tuple[Value, ...], flat_operand: bool = False
) -> Graph:
    b = GraphBuilder.beside(graph, node)
    if flat_operand:
        data = graph.consts[operands[1].name]
        operands = (x, b.const(data.ravel(), operands[1].name, operands[1].type.quant))
    stored = (node.output.type.dtype, node.output.type.quant)
    y = b.op(op, *operands, name=node.name, quant=stored)  # type: ignore[arg-type]
    back = b.op(Reshape(node.output.shape), y)
    return graph.rewrite(remove=[node], add=b.nodes, consts=b.consts, replace_values={node.output.name: back})


def _transposed(
    node: Node,
    graph: Graph,
    op: object,
    operands: tuple[Value, ...],
    order: Sequence[int],
    builder: GraphBuilder | None = None,
) -> Graph:
    b = builder or GraphBuilder.beside(graph, node)
    stored = (node.output.type.dtype, node.output.type.quant)
    y = b.op(op, *operands, name=node.name, quant=stored)  # type: ignore[arg-type]
    back = b.op(Transpose(tuple(order)), y)
    return graph.rewrite(remove=[node], add=b.nodes, consts=b.consts, replace_values={node.output.name: back})
