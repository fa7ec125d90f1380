"""Fold a normalization in front of spiking neurons into their input."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.ir import Array, Graph, GraphBuilder, Node, Value
from edgetx.ops import Add, Lif, Mul, Sub
from edgetx.passes.base import Rule


@dataclass(frozen=True)
class FoldIntoLif(Rule):
    """Let neurons scale and shift their input themselves, channel by channel.

    This is for a normalization that no layer takes in, such as that of a residual stream. Where the gain is positive
    it amounts to a threshold and a bias per channel.

    Given:   %a = add(mul(%x, %g), %c)    %s, %v = lif(%a, 1, 0, %v0)
    Result:  %s, %v = lif(%x, %g, %c, %v0)
    """

    name: ClassVar[str] = "fold-into-lif"

    def rewrite(self, node: Node, graph: Graph) -> Graph | str:
        if not isinstance(node.op, Lif):
            return "not a spiking neuron"
        x, *affine, start = node.inputs
        above = graph.producer(x)
        if above is None or not isinstance(above.op, Add | Sub | Mul) or above.op.activation != "none":
            return "no affine function above"
        if not graph.has_one_use(x):
            return f"{x.name} is read elsewhere too"
        channels = x.shape[-1]
        found = _constant(graph, above, channels)
        if found is None:
            return "no operand is a constant per channel"
        value, data = found
        gain, shift = (graph.consts[v.name] for v in affine)
        if isinstance(above.op, Mul):
            gain = gain * data
        else:
            shift = shift + gain * (data if isinstance(above.op, Add) else -data)
        b = GraphBuilder.beside(graph, node)
        constants = [
            b.const(array.astype(np.float32), f"{node.name}.{name}")
            for name, array in (("gain", gain), ("shift", shift))
        ]
        new = b.ops(node.op, value, *constants, start, name=node.name)
        renamed = {old.name: value for old, value in zip(node.outputs, new, strict=True)}
        return graph.rewrite(remove=[node, above], add=b.nodes, consts=b.consts, replace_values=renamed)


def _constant(graph: Graph, node: Node, channels: int) -> tuple[Value, Array] | None:
    """The operand, of full size, and the number per channel that it is combined with."""
    pairs = [node.inputs] if isinstance(node.op, Sub) else [node.inputs, node.inputs[::-1]]
    for value, other in pairs:
        data = graph.const(other)
        per_channel = data is not None and data.size in (1, channels) and data.shape[-1:] in ((1,), (channels,))
        if data is not None and per_channel and value.shape == node.output.shape:
            return value, np.broadcast_to(data.ravel(), channels)
    return None
