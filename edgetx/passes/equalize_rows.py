"""Give all rows of a residual stream about the same size, so that one quantization serves them all."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from edgetx.ir import Array, Graph, GraphBuilder, Node, Value
from edgetx.ops import Add, Concatenation, L2Normalization, LayerNorm, Mul, RmsNorm, StridedSlice
from edgetx.passes.base import Pass

Peaks = Mapping[str, Array]
"""Largest magnitude in each row of a value, by name."""

NORMS = (L2Normalization, LayerNorm, RmsNorm)
"""Ops that do not see the size of a row."""
WORTHWHILE_GAIN = 4.0
LARGEST_GAIN = 64.0
EXCESS = 4.0
"""How far a row may be scaled above the largest of the others; what reads that row at the end profits."""


@dataclass(frozen=True)
class EqualizeRows(Pass):
    """Scale up the rows that stay far below the largest, in streams of which only normalizations see the rows whole.

    A class token starts out much smaller than the rows of a spectrogram; quantized with their scale, little would be
    left of it.

    Given:   %s = add(%x, %f)    %y = layer_norm(%s)
    Result:  %s = add(mul(%x, %gain), mul(%f, %gain))    %y = layer_norm(%s)    with one gain per row
    """

    name: ClassVar[str] = "equalize-rows"

    peaks: Peaks = field(default_factory=dict)

    def run(self, graph: Graph) -> Graph:
        for stream in _streams(graph):
            sums = [node.name for node in stream if isinstance(node.op, Add) and node.name in self.peaks]
            gain = _gain([self.peaks[name].ravel() for name in sums])
            if gain is not None:
                graph = _Equalized(graph, stream, gain).graph()
        return graph


def _streams(graph: Graph) -> list[list[Node]]:
    """Sums and concatenations of rows that only norms and each other read, by stream."""
    members = {node.name: node for node in graph.nodes if _is_sum_of_rows(graph, node)}
    while lost := [name for name, node in members.items() if not _is_hidden(graph, node, members)]:
        members = {name: node for name, node in members.items() if name not in lost}
    streams: list[list[Node]] = []
    for node in members.values():
        operands = {value.name for value in node.inputs}
        tied = [stream for stream in streams if any(other.output.name in operands for other in stream)]
        streams = [stream for stream in streams if stream not in tied] + [[n for s in tied for n in s] + [node]]
    return streams


def _is_sum_of_rows(graph: Graph, node: Node) -> bool:
    if not isinstance(node.op, Add | Concatenation):
        return False
    y = node.output
    if y.type.rank != 3 or y.shape[0] != 1 or y.shape[1] == 1 or graph.is_result(y):
        return False
    if isinstance(node.op, Concatenation):
        return node.op.axis == 1
    return node.op == Add() and all(v.shape == y.shape or v.name in graph.consts for v in node.inputs)


def _is_hidden(graph: Graph, node: Node, members: Mapping[str, Node]) -> bool:
    rows = node.output.shape

    def keeps_rows(user: Node) -> bool:
        return user.name in members and user.output.shape == rows

    return all(isinstance(n.op, NORMS) or keeps_rows(n) or _takes_rows(n) for n in graph.users(node.output))


def _takes_rows(node: Node) -> bool:
    return isinstance(node.op, StridedSlice) and node.output.shape[-1] == node.inputs[0].shape[-1]


def _gain(peaks: list[Array]) -> Array | None:
    """One factor per row: what it lacks where it lacks most, as long as it nowhere exceeds the others far."""
    if not peaks or not all(peak.any() for peak in peaks):
        return None
    lacks = np.array([peak.max() / np.maximum(peak, peak.max() / LARGEST_GAIN) for peak in peaks])
    gain = np.minimum(lacks.max(0), EXCESS * lacks.min(0))
    gain = np.where(gain < WORTHWHILE_GAIN, 1.0, gain)
    return gain if (gain > 1).any() else None


class _Equalized:
    def __init__(self, graph: Graph, stream: list[Node], gain: Array) -> None:
        self.source, self.stream, self.gain = graph, stream, gain
        self.inside = {node.output.name for node in stream}
        self.b = GraphBuilder.beside(graph)

    def graph(self) -> Graph:
        scaled = [self._with_scaled_operands(node, self.gain) for node in self.stream]
        restored = {
            n.output.name: self._restored(n) for m in self.stream for n in self.source.users(m.output) if _takes_rows(n)
        }
        nodes = [*scaled, *self.b.nodes]
        return self.source.rewrite(remove=self.stream, add=nodes, consts=self.b.consts, replace_values=restored)

    def _with_scaled_operands(self, node: Node, gain: Array) -> Node:
        pairs = zip(node.inputs, _gains_of_operands(node, gain), strict=True)
        return replace(node, inputs=tuple(self._scaled(value, part) for value, part in pairs))

    def _scaled(self, value: Value, gain: Array) -> Value:
        if value.name in self.inside or (gain == 1).all():
            return value
        data, above = self.source.const(value), self.source.producer(value)
        if data is not None:
            return self.b.const((data * gain[:, None]).astype(np.float32), value.name)
        if above is not None and isinstance(above.op, Concatenation) and above.op.axis == 1:
            operands = self._with_scaled_operands(above, gain).inputs
            return self.b.op(above.op, *operands, name=above.name)
        return self.b.op(Mul(), value, self._column(gain), name=f"{value.name}.equalized")

    def _restored(self, rows: Node) -> Value:
        (factor,) = rows.op.float_ref(np.broadcast_to(1 / self.gain[:, None], rows.inputs[0].shape))  # type: ignore[attr-defined]
        return self.b.op(Mul(), rows.output, self._column(factor[0, :, 0]), name=f"{rows.name}.restored")

    def _column(self, gain: Array) -> Value:
        return self.b.const(gain.astype(np.float32).reshape(1, -1, 1), "row_gain")


def _gains_of_operands(node: Node, gain: Array) -> list[Array]:
    if not isinstance(node.op, Concatenation):
        return [gain] * len(node.inputs)
    return np.split(gain, np.cumsum([value.shape[1] for value in node.inputs])[:-1])
