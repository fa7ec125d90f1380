"""Keep a residual out of the normalizations that it passes: their steps of 1/128 then only cost the branches."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.ir import Array, Graph, GraphBuilder, Node, Value
from edgetx.ops import Add, FullyConnected, L2Normalization, Mean, Mul, RmsNorm, StridedSlice
from edgetx.passes.base import Rule
from edgetx.passes.fold_affine import SCALE_INVARIANT


@dataclass(frozen=True)
class Branch:
    """A sum of a normalized row and what a layer makes of it.

    Attributes:
        norm: The normalization.
        shift: What is added to its result, one number per channel.
        normed: The result with that shift, which the branch reads.
        rows: The slice of it that the sum takes, if not all of it.
        layer: The last layer of the branch.
        total: The sum.
    """

    norm: Node
    shift: Array
    normed: Value
    rows: Node | None
    layer: Node
    total: Node


@dataclass(frozen=True)
class CarryResidual(Rule):
    """Add the branch of a post-norm block to what was normalized, in its size, where only norms read the sum.

    L2_NORMALIZATION rounds to steps of 1/128, and a post-norm residual takes that error from every norm that it passes.
    A norm does not see the size of its operand, so that the branch may as well be scaled to the row c, which has C
    channels: by mean(c · c/|c|) = |c| / C, and by constants that go into its last layer. This costs three operators
    for each norm. Unequal gains would have to scale c as well, and bring back a mean that has to be taken out.

    Given:   %z = add(rms_norm(%c, %gain), %shift)    %u = add(%z, fully_connected(%x, %w, %b))
    Result:  %s = mean(mul(%c, l2_normalization(%c)))    %k = sqrt(width) / %gain
             %u = add(%c, mul(fully_connected(%x, %w · %k, (%b + %shift) · %k), %s))
    """

    name: ClassVar[str] = "carry-residual"

    def rewrite(self, node: Node, graph: Graph) -> Graph | str:
        found = _branch(graph, node)
        return found if isinstance(found, str) else _carried(graph, found)


def _branch(graph: Graph, total: Node) -> Branch | str:
    """The branch that `total` adds to a norm's result; the reason why not if it does not, or may not be rewritten."""
    if total.op != Add() or len(total.inputs) != 2:
        return "not a plain addition"
    if graph.is_result(total.output) or not _size_is_unseen(graph, total.output):
        return f"the size of {total.name} matters"
    for value, other in (total.inputs, total.inputs[::-1]):
        layer, above = graph.producer(other), graph.producer(value)
        if layer is None or above is None or not _is_own_layer(graph, layer):
            continue
        rows = above if isinstance(above.op, StridedSlice) and _keeps_channels(above) else None
        normed = rows.inputs[0] if rows else value
        found = _norm(graph, normed)
        if found is None:
            continue
        norm, shift = found
        gain = graph.consts[norm.inputs[1].name]
        if (gain != gain.flat[0]).any() or not gain.any():
            return f"the gains of {norm.name} differ"
        return Branch(norm, shift, normed, rows, layer, total)
    return "no layer is added to the result of a norm"


def _norm(graph: Graph, value: Value) -> tuple[Node, Array] | None:
    """The root-mean-square norm that makes `value`, and the shift in between."""
    node, shift = graph.producer(value), np.zeros(value.shape[-1])
    if node is not None and node.op == Add():
        constants = [graph.consts[v.name] for v in node.inputs if v.name in graph.consts]
        others = [v for v in node.inputs if v.name not in graph.consts]
        if len(constants) != 1 or constants[0].shape not in ((1,), shift.shape):
            return None
        node, shift = graph.producer(others[0]), shift + constants[0]
    return (node, shift) if node is not None and isinstance(node.op, RmsNorm) else None


def _is_own_layer(graph: Graph, node: Node) -> bool:
    """Whether the node is linear with constant parameters, and nothing but the sum reads it."""
    constant = all(value.name in graph.consts for value in node.inputs[1:])
    return node.op == FullyConnected() and constant and graph.has_one_use(node.output)


def _keeps_channels(node: Node) -> bool:
    return node.output.shape[-1:] == node.inputs[0].shape[-1:]


def _size_is_unseen(graph: Graph, value: Value) -> bool:
    return all(isinstance(user.op, SCALE_INVARIANT) for user in graph.users(value))


def _carried(graph: Graph, found: Branch) -> Graph:
    """The graph with the branch scaled to the rows; what reads the norm's result still gets it normalized."""
    norm, layer, total = found.norm, found.layer, found.total
    remove = [norm, layer, total, *([found.rows] if found.rows else [])]
    b = GraphBuilder.beside(graph, *remove)
    c = norm.inputs[0]
    unit = b.op(L2Normalization(), c, name=f"{norm.name}.unit")
    normed = {found.normed.name: _affine(b, graph, found, unit)}
    if found.rows:
        c, unit = (b.op(found.rows.op, value, name=f"{value.name}.rows") for value in (c, unit))
        normed[found.rows.output.name] = _affine(b, graph, found, unit)
    size = b.op(Mean((c.type.rank - 1,), keepdims=True), b.op(Mul(), c, unit), name=f"{norm.name}.size")
    x, weight, bias = _scaled_layer(b, graph, found)
    scaled = b.op(layer.op, normed.get(x.name, x), weight, bias, name=layer.name)
    y = b.op(Add(), c, b.op(Mul(), scaled, size, name=f"{layer.name}.sized"), name=total.name)
    return graph.rewrite(remove=remove, add=b.nodes, consts=b.consts, replace_values={**normed, total.output.name: y})


def _affine(b: GraphBuilder, graph: Graph, found: Branch, unit: Value) -> Value:
    """Rows of unit length with the norm's gain and shift."""
    norm = found.norm
    gain = math.sqrt(unit.shape[-1]) * graph.consts[norm.inputs[1].name]
    y = b.op(Mul(), unit, b.const(gain.astype(np.float32), "gain"), name=norm.name)
    return b.op(Add(), y, b.const(found.shift.astype(np.float32), "shift")) if found.shift.any() else y


def _scaled_layer(b: GraphBuilder, graph: Graph, found: Branch) -> tuple[Value, Value, Value]:
    """Operand, weight and bias of the layer that gives the branch and the shift, for rows as long as they are wide."""
    x, weight, *bias = found.layer.inputs
    factor = math.sqrt(found.normed.shape[-1]) / float(graph.consts[found.norm.inputs[1].name].flat[0])
    shift = found.shift + (graph.consts[bias[0].name] if bias else 0.0)
    scaled = b.const((graph.consts[weight.name] * factor).astype(np.float32), weight.name)
    return x, scaled, b.const((shift * factor).astype(np.float32), f"{found.layer.name}.bias")
