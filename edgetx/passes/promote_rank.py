"""Give every activation four axes, as TFLite's convolutions want them and TFLite Micro takes at most."""

from dataclasses import dataclass, replace
from typing import ClassVar

from edgetx.ir import Graph, GraphBuilder, Node, Value
from edgetx.ops import Concatenation, FullyConnected, Gather, Op, Pad, Reshape, ShiftIn, StridedSlice, Transpose
from edgetx.ops.recurrence import Recurrence
from edgetx.ops.reduction import Reduction
from edgetx.passes.base import Pass

RANK = 4


@dataclass(frozen=True)
class PromoteRank(Pass):
    """Put unit axes in front of all activations, so that fully connected layers can be 1×1 convolutions.

    TFLite Micro and LiteRT round the results of FULLY_CONNECTED differently (twice and once), those of CONV_2D alike.
    Of five axes the first, a batch of one, is left out.

    Given:   %y = fully_connected(%x, %w)    with %x of 1 × T × C
    Result:  %a = reshape(%x)    %b = fully_connected(%a, %w)    %y = reshape(%b)    with %a of 1 × 1 × T × C
    """

    name: ClassVar[str] = "promote-rank"

    def run(self, graph: Graph) -> Graph:
        if not any(isinstance(n.op, FullyConnected) and n.inputs[0].type.rank < RANK for n in graph.nodes):
            return graph
        if any(_touches_batch(node) for node in graph.nodes):
            return graph
        return _Promotion(graph).run()


class _Promotion:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.builder = GraphBuilder(graph.name, [*(v.name for v in graph.inputs), *graph.consts])
        self.values: dict[str, Value] = {}

    def run(self) -> Graph:
        b, graph = self.builder, self.graph
        for value in (*graph.inputs, *(state.read for state in graph.states)):
            self.values[value.name] = self._shaped(value, _promoted(value.shape), f"{value.name}.promoted")
        for node in graph.nodes:
            self._promote(node)
        outputs = tuple(map(self._result, graph.outputs))
        states = tuple(replace(state, write=self._result(state.write)) for state in graph.states)
        return replace(graph, outputs=outputs, states=states, nodes=tuple(b.nodes), consts={**graph.consts, **b.consts})

    def _result(self, value: Value) -> Value:
        """What leaves the graph, in its own shape."""
        return self._shaped(self.values[value.name], value.shape, f"{value.name}.result")

    def _promote(self, node: Node) -> None:
        if isinstance(node.op, Recurrence):
            self._keep(node)
            return
        extra = RANK - node.inputs[0].type.rank
        op = _promoted_op(node, extra)
        (value,) = node.outputs
        operands = [self._operand(node, value) for value in node.inputs]
        y = self.builder.op(op, *operands, name=value.name)
        self.values[value.name] = self._shaped(y, _promoted(value.shape), f"{value.name}.promoted")

    def _keep(self, node: Node) -> None:
        """A recurrence between reshapes: its second axis is time."""
        operands = [self._shaped(self.values.get(v.name, v), v.shape, f"{v.name}.demoted") for v in node.inputs]
        results = self.builder.ops(node.op, *operands, name=node.name)
        for value, y in zip(node.outputs, results, strict=True):
            self.values[value.name] = self._shaped(y, _promoted(value.shape), f"{value.name}.promoted")

    def _operand(self, node: Node, value: Value) -> Value:
        """The promoted value; constants stay as they are where they are weights or broadcast."""
        if value.name in self.values:
            return self.values[value.name]
        if not isinstance(node.op, Concatenation) and value.type.rank <= RANK:
            return value
        return self.builder.const(self.graph.consts[value.name].reshape(_promoted(value.shape)), value.name)

    def _shaped(self, value: Value, shape: tuple[int, ...], name: str) -> Value:
        return value if value.shape == shape else self.builder.op(Reshape(shape), value, name=name)


def _promoted(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (1,) * (RANK - len(shape)) + shape[max(0, len(shape) - RANK) :]


def _touches_batch(node: Node) -> bool:
    """Whether the first of more than four axes is more than a batch of one."""
    values = [value for value in (*node.inputs, *node.outputs) if value.type.rank > RANK]
    if any(value.type.rank > RANK + 1 or value.shape[0] > 1 for value in values):
        return True
    match node.op:
        case Transpose():
            return bool(values) and node.op.permutation[0] > 0
        case Concatenation(axis=0) | Gather(axis=0) | ShiftIn(axis=0):
            return bool(values)
        case Reduction():
            return bool(values) and 0 in node.op.axes
    return False


def _promoted_op(node: Node, extra: int) -> Op:
    """The op with its axes counted behind the new ones; without the first if there is one too many."""
    op, gone = node.op, max(0, -extra)
    assert isinstance(op, Op)
    ones, zeros = (1,) * extra, (0,) * extra
    match op:
        case Reshape():
            return Reshape(_promoted(op.shape))
        case Transpose():
            return Transpose((*range(extra), *(axis + extra for axis in op.permutation[gone:])))
        case StridedSlice():
            return StridedSlice((*zeros, *op.begin[gone:]), (*ones, *op.end[gone:]), (*ones, *op.strides[gone:]))
        case Concatenation() | Gather() | ShiftIn():
            return replace(op, axis=op.axis + extra)
        case Reduction():
            return replace(op, axes=tuple(axis + extra for axis in op.axes), keepdims=True)
        case Pad():
            return replace(op, paddings=((0, 0),) * extra + op.paddings[gone:])
    return op
