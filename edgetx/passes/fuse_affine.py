"""Fold multiplication and addition of constants into the layer above: batch normalization disappears this way."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.ir import Array, Graph, GraphBuilder, Node
from edgetx.ops import Add, Conv2D, DepthwiseConv2D, FullyConnected, Mul, Sub
from edgetx.passes.base import Rule

OUTPUT_AXIS = {FullyConnected: 0, Conv2D: 0, DepthwiseConv2D: 3}


@dataclass(frozen=True)
class FuseAffine(Rule):
    """Scale the weights and shift the bias instead of the result.

    Given:   %a = fully_connected(%x, %w, %b)    %y = add(mul(%a, %gain), %shift)
    Result:  %y = fully_connected(%x, %w · %gain, %b · %gain + %shift)
    """

    name: ClassVar[str] = "fuse-affine"

    def rewrite(self, node: Node, graph: Graph) -> Graph | str:
        if not isinstance(node.op, Add | Sub | Mul) or node.op.activation != "none":
            return "not an affine function"
        value, operand = node.inputs
        data = graph.const(operand)
        if data is None and not isinstance(node.op, Sub):
            value, operand = operand, value
            data = graph.const(operand)
        layer = graph.producer(value)
        if data is None or layer is None or type(layer.op) not in OUTPUT_AXIS:
            return "not a constant applied to a layer with weights"
        if layer.op.activation != "none":  # type: ignore[attr-defined]
            return f"an activation stands between it and {layer.name}"
        if not graph.has_one_use(value):
            return f"{value.name} is read elsewhere too"
        channels = value.shape[-1]
        if data.size not in (1, channels) or data.shape[-1:] not in ((1,), (channels,)):
            return "the constant varies within a channel"
        return _fused(node, layer, graph, np.broadcast_to(data.ravel(), channels))


def _fused(node: Node, layer: Node, graph: Graph, data: Array) -> Graph | str:
    weight = graph.const(layer.inputs[1])
    bias = graph.const(layer.inputs[2]) if len(layer.inputs) > 2 else np.zeros(len(data), np.float32)
    if weight is None or bias is None:
        return f"{layer.name} has computed weights"
    axis = OUTPUT_AXIS[type(layer.op)]
    if isinstance(node.op, Mul):
        shape = [1] * weight.ndim
        shape[axis] = -1
        weight, bias = weight * data.reshape(shape), bias * data
    else:
        bias = bias + (data if isinstance(node.op, Add) else -data)
    b = GraphBuilder.beside(graph, layer, node)
    w = b.const(weight.astype(np.float32), f"{layer.name}.weight")
    y = b.op(layer.op, layer.inputs[0], w, b.const(bias.astype(np.float32), f"{layer.name}.bias"), name=layer.name)
    return graph.rewrite(remove=[node, layer], add=b.nodes, consts=b.consts, replace_values={node.output.name: y})
