"""Move axes one after the other where a kernel moves through fewer."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.ir import Graph, GraphBuilder, Node
from edgetx.ops import Reshape, Transpose
from edgetx.ops.axes import MAX_AXES
from edgetx.passes.base import Rule

Runs = list[tuple[int, ...]]
"""Axes, those that stay neighbours as one."""


@dataclass(frozen=True)
class SplitTranspose(Rule):
    """A transpose of many axes as one that brings a single run of axes to its place, and what is left.

    Given:   %b = transpose[permutation=(0, 3, 5, 1, 2, 4)](%a)
    Result:  %b = transpose[permutation=(0, 2, 1, 3)](%a)    %c = transpose(%b)
    """

    name: ClassVar[str] = "split-transpose"

    def rewrite(self, node: Node, graph: Graph) -> Graph | str:
        if not isinstance(node.op, Transpose):
            return "no transpose"
        x = node.inputs[0]
        wanted = _runs(node.op.permutation, x.shape)
        if len(wanted) <= MAX_AXES:
            return "few axes"
        given = sorted(wanted)
        at = next(i for i, run in enumerate(wanted) if given[i] != run)
        place = given.index(wanted[at])
        order = [*given[:at], given[place], *given[at:place], *given[place + 1 :]]
        sizes = {run: int(np.prod([x.shape[axis] for axis in run])) for run in given}
        parts = (given[:at], given[at:place], [given[place]], given[place + 1 :])
        b = GraphBuilder.beside(graph, node)
        four = b.op(Reshape(tuple(int(np.prod([sizes[run] for run in part])) for part in parts)), x)
        moved = b.op(Reshape(tuple(sizes[run] for run in order)), b.op(Transpose((0, 2, 1, 3)), four))
        rest = b.op(Transpose(tuple(order.index(run) for run in wanted)), moved, name=node.name)
        y = b.op(Reshape(node.output.shape), rest)
        return graph.rewrite(remove=[node], add=b.nodes, replace_values={node.output.name: y})


def _runs(permutation: tuple[int, ...], shape: tuple[int, ...]) -> Runs:
    """The axes of more than one element in their new order, in runs that were neighbours before."""
    runs: Runs = []
    wide = [axis for axis in range(len(shape)) if shape[axis] != 1]
    for axis in (axis for axis in permutation if shape[axis] != 1):
        if runs and wide.index(runs[-1][-1]) + 1 == wide.index(axis):
            runs[-1] += (axis,)
        else:
            runs.append((axis,))
    return runs
