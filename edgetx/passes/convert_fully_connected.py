"""A fully connected layer over an image is a 1×1 convolution."""

from dataclasses import dataclass
from typing import ClassVar

from edgetx.ir import Graph, GraphBuilder, Node
from edgetx.ops import Conv2D, FullyConnected
from edgetx.passes.base import Rule
from edgetx.passes.promote_rank import RANK


@dataclass(frozen=True)
class ConvertFullyConnected(Rule):
    """Turn layers over four axes into convolutions, which TFLite Micro and LiteRT round alike.

    Given:   %y = fully_connected(%x, %w)    with %x of 1 × H × W × C
    Result:  %y = conv_2d(%x, reshape(%w))
    """

    name: ClassVar[str] = "convert-fully-connected"

    def rewrite(self, node: Node, graph: Graph) -> Graph | str:
        if not isinstance(node.op, FullyConnected):
            return "not a fully connected layer"
        x, w, *bias = node.inputs
        data = graph.const(w)
        if data is None or x.type.rank != RANK:
            return "its weight is computed, or its operand has other than four axes"
        b = GraphBuilder.beside(graph, node)
        weight = b.const(data.reshape(data.shape[0], 1, 1, data.shape[1]), w.name)
        y = b.op(Conv2D(activation=node.op.activation), x, weight, *bias, name=node.name)
        return graph.rewrite(remove=[node], add=b.nodes, consts=b.consts, replace_values={node.output.name: y})
