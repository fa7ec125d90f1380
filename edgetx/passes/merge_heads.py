"""Read the heads of an attention as the height of an image."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.ir import Graph, GraphBuilder, Node
from edgetx.ops import Conv2D
from edgetx.passes.base import Rule
from edgetx.passes.movement import is_movement, trace
from edgetx.passes.promote_rank import RANK


@dataclass(frozen=True)
class MergeHeads(Rule):
    """Let a 1×1 convolution over merged heads reach over the heads themselves.

    Given:   %m = reshape(transpose(%x))    %y = conv_2d(%m, %w)    with %x of 1 × H × T × D, %m of 1 × 1 × T × H·D
    Result:  %y = conv_2d(%x, %w')    with %w' of N × H × 1 × D
    """

    name: ClassVar[str] = "merge-heads"

    def rewrite(self, node: Node, graph: Graph) -> Graph | str:
        if not isinstance(node.op, Conv2D) or node.op != Conv2D(activation=node.op.activation):
            return "not a plain convolution"
        x, w, *bias = node.inputs
        data = graph.const(w)
        if data is None or data.shape[1:3] != (1, 1) or not is_movement(graph.producer(x)):
            return "not a 1×1 convolution over moved data"
        moved = trace(graph, x)
        if moved.source.type.rank != RANK or moved.source.shape[0] != 1 or moved.source.shape[1] == 1:
            return f"{moved.source.name} has no heads"
        _, heads, rows, size = moved.source.shape
        merged = np.arange(moved.source.type.size).reshape(heads, rows, size).swapaxes(0, 1)
        if moved.index.size != merged.size or not (moved.index.ravel() == merged.ravel()).all():
            return f"{x.name} is not the merged heads of {moved.source.name}"
        b = GraphBuilder.beside(graph, node)
        weight = b.const(data.reshape(len(data), heads, 1, size), w.name)
        y = b.op(node.op, moved.source, weight, *bias, name=node.name)
        return graph.rewrite(remove=[node], add=b.nodes, consts=b.consts, replace_values={node.output.name: y})
