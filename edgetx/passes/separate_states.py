"""Keep the width of a recurrence's state to itself."""

from dataclasses import dataclass, replace
from typing import ClassVar, cast

from edgetx.ir import Graph, GraphBuilder, Node, Value
from edgetx.ops import Op, Quantize
from edgetx.passes.base import Rule


@dataclass(frozen=True)
class SeparateStates(Rule):
    """Give what reads the states of all steps a quantization of its own, so that only the recurrence pays for 16 bits.

    Given:   %m, %last = lmu(%u, %start)    %y = fully_connected(%m, %w)
    Result:  %m, %last = lmu(%u, %start)    %q = quantize(%m)    %y = fully_connected(%q, %w)
    """

    name: ClassVar[str] = "separate-states"

    def rewrite(self, node: Node, graph: Graph) -> Graph | str:
        rule = cast(Op, node.op).quant_rule()
        if rule.state is None:
            return "not a recurrence"
        for index in rule.state.results[:-1]:
            value = node.outputs[index]
            readers = [user for user in graph.users(value) if not cast(Op, user.op).quant_rule().own_widths]
            if readers:
                return _narrowed(graph, node, value, readers)
        return "nothing reads its states but recurrences"


def _narrowed(graph: Graph, node: Node, value: Value, readers: list[Node]) -> Graph:
    b = GraphBuilder.beside(graph)
    narrow = b.op(Quantize(), value, name=f"{node.name}.narrow")
    for reader in readers:
        operands = (narrow if v.name == value.name else v for v in reader.inputs)
        b.nodes.append(replace(reader, inputs=tuple(operands)))
    return graph.rewrite(remove=readers, add=b.nodes)
