"""Fold gains and shifts of channels into the layers that read them."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from edgetx.ir import Array, Graph, GraphBuilder, Node, Value
from edgetx.ops import Add, FullyConnected, L2Normalization, LayerNorm, Mean, Mul, Reshape, RmsNorm, StridedSlice
from edgetx.passes.base import Rule

Change = Callable[[Array, Array], tuple[Array, Array]]
"""New weight and bias of a layer, given the old ones."""
SCALE_INVARIANT = (L2Normalization, LayerNorm, RmsNorm)
"""Ops that do not see the size of their operand, epsilon apart."""
ROWS_ONLY = (Mean, Reshape, StridedSlice)
"""Ops that commute with gains and shifts of channels, as long as they leave the last axis alone."""


@dataclass
class Readers:
    """The layers that end up with a value.

    Attributes:
        below: Layers that read its rows.
        beside: Layers whose results are added to it.
        sums: What these additions give.
    """

    below: list[Node] = field(default_factory=list)
    beside: list[Node] = field(default_factory=list)
    sums: list[Value] = field(default_factory=list)


@dataclass(frozen=True)
class FoldGain(Rule):
    """Scale the columns of the weights below instead of their operand.

    Where another layer is added to it, that layer is divided by the gain instead, if the gain is one number and only
    normalizations read the sum.

    Given:   %a = mul(%x, %gain)    %y = fully_connected(%a, %w, %b)    %z = add(%a, fully_connected(%u, %v, %c))
    Result:  %y = fully_connected(%x, %w · %gain, %b)    %z = add(%x, fully_connected(%u, %v / %gain, %c / %gain))
    """

    name: ClassVar[str] = "fold-gain"

    def rewrite(self, node: Node, graph: Graph) -> Graph | str:
        found = _channel_constant(node, graph, Mul)
        if isinstance(found, str):
            return found
        value, gain = found
        readers = Readers()
        if reason := _collect(graph, node.output, readers):
            return reason
        if readers.beside and (gain != gain[0]).any():
            return f"{readers.beside[0].name} is added to it"
        if size := next((v for v in readers.sums if not _size_is_unseen(graph, v)), None):
            return f"the size of {size.name} matters"
        even = gain[0]
        return _without(node, graph, value, readers, lambda w, b: (w * gain, b), lambda w, b: (w / even, b / even))


@dataclass(frozen=True)
class FoldShift(Rule):
    """Shift the biases of the layers below, and of those that are added, instead of their operand.

    Given:   %a = add(%x, %shift)    %y = fully_connected(%a, %w, %b)    %z = add(%a, fully_connected(%u, %v, %c))
    Result:  %y = fully_connected(%x, %w, %b + %w · %shift)    %z = add(%x, fully_connected(%u, %v, %c + %shift))
    """

    name: ClassVar[str] = "fold-shift"

    def rewrite(self, node: Node, graph: Graph) -> Graph | str:
        found = _channel_constant(node, graph, Add)
        if isinstance(found, str):
            return found
        value, shift = found
        readers = Readers()
        if reason := _collect(graph, node.output, readers):
            return reason
        return _without(node, graph, value, readers, lambda w, b: (w, b + w @ shift), lambda w, b: (w, b + shift))


def _channel_constant(node: Node, graph: Graph, kind: type) -> tuple[Value, Array] | str:
    """The operand of a node of that kind, and the constant that it is combined with, one number per channel."""
    if not isinstance(node.op, kind) or node.op.activation != "none":  # type: ignore[attr-defined]
        return f"not a plain {kind.__name__.lower()}"
    channels = node.output.shape[-1]
    for value, other in (node.inputs, node.inputs[::-1]):
        data = graph.const(other)
        if data is not None and data.size in (1, channels) and data.shape[-1:] in ((1,), (channels,)):
            return value, np.broadcast_to(data.ravel(), channels)
    return "no operand is a constant per channel"


def _collect(graph: Graph, value: Value, readers: Readers) -> str:
    """Find the layers that read `value`; the reason if something else does."""
    if graph.is_result(value):
        return f"{value.name} leaves the graph"
    for user in graph.users(value):
        if isinstance(user.op, ROWS_ONLY) and _keeps_channels(user):
            if reason := _collect(graph, user.output, readers):
                return reason
        elif _is_layer(graph, user):
            readers.below.append(user)
        elif (layer := _added_layer(graph, user, value)) is not None:
            readers.beside.append(layer)
            readers.sums.append(user.output)
        else:
            return f"{user.name} reads it"
    return ""


def _size_is_unseen(graph: Graph, value: Value) -> bool:
    return not graph.is_result(value) and all(isinstance(user.op, SCALE_INVARIANT) for user in graph.users(value))


def _keeps_channels(node: Node) -> bool:
    x = node.inputs[0]
    reduces = isinstance(node.op, Mean) and x.type.rank - 1 in node.op.axes
    return not reduces and x.shape[-1:] == node.output.shape[-1:]


def _is_layer(graph: Graph, node: Node | None) -> bool:
    return (
        node is not None
        and isinstance(node.op, FullyConnected)
        and all(value.name in graph.consts for value in node.inputs[1:])
    )


def _added_layer(graph: Graph, node: Node, value: Value) -> Node | None:
    """The linear layer whose result a node adds to `value`, and which nothing else reads."""
    if not isinstance(node.op, Add):
        return None
    (other,) = (v for v in node.inputs if v.name != value.name) if len(set(node.inputs)) == 2 else (value,)
    layer = graph.producer(other)
    linear = _is_layer(graph, layer) and layer.op.activation == "none"  # type: ignore[union-attr]
    return layer if linear and graph.has_one_use(other) else None


def _without(node: Node, graph: Graph, value: Value, readers: Readers, below: Change, beside: Change) -> Graph:
    """The graph without `node`, its operand in its place and the parameters of the layers changed."""
    b = GraphBuilder.beside(graph)
    layers = {layer.name: layer for layer in (*readers.below, *readers.beside)}
    added = []
    for layer in layers.values():
        weight, *bias = (graph.consts[v.name].astype(np.float64) for v in layer.inputs[1:])
        data = weight, bias[0] if bias else np.zeros(len(weight))
        for change, changed in ((below, readers.below), (beside, readers.beside)):
            data = change(*data) if layer in changed else data
        names = (f"{layer.name}.weight", f"{layer.name}.bias")
        consts = [b.const(array.astype(np.float32), name) for array, name in zip(data, names, strict=True)]
        x = value if layer.inputs[0].name == node.output.name else layer.inputs[0]
        added.append(replace(layer, inputs=(x, *consts)))
    remove = [node, *layers.values()]
    return graph.rewrite(remove=remove, add=added, consts=b.consts, replace_values={node.output.name: value})
