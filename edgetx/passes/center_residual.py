"""Keep the mean out of a residual stream, so that nothing has to take it out."""

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from edgetx.ir import Array, Graph, GraphBuilder, Node, Value
from edgetx.ops import Add, Concatenation, Conv2D, FullyConnected, LayerNorm, Reshape, RmsNorm, StridedSlice, Sub
from edgetx.passes.base import Rule

WITHIN_STREAM = (Add, Sub, Concatenation, Reshape, StridedSlice)


@dataclass
class Stream:
    """The values that residual connections tie together, what writes them and what reads them."""

    values: set[str] = field(default_factory=set)
    layers: dict[str, Node] = field(default_factory=dict)
    inner: dict[str, Node] = field(default_factory=dict)
    norms: dict[str, Node] = field(default_factory=dict)


@dataclass(frozen=True)
class CenterResidual(Rule):
    """Center the layers and constants that write to a stream which only layer normalizations read.

    A layer normalization subtracts the mean of its row, and rows that are sums of centred rows have none: what is left
    is a root-mean-square normalization. The result of one with equal gains is centred, too.

    Given:   %s = add(fully_connected(%x, %w, %b), %p)    %y = layer_norm(%s, %gamma, %beta)
    Result:  %s = add(fully_connected(%x, %w', %b'), %p')    %y = add(rms_norm(%s, %gamma), %beta)
    """

    name: ClassVar[str] = "center-residual"

    def rewrite(self, node: Node, graph: Graph) -> Graph | str:
        if not isinstance(node.op, LayerNorm):
            return "not a layer normalization"
        stream = Stream()
        reason = _explore(graph, stream, node.inputs[0])
        return reason or _centred(graph, stream)

    def run(self, graph: Graph) -> Graph:
        """From the last norm to the first: only while it is whole is a norm known to make centred rows."""
        for name in [node.name for node in reversed(graph.nodes)]:
            (node,) = (n for n in graph.nodes if n.name == name)
            result = self.rewrite(node, graph)
            graph = result if isinstance(result, Graph) else graph
        return graph


def _explore(graph: Graph, stream: Stream, value: Value) -> str:
    """Collect the stream that `value` belongs to; the reason if it cannot be centred."""
    if value.name in stream.values or value.name in graph.consts:
        return ""
    stream.values.add(value.name)
    producer = graph.producer(value)
    if producer is None:
        return f"{value.name} comes from outside"
    if _makes_centred_rows(graph, producer):
        return ""
    if graph.is_result(value):
        return f"{value.name} leaves the graph"
    if isinstance(producer.op, FullyConnected | Conv2D):
        if producer.op.activation != "none" or any(v.name not in graph.consts for v in producer.inputs[1:]):
            return f"{producer.name} is not linear with constant weights"
        stream.layers[producer.name] = producer
        return _explore_users(graph, stream, value)
    return _explore_inner(graph, stream, producer) or _explore_users(graph, stream, value)


def _makes_centred_rows(graph: Graph, node: Node) -> bool:
    if isinstance(node.op, StridedSlice) and node.output.shape[-1:] == node.inputs[0].shape[-1:]:
        above = graph.producer(node.inputs[0])
        return above is not None and _makes_centred_rows(graph, above)
    if not isinstance(node.op, LayerNorm):
        return False
    gamma, beta = (graph.consts[value.name] for value in node.inputs[1:])
    return bool((gamma == gamma[0]).all() and abs(beta.mean()) <= 1e-6 * np.abs(beta).max())


def _explore_users(graph: Graph, stream: Stream, value: Value) -> str:
    for user in graph.users(value):
        if isinstance(user.op, LayerNorm):
            stream.norms[user.name] = user
        elif reason := _explore_inner(graph, stream, user):
            return reason
    return ""


def _explore_inner(graph: Graph, stream: Stream, node: Node) -> str:
    """Go on through a node that adds or moves whole rows."""
    width = node.output.shape[-1]
    whole = isinstance(node.op, WITHIN_STREAM) and all(value.shape[-1:] == (width,) for value in node.inputs)
    if not whole or getattr(node.op, "activation", "none") != "none":
        return f"{node.name} needs the mean"
    stream.inner[node.name] = node
    reasons = (_explore(graph, stream, value) for value in (*node.inputs, node.output))
    return next(filter(None, reasons), "")


def _centred(graph: Graph, stream: Stream) -> Graph:
    changed = [*stream.layers.values(), *stream.inner.values()]
    norms = list(stream.norms.values())
    b = GraphBuilder.beside(graph)
    nodes = [_with_centred_consts(graph, b, node) for node in changed]
    for norm in norms:
        nodes += _root_mean_square(graph, b, norm)
    return graph.rewrite(remove=[*changed, *norms], add=nodes, consts=b.consts)


def _with_centred_consts(graph: Graph, b: GraphBuilder, node: Node) -> Node:
    """The node with its constants centred over channels: the first axis of weights and biases, else the last."""
    axis = 0 if isinstance(node.op, FullyConnected | Conv2D) else -1

    def centred(value: Value) -> Value:
        data = graph.const(value)
        return value if data is None else b.const(_without_mean(data, axis), value.name)

    return replace(node, inputs=tuple(map(centred, node.inputs)))


def _without_mean(data: Array, axis: int) -> Array:
    wide = data.astype(np.float64)
    centred: Array = wide - wide.mean(axis, keepdims=True)
    return centred.astype(np.float32)


def _root_mean_square(graph: Graph, b: GraphBuilder, norm: Node) -> list[Node]:
    """Nodes that make the result of a layer normalization from centred rows."""
    assert isinstance(norm.op, LayerNorm)
    op = RmsNorm(norm.op.epsilon)
    x, gamma, beta = norm.inputs
    if not graph.consts[beta.name].any():
        return [replace(norm, op=op, inputs=(x, gamma))]
    name = b.fresh(f"{norm.name}.scaled")
    scaled = Value(name, norm.output.type)
    return [Node(name, op, (x, gamma), (scaled,)), replace(norm, op=Add(), inputs=(scaled, beta))]
