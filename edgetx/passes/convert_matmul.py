"""A matrix product with a constant is a fully connected layer."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.ir import Graph, GraphBuilder, Node
from edgetx.ops import BatchMatmul, FullyConnected
from edgetx.passes.base import Rule


@dataclass(frozen=True)
class ConvertMatmul(Rule):
    """Turn a product with a constant matrix into a layer with per-channel weights.

    Given:   %y = batch_matmul(%x, %w)    with %w constant [in, out]
    Result:  %y = fully_connected(%x, transpose(%w))
    """

    name: ClassVar[str] = "convert-matmul"

    def rewrite(self, node: Node, graph: Graph) -> Graph | str:
        if not isinstance(node.op, BatchMatmul):
            return "not a matrix product"
        x, w = node.inputs
        data = graph.const(w)
        if data is None or node.op.adj_x:
            return "the right operand is computed, or the left one transposed"
        if data.size != int(np.prod(data.shape[-2:])):
            return "one matrix per batch"
        matrix = data.reshape(data.shape[-2:])
        b = GraphBuilder.beside(graph, node)
        y = b.op(FullyConnected(), x, b.const(matrix if node.op.adj_y else matrix.T.copy(), w.name), name=node.name)
        return graph.rewrite(remove=[node], add=b.nodes, consts=b.consts, replace_values={node.output.name: y})
