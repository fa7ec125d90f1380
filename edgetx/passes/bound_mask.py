"""Keep masks that stay in the graph within the range of the scores."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.errors import UnsupportedOpError
from edgetx.ir import Array, Graph, GraphBuilder, Node
from edgetx.ops import Add, Clip, Mul, Neg, ReduceMax, Reshape, Softmax, Sub
from edgetx.ops.attention import HIDES
from edgetx.passes.base import Rule

FAR = 12.0
"""How far below the largest score a hidden one is; its weight, exp(−12), is less than a step of 8 bits."""
ABSURD = -1e6
"""What no range of integers holds beside ordinary numbers."""


@dataclass(frozen=True)
class BoundMask(Rule):
    """A mask that hides scores from a softmax takes no more of the integers' range than the softmax tells apart.

    The largest score of a row is sought among those that are seen: hidden ones count as the least before.

    Given:   %m = add(%scores, {0, −1e9})    %w = softmax(%m)
    Result:  %s = mul(add(%scores, reduce_max(neg(%scores))), {1, 0})
             %t = sub(%s, reduce_max(%s))    %w = softmax(clip(add(%t, {0, −12}), −12, 0))
    """

    name: ClassVar[str] = "bound-mask"

    def rewrite(self, node: Node, graph: Graph) -> Graph | str:
        mask = graph.const(node.inputs[1]) if node.op == Add() else None
        if mask is None:
            return "adds no constant"
        softmax = _softmax(graph, node)
        hidden = _hidden(np.asarray(mask) * (1 if softmax is None else softmax.beta))
        if not hidden.any():
            return "hides nothing"
        if softmax is None:
            if mask.min() > ABSURD:
                return "no softmax follows"
            raise UnsupportedOpError(
                f"a constant of {mask.min():g} among {mask.max():g}",
                where=node.name,
                hint="mask only what goes into a softmax, or with zeros",
            )
        return self._replace(graph, node, np.asarray(mask), hidden, FAR / softmax.beta)

    def _replace(self, graph: Graph, node: Node, mask: Array, hidden: Array, far: float) -> Graph:
        b = GraphBuilder.beside(graph, node)
        rank = node.output.type.rank
        scores, largest = node.inputs[0], ReduceMax((rank - 1,), True)
        if scores.type.rank < rank:
            scores = b.op(Reshape((1,) * (rank - scores.type.rank) + scores.shape), scores)
        if (bias := np.where(hidden, 0, mask)).any():
            scores = b.op(Add(), scores, b.const(bias.astype(np.float32), f"{node.name}.bias"))
        above = b.op(Add(), scores, b.op(largest, b.op(Neg(), scores)))
        seen = b.op(Mul(), above, b.const((~hidden).astype(np.float32), f"{node.name}.seen"))
        below = b.op(Sub(), seen, b.op(largest, seen))
        far_away = b.const(np.where(hidden, -far, 0).astype(np.float32), f"{node.name}.bounded")
        y = b.op(Clip(-far, 0.0), b.op(Add(), below, far_away), name=node.name)
        return graph.rewrite(remove=[node], add=b.nodes, consts=b.consts, replace_values={node.output.name: y})


def _hidden(mask: Array) -> Array:
    """Where a mask takes a key out of sight, of the keys that a query sees."""
    if mask.ndim == 0 or mask.shape[-1] == 1:
        return np.zeros(mask.shape, bool)
    best = mask.max(-1, keepdims=True)
    return np.asarray(mask <= np.where(np.isfinite(best), best, 0) + HIDES)


def _softmax(graph: Graph, node: Node) -> Softmax | None:
    """The softmax that takes the rows of a result, and nobody else does."""
    while graph.has_one_use(node.output):
        (user,) = graph.users(node.output)
        if isinstance(user.op, Softmax):
            return user.op
        if not isinstance(user.op, Reshape) or user.output.shape[-1] != node.output.shape[-1]:
            return None
        node = user
    return None
