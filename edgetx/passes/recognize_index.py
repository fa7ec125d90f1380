"""Recognize how the index of a look-up is kept within its table."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.ir import Graph, GraphBuilder, Node, Value
from edgetx.ops import Add, Lookup, Maximum, Minimum, Mul, Sub
from edgetx.passes.base import Pass
from edgetx.passes.region import elementwise, regions


@dataclass(frozen=True)
class RecognizeIndex(Pass):
    """Leave to a look-up what was written before it for negative indices, since arithmetic would not keep them whole.

    Given:   %i = %x + rows · (%x < 0)    %y = lookup(%table, %i)
    Result:  %y = lookup[wraps=True](%table, %x)
    """

    name: ClassVar[str] = "recognize-index"

    def run(self, graph: Graph) -> Graph:
        for node in graph.nodes:
            if isinstance(node.op, Lookup) and (found := _kept_within(graph, node)) is not None:
                b = GraphBuilder.beside(graph, node)
                y = b.op(found[0], node.inputs[0], found[1], name=node.name)
                graph = graph.rewrite(remove=[node], add=b.nodes, replace_values={node.output.name: y})
        return graph


def _kept_within(graph: Graph, node: Node) -> tuple[Lookup, Value] | None:
    """The look-up by an earlier index that gives the same rows."""
    table, index = node.inputs
    producer, rows = graph.producer(index), table.shape[0]
    if producer is None or node.op != Lookup():
        return None
    # those beyond the ends tell of a remainder, fractions of one cut off before
    every = np.concatenate([np.arange(-2 * rows, 2 * rows), np.arange(rows - 1) + 0.7])
    for region in regions(graph, producer, elementwise(Add, Sub, Mul, Maximum, Minimum)):
        if region.source.shape != index.shape:
            continue
        taken = region.evaluate(every.reshape(-1, *[1] * (index.type.rank - 1))).ravel()
        for op in (Lookup(), Lookup(wraps=True)):
            if (np.clip(np.rint(taken), 0, rows - 1) == op.rows(np.rint(every), rows)).all():
                return op, region.source
    return None
