"""Recognize magnitudes of complex numbers that were written out in arithmetic."""

from dataclasses import dataclass
from typing import ClassVar

from edgetx.ir import Graph, GraphBuilder, Node, Value
from edgetx.ops import Add, Hypot, Mul, Power, Sqrt, Square
from edgetx.passes.base import Rule


@dataclass(frozen=True)
class RecognizeHypot(Rule):
    """One op for a root of a sum of two squares, which 16 bits could not hold.

    Given:   %p = mul(%a, %a)    %q = square(%b)    %y = sqrt(add(%p, %q))
    Result:  %y = hypot(%a, %b)
    """

    name: ClassVar[str] = "recognize-hypot"

    def rewrite(self, node: Node, graph: Graph) -> Graph | str:
        if not (isinstance(node.op, Sqrt) or (isinstance(node.op, Power) and node.op.exponent == 0.5)):
            return "not a square root"
        total = graph.producer(node.inputs[0])
        if total is None or not isinstance(total.op, Add) or total.op.activation != "none":
            return "not of a sum"
        roots = [_squared(graph, value) for value in total.inputs]
        if roots[0] is None or roots[1] is None or roots[0].shape != roots[1].shape:
            return "not of two squares"
        b = GraphBuilder.beside(graph, node)
        y = b.op(Hypot(), roots[0], roots[1], name=node.name)
        return graph.rewrite(remove=[node], add=b.nodes, replace_values={node.output.name: y}).without_dead_code()


def _squared(graph: Graph, value: Value) -> Value | None:
    """What a value is the square of."""
    node = graph.producer(value)
    match node.op if node else None:
        case Square() | Power(exponent=2.0):
            return node.inputs[0] if node else None
        case Mul(activation="none") if node and node.inputs[0] == node.inputs[1]:
            return node.inputs[0]
    return None
