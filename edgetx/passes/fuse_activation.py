"""Clamp where the result is made instead of afterwards."""

from dataclasses import dataclass, replace
from typing import ClassVar

from edgetx.ir import Graph, GraphBuilder, Node
from edgetx.ops import Add, Conv2D, DepthwiseConv2D, FullyConnected, Mul, Relu, Relu6, Sub
from edgetx.passes.base import Rule

FUSABLE = (Add, Conv2D, DepthwiseConv2D, FullyConnected, Mul, Sub)


@dataclass(frozen=True)
class FuseActivation(Rule):
    """Make ReLU and ReLU6 an attribute of the op above.

    Given:   %a = conv_2d(%x, %w, %b)    %y = relu(%a)
    Result:  %y = conv_2d[activation='relu'](%x, %w, %b)
    """

    name: ClassVar[str] = "fuse-activation"

    def rewrite(self, node: Node, graph: Graph) -> Graph | str:
        if not isinstance(node.op, Relu | Relu6):
            return "not a clamp"
        above = graph.producer(node.inputs[0])
        if above is None or not isinstance(above.op, FUSABLE):
            return "the op above cannot clamp"
        if above.op.activation != "none":
            return f"{above.name} clamps already"
        if not graph.has_one_use(node.inputs[0]):
            return f"{node.inputs[0].name} is read elsewhere too"
        b = GraphBuilder.beside(graph, above, node)
        activation = "relu6" if isinstance(node.op, Relu6) else "relu"
        y = b.op(replace(above.op, activation=activation), *above.inputs, name=above.name)  # type: ignore[arg-type]
        return graph.rewrite(remove=[node, above], add=b.nodes, replace_values={node.output.name: y})
