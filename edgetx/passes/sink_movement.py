"""Move reshapes and transposes below the computations that do not mind them, until they meet and cancel."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from edgetx.ir import Array, Graph, GraphBuilder, Node, Value
from edgetx.ops import (
    Add,
    Concatenation,
    FullyConnected,
    Gather,
    LayerNorm,
    Mul,
    Pad,
    Quantize,
    Reshape,
    RmsNorm,
    Softmax,
    StridedSlice,
    Sub,
    Transpose,
)
from edgetx.ops.pointwise import Pointwise
from edgetx.ops.reduction import Reduction
from edgetx.passes.base import Rule
from edgetx.passes.movement import trace

ROWWISE = (FullyConnected, LayerNorm, RmsNorm, Softmax)
"""Ops whose first operand is a set of rows along the last axis, in any arrangement."""


@dataclass(frozen=True)
class SinkReshape(Rule):
    """Compute before reshaping where rows, or elements, stay whole; constants are reshaped, too.

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
        if data is not None and node.inputs[0].shape == node.output.shape:
            spread = _smallest(np.broadcast_to(data, node.output.shape).reshape(x.shape))
            if spread.size <= max(data.size, x.type.size // 2):
                b = GraphBuilder.beside(graph, node)
                operand = b.const(spread, node.inputs[1].name, node.inputs[1].type.quant)
                return _compute_first(node, graph, x, node.op, (x, operand), b)
        return "the other operand has another arrangement"


@dataclass(frozen=True)
class SinkTranspose(Rule):
    """Compute before transposing.

    Given:   %b = transpose(%a)    %c = relu(%b)
    Result:  %b = relu(%a)    %c = transpose(%b)
    """

    name: ClassVar[str] = "sink-transpose"

    def rewrite(self, node: Node, graph: Graph) -> Graph | str:
        above = [producer for value in node.inputs if (producer := _transpose_above(graph, value))]
        if isinstance(node.op, Concatenation) and above:
            return self._concatenation(node, graph, node.op, above[0].op.permutation)  # type: ignore[attr-defined]
        if not above or above[0].output.name != node.inputs[0].name:
            return "no transpose above"
        x, order = above[0].inputs[0], above[0].op.permutation  # type: ignore[attr-defined]
        if isinstance(node.op, Pointwise | Quantize):
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
        if isinstance(node.op, Gather):
            return _transposed(node, graph, replace(node.op, axis=order[node.op.axis]), (x,), order)
        return f"{node.op.name} depends on the order of axes"

    def _concatenation(self, node: Node, graph: Graph, op: Concatenation, order: Sequence[int]) -> Graph | str:
        """Most parts transposed alike; the others are transposed back."""
        b, parts, others = GraphBuilder.beside(graph, node), [], 0
        for value in node.inputs:
            above = _transpose_above(graph, value)
            if above is not None and above.op.permutation == tuple(order):  # type: ignore[attr-defined]
                parts.append(above.inputs[0])
            else:
                others += 1
                parts.append(b.op(Transpose(tuple(map(int, np.argsort(order)))), value))
        if 2 * others > len(parts) or (2 * others == len(parts) and not _leaves_channels_last(order)):
            return "most parts have another order of axes"
        return _transposed(node, graph, Concatenation(order[op.axis]), tuple(parts), order, b)

    def _binary(self, node: Node, graph: Graph, x: Value, order: Sequence[int]) -> Graph | str:
        other = _transpose_above(graph, node.inputs[1])
        if other is not None and other.op.permutation == tuple(order):  # type: ignore[attr-defined]
            return _transposed(node, graph, node.op, (x, other.inputs[0]), order)
        data = graph.const(node.inputs[1])
        if data is None or data.ndim > len(order):
            return "the other operand has other axes"
        b = GraphBuilder.beside(graph, node)
        aligned = data.reshape((1,) * (len(order) - data.ndim) + data.shape)
        operand = b.const(aligned.transpose(np.argsort(order)), node.inputs[1].name, node.inputs[1].type.quant)
        return _transposed(node, graph, node.op, (x, operand), order, b)


def _leaves_channels_last(order: Sequence[int]) -> bool:
    """Whether a transpose moves the last axis to the front of the others, and its inverse does not."""
    return len(order) > 3 and order[1] == len(order) - 1 and order[-1] == len(order) - 2


def _transpose_above(graph: Graph, value: Value) -> Node | None:
    node = graph.producer(value)
    return node if node is not None and isinstance(node.op, Transpose) else None


def _smallest(data: Array) -> Array:
    """What broadcasts to the same array: one element of each axis along which nothing changes."""
    for axis in range(data.ndim):
        first = data.take([0], axis)
        data = first if (data == first).all() else data
    leading = next((axis for axis, n in enumerate(data.shape) if n > 1), data.ndim - 1)
    return data.reshape(data.shape[max(leading, 0) :])


def _compute_first(
    node: Node, graph: Graph, x: Value, op: object, operands: tuple[Value, ...], builder: GraphBuilder | None = None
) -> Graph:
    b = builder or GraphBuilder.beside(graph, node)
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
