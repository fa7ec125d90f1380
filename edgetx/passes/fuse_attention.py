"""Recognize softmax attention, however its heads were split."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.ir import Array, Graph, GraphBuilder, Node, Value
from edgetx.ops import Add, Attention, BatchMatmul, FullyConnected, Reshape, Softmax, Transpose
from edgetx.ops.attention import Span, span_of, visible_keys
from edgetx.passes.base import Rule
from edgetx.passes.movement import scalar_product, trace


@dataclass(frozen=True)
class FuseAttention(Rule):
    """Replace matmul, scale, softmax, matmul by one attention over packed heads.

    Queries, keys and values may come out of one projection or three, with heads and parts in any order; the projection
    is cut into one per operand.

    Given:   %s = batch_matmul[adj_y](%q, %k)    %w = softmax(scale · %s)    %y = batch_matmul(%w, %v)
    Result:  %p = attention(%q', %k', %v')    %y = transpose(reshape(%p))
    """

    name: ClassVar[str] = "fuse-attention"

    def rewrite(self, node: Node, graph: Graph) -> Graph | str:
        if not isinstance(node.op, Softmax):
            return "not a softmax"
        mix = _only_user(graph, node.output)
        if mix is None or not isinstance(mix.op, BatchMatmul) or mix.inputs[0].name != node.output.name:
            return "the softmax does not weigh a matmul"
        scores, scale, span = _scores(graph, node)
        if scores is None or not isinstance(scores.op, BatchMatmul):
            return "the softmax is not over a matmul"
        b = GraphBuilder.beside(graph, mix)
        heads = int(np.prod(scores.output.shape[:-2]))
        packed = []
        for part, (value, transposed) in zip("qkv", _operands(scores, mix), strict=True):
            moved = trace(graph, value, through_gain=True)
            index = np.swapaxes(moved.index, -1, -2) if transposed else moved.index
            index = np.broadcast_to(index, (*scores.output.shape[:-2], *index.shape[-2:]))  # heads that share keys
            operand = _packed(graph, b, part, moved.source, index.reshape(heads, *index.shape[-2:]))
            if operand is None:
                return f"{value.name} is not rows of {moved.source.name}"
            packed.append(operand)
            scale *= moved.gain
        return self._replace(graph, b, mix, packed, heads, scale, span)

    def _replace(
        self, graph: Graph, b: GraphBuilder, mix: Node, packed: list[Value], heads: int, scale: float, span: Span | None
    ) -> Graph | str:
        q, k, v = packed
        if k.shape != v.shape or q.shape[-1] != k.shape[-1]:
            return "values and keys differ in size"
        y = b.op(Attention(heads, scale, span), q, k, v, name=mix.name)
        split = b.op(Reshape((y.shape[-2], heads, y.shape[-1] // heads)), y)
        back = b.op(Reshape(mix.output.shape), b.op(Transpose((1, 0, 2)), split))
        return graph.rewrite(remove=[mix], add=b.nodes, consts=b.consts, replace_values={mix.output.name: back})


def _only_user(graph: Graph, value: Value) -> Node | None:
    """The one node that uses a value, seen through reshapes."""
    if not graph.has_one_use(value):
        return None
    (user,) = graph.users(value)
    return user


def _scores(graph: Graph, softmax: Node) -> tuple[Node | None, float, Span | None]:
    """The matmul under a softmax, the factor between the two, and the span of keys that a mask leaves."""
    assert isinstance(softmax.op, Softmax)
    above, beta = graph.producer(softmax.inputs[0]), softmax.op.beta
    span = None
    if above is not None and above.op == Add() and (mask := graph.const(above.inputs[1])) is not None:
        visible = visible_keys(np.asarray(mask) * beta)
        span = None if visible is None else span_of(visible)
        above = above if span is None else graph.producer(above.inputs[0])
    scaled = scalar_product(graph, above) if above else None
    if scaled is None:
        return above, beta, span
    return graph.producer(scaled[0]), scaled[1] * beta, span


def _operands(scores: Node, mix: Node) -> list[tuple[Value, bool]]:
    """Queries, keys and values, and whether their last two axes are swapped against [rows, head_size]."""
    first, second = scores.op, mix.op
    assert isinstance(first, BatchMatmul)
    assert isinstance(second, BatchMatmul)
    (q, k), v = scores.inputs, mix.inputs[1]
    return [(q, first.adj_x), (k, not first.adj_y), (v, second.adj_y)]


def _packed(graph: Graph, b: GraphBuilder, part: str, source: Value, index: Array) -> Value | None:
    """A value [1, rows, heads · head_size] that holds the elements `index` [heads, rows, head_size] of the source."""
    width = source.shape[-1]
    heads, rows, size = index.shape
    channels = np.swapaxes(index, 0, 1).reshape(rows, heads * size)
    if source.type.size != rows * width or not (channels // width == np.arange(rows)[:, None]).all():
        return None
    columns = channels[0] % width
    if not (channels % width == columns).all():
        return None
    if len(columns) == width and (columns == np.arange(width)).all():
        return _reshaped(b, source, (1, rows, width))
    projection, shift = _projection(graph, source)
    if projection is None:
        return None
    x, weight, *bias = projection.inputs
    data = [graph.const(value) for value in (weight, *bias)]
    if any(d is None for d in data):
        return None
    names = [weight.name, bias[0].name if bias else f"{projection.name}.bias"]
    if shift is not None:
        data[1:] = [np.asarray(data[1]) + shift if bias else shift]
    parts = [b.const(np.asarray(d)[columns], f"{name}.{part}") for d, name in zip(data, names, strict=False)]
    return _reshaped(b, b.op(projection.op, x, *parts, name=f"{projection.name}.{part}"), (1, rows, len(columns)))


def _projection(graph: Graph, source: Value) -> tuple[Node | None, Array | None]:
    """The layer that makes a value, and the constant row that is added to its result, if one is."""
    node, shift = graph.producer(source), None
    if node is not None and isinstance(node.op, Add) and node.op.activation == "none":
        data = graph.const(node.inputs[1])
        if data is None or data.size != source.shape[-1] or data.shape[-1:] != source.shape[-1:]:
            return None, None
        node, shift = graph.producer(node.inputs[0]), data.ravel()
    return (node, shift) if node is not None and isinstance(node.op, FullyConnected) else (None, None)


def _reshaped(b: GraphBuilder, value: Value, shape: tuple[int, ...]) -> Value:
    return value if value.shape == shape else b.op(Reshape(shape), value)
