"""Let convolutions look beyond the borders of their image instead of padding it first."""

from dataclasses import dataclass, replace
from typing import ClassVar

from edgetx.ir import Graph, Node
from edgetx.ops import Conv2D, DepthwiseConv2D, Pad
from edgetx.ops.window import NO_PADS
from edgetx.passes.base import Rule


@dataclass(frozen=True)
class FoldPads(Rule):
    """Make the padding of an image an attribute of the convolution that reads it: for C, whose kernels know borders.

    Given:   %p = pad[((0, 0), (1, 1), (1, 1), (0, 0))](%x)    %y = conv_2d(%p, %w, %b)
    Result:  %y = conv_2d[around=((1, 1), (1, 1))](%x, %w, %b)

    Attributes:
        keep: Names of convolutions that shall be left as they are.
    """

    name: ClassVar[str] = "fold-pads"

    keep: frozenset[str] = frozenset()

    def rewrite(self, node: Node, graph: Graph) -> Graph | str:
        if not isinstance(node.op, Conv2D | DepthwiseConv2D) or node.name in self.keep:
            return "not a convolution"
        above = graph.producer(node.inputs[0])
        if above is None or not isinstance(above.op, Pad) or node.op.around != NO_PADS:
            return "nothing is padded"
        batch, rows, columns, channels = above.op.paddings
        if any((*batch, *channels)):
            return "more than rows and columns are padded"
        if not graph.has_one_use(above.output):
            return f"{above.output.name} is read elsewhere too"
        if node.inputs[1].shape[1:3] == (1, 1):
            return "kernels for single pixels know no borders"
        op = replace(node.op, around=(rows, columns))
        inputs = (above.inputs[0], *node.inputs[1:])
        return graph.rewrite(remove=[node, above], add=[replace(node, op=op, inputs=inputs)])
