"""Evaluate what does not depend on the input."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.ir import Graph, Node
from edgetx.passes.base import Rule
from edgetx.reference import run_node


@dataclass(frozen=True)
class FoldConstants(Rule):
    """Replace a node over constants by its result.

    Given:   %c = const    %y = transpose(%c)
    Result:  %y = const
    """

    name: ClassVar[str] = "fold-constants"

    def rewrite(self, node: Node, graph: Graph) -> Graph | str:
        operands = [graph.const(value) for value in node.inputs]
        if any(data is None for data in operands):
            return "an operand is computed"
        results = run_node(node, [np.asarray(data) for data in operands])
        # A constant takes the place of the result under the same name, so users keep reading it.
        names = [value.name for value in node.outputs]
        return graph.rewrite(remove=[node], consts=dict(zip(names, results, strict=True)))
