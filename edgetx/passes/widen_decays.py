"""Give decays that are exponentials the bits that a recurrence needs."""

from dataclasses import dataclass
from typing import ClassVar

from edgetx.ir import Graph, GraphBuilder, Node
from edgetx.ops import Exp, LinearRecurrence, Reshape, WideExp
from edgetx.passes.base import Rule


@dataclass(frozen=True)
class WidenDecays(Rule):
    """A state that decays by 0.999 is not one that decays by 255/256.

    Given:   %d = exp(%g)    %s, %last = linear_recurrence(%d, %x, %start)
    Result:  %d = wide_exp(%g)    %s, %last = linear_recurrence(%d, %x, %start)
    """

    name: ClassVar[str] = "widen-decays"

    def rewrite(self, node: Node, graph: Graph) -> Graph | str:
        if not isinstance(node.op, LinearRecurrence):
            return "not a recurrence"
        value = node.inputs[0]
        while (source := graph.producer(value)) is not None and isinstance(source.op, Reshape):
            if not graph.has_one_use(value):
                return f"{value.name} is read elsewhere too"
            value = source.inputs[0]
        if source is None or type(source.op) is not Exp or not graph.has_one_use(value):
            return "its decay is no exponential of its own"
        b = GraphBuilder.beside(graph, source)
        wide = b.op(WideExp(), source.inputs[0], name=source.name)
        return graph.rewrite(remove=[source], add=b.nodes, replace_values={source.output.name: wide})
