"""Take channels out of a float graph: smaller weights, smaller activations."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, cast

import numpy as np

from edgetx import ops
from edgetx.errors import ModelError
from edgetx.ir import Array, Graph, Node, Value
from edgetx.ops import Op
from edgetx.passes.base import Pass
from edgetx.passes.channels import ChannelGroup, is_layer


@dataclass(frozen=True)
class RemoveChannels(Pass):
    """Remove groups of channels; the rest computes what it computed with those channels at 0."""

    name: ClassVar[str] = "remove_channels"

    groups: tuple[ChannelGroup, ...]

    def run(self, graph: Graph) -> Graph:
        """The smaller graph.

        Raises:
            ModelError: If nothing would be left of a value.
        """
        return _Remover(graph, removed_channels(self.groups)).run() if self.groups else graph


def removed_channels(groups: Iterable[ChannelGroup]) -> dict[str, set[int]]:
    """All channels of the groups, by value."""
    removed: dict[str, set[int]] = {}
    for group in groups:
        for name, indices in group.channels.items():
            removed.setdefault(name, set()).update(indices)
    return removed


class _Remover:
    def __init__(self, graph: Graph, removed: Mapping[str, set[int]]) -> None:
        self.graph, self.removed = graph, removed
        self.values: dict[str, Value] = {value.name: value for value in graph.inputs}
        self.values.update((state.read.name, state.read) for state in graph.states)
        self.consts: dict[str, Array] = {}

    def run(self) -> Graph:
        nodes = tuple(self._node(node) for node in self.graph.nodes)
        return replace(self.graph, nodes=nodes, consts=self.consts)

    def _kept(self, value: Value) -> list[int]:
        gone = self.removed.get(value.name, set())
        kept = [c for c in range(value.shape[-1]) if c not in gone]
        if not kept:
            raise ModelError("no channel would be left", where=value.name)
        return kept

    def _node(self, node: Node) -> Node:
        consts = self._constants(node)
        for value in node.inputs:
            if (data := self.graph.const(value)) is not None:
                self.consts[value.name] = np.ascontiguousarray(consts.get(value.name, data))
                self.values[value.name] = replace(value, type=value.type.with_shape(self.consts[value.name].shape))
        inputs = tuple(self.values[value.name] for value in node.inputs)
        op = self._op(node)
        outputs = tuple(
            replace(value, type=kind)
            for value, kind in zip(node.outputs, op.infer(*(v.type for v in inputs)), strict=True)
        )
        self.values.update((value.name, value) for value in outputs)
        return replace(node, op=op, inputs=inputs, outputs=outputs)

    def _constants(self, node: Node) -> dict[str, Array]:
        """The node's constants without the channels that are gone."""
        if not node.outputs[0].shape or not any(v.name in self.removed for v in (*node.inputs, *node.outputs)):
            return {}
        x, *rest = node.inputs
        made = self._kept(node.outputs[0])
        cut: dict[str, Array] = {}
        for value in node.inputs:
            data = self.graph.const(value)
            if data is None:
                continue
            if is_layer(node, self.graph):
                data = np.take(data, made, 0)
                cut[value.name] = np.take(data, self._kept(x), -1) if value is rest[0] else data
            elif data.shape[-1:] == node.outputs[0].shape[-1:]:
                cut[value.name] = np.take(data, made, -1)
        return cut

    def _op(self, node: Node) -> Op:
        """The op with attributes that count channels brought up to date."""
        op = cast(Op, node.op)
        if isinstance(op, ops.Reshape):
            return replace(op, shape=(*op.shape[:-1], len(self._kept(node.output)))) if op.shape else op
        if isinstance(op, ops.Attention):
            size = node.output.shape[-1] // op.heads
            return replace(op, heads=len(self._kept(node.output)) // size)
        if isinstance(op, ops.StridedSlice):
            return replace(op, end=(*op.end[:-1], min(op.end[-1], len(self._kept(node.inputs[0])))))
        return op
