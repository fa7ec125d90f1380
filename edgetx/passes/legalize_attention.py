"""Express attention in TFLite's built-ins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from edgetx.ir import Array, Graph, GraphBuilder, Node, Value
from edgetx.ops import Attention, BatchMatmul, FullyConnected, Reshape, Softmax, StridedSlice, Transpose
from edgetx.passes.base import Rule

Peaks = Mapping[str, Array]
"""Largest magnitude in each row of a value, by name."""


@dataclass(frozen=True)
class LegalizeAttention(Rule):
    """Attention by matrix products over heads.

    Queries, keys and values that several heads take from one operand become one layer, which is split after its heads
    are. To lose nothing by the quantization that they then share, queries and keys are scaled to the range of the
    values. Values are transposed, because TFLite Micro otherwise keeps a transposed copy for as long as it lives.

    Given:   %y = attention(%q, %k, %v)
    Result:  %w = softmax(batch_matmul(%q, %k'))    %y = batch_matmul(%w, %v')
    """

    name: ClassVar[str] = "legalize-attention"

    peaks: Peaks = field(default_factory=dict)

    def rewrite(self, node: Node, graph: Graph) -> Graph | str:
        if not isinstance(node.op, Attention):
            return "not an attention"
        if node.op.span is not None:
            return "sees a part of the keys"
        b = GraphBuilder.beside(graph, node)
        heads, scale = node.op.heads, node.op.scale
        if heads > 1 and (layers := _projections(graph, node.inputs)):
            q_gain, k_gain = self._gain(node, 0), self._gain(node, 1)
            queries, keys, values = _jointly(graph, b, node, layers, (q_gain, k_gain, 1.0))
            scale /= q_gain * k_gain
        elif heads > 1 and (layers := _projections(graph, node.inputs[1:])):
            gain = self._gain(node, 1)
            queries = _rows(b, node.inputs[0], heads)
            keys, values = _jointly(graph, b, node, layers, (gain, 1.0))
            scale /= gain
        else:
            queries, keys, values = (_rows(b, value, heads) for value in node.inputs)
        values = b.op(Transpose(_swapped(values)), values, name=f"{node.inputs[2].name}.transposed")
        scores = b.op(BatchMatmul(adj_y=True), queries, keys, name=f"{_stem(node)}.scores")
        weights = b.op(Softmax(scale), scores, name=f"{_stem(node)}.weights")
        if heads == 1:
            return _replaced(graph, node, b, b.op(BatchMatmul(adj_y=True), weights, values, name=node.name))
        y = b.op(BatchMatmul(adj_y=True), weights, values, name=f"{_stem(node)}.heads")
        merged = b.op(Transpose((0, 2, 1, 3)), y, name=f"{_stem(node)}.merged")
        return _replaced(graph, node, b, b.op(Reshape(node.output.shape), merged, name=node.name))

    def _gain(self, node: Node, index: int) -> float:
        """Factor that brings queries or keys to the range of the values."""
        own, values = (float(np.max(self.peaks.get(node.inputs[i].name, 0.0))) for i in (index, 2))
        return values / own if own and values else 1.0


def _projections(graph: Graph, values: Sequence[Value]) -> list[Node]:
    """The linear layers that make the values out of one operand, if there are such."""
    layers = [graph.producer(value) for value in values]
    found = [n for n in layers if n is not None and n.op == FullyConnected() and graph.has_one_use(n.output)]
    constant = all(v.name in graph.consts for n in found for v in n.inputs[1:])
    joint = len(found) == len(layers) and len({n.inputs[0].name for n in found}) == 1 and constant
    return found if joint else []


def _jointly(
    graph: Graph, b: GraphBuilder, node: Node, layers: Sequence[Node], gains: Sequence[float]
) -> Sequence[Value]:
    """The results of the layers as [1, heads, T, d], out of one layer."""
    assert isinstance(node.op, Attention)
    parts = [_parameters(graph, layer, gain) for layer, gain in zip(layers, gains, strict=True)]
    weight, bias = (np.concatenate(arrays).astype(np.float32) for arrays in zip(*parts, strict=True))
    biases = [b.const(bias, f"{node.name}.bias")] if any(len(n.inputs) > 2 for n in layers) else []
    x, heads, count = layers[0].inputs[0], node.op.heads, len(layers)
    joint = b.op(FullyConnected(), x, b.const(weight, f"{node.name}.weight"), *biases, name=f"{_stem(node)}.joint")
    rows, size = x.shape[-2], node.output.shape[-1] // heads
    split = b.op(Reshape((1, rows, count * heads, size)), joint, name=f"{_stem(node)}.split")
    whole = b.op(Transpose((0, 2, 1, 3)), split, name=f"{_stem(node)}.transposed")
    slices = [StridedSlice((0, i * heads, 0, 0), (1, (i + 1) * heads, rows, size), (1, 1, 1, 1)) for i in range(count)]
    return [b.op(part, whole, name=f"{layer.name}.heads") for part, layer in zip(slices, layers, strict=True)]


def _stem(node: Node) -> str:
    """The name of the user's module around an attention; names are part of the file."""
    return node.name.rpartition(".")[0] or node.name


def _parameters(graph: Graph, layer: Node, gain: float) -> tuple[Array, Array]:
    weight, *bias = (graph.consts[value.name] * gain for value in layer.inputs[1:])
    return weight, bias[0] if bias else np.zeros(len(weight))


def _rows(b: GraphBuilder, x: Value, heads: int) -> Value:
    """[1, T, heads·d] to [1, heads, T, d]."""
    if heads == 1:
        return x
    split = b.op(Reshape((1, x.shape[-2], heads, x.shape[-1] // heads)), x, name=f"{x.name}.split")
    return b.op(Transpose((0, 2, 1, 3)), split, name=f"{x.name}.heads")


def _swapped(x: Value) -> tuple[int, ...]:
    """The order of axes with the last two exchanged."""
    *outer, rows, columns = range(x.type.rank)
    return (*outer, columns, rows)


def _replaced(graph: Graph, node: Node, b: GraphBuilder, value: Value) -> Graph:
    return graph.rewrite(remove=[node], add=b.nodes, consts=b.consts, replace_values={node.output.name: value})
