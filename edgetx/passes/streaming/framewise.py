"""Ops that treat frames one by one."""

from edgetx.ir import Node
from edgetx.ops import BatchMatmul, FullyConnected, L2Normalization, LayerNorm, Op, Quantize, RmsNorm, Softmax
from edgetx.ops.elementwise import Elementwise
from edgetx.ops.pointwise import Pointwise
from edgetx.passes.streaming.movement import joined_operands
from edgetx.passes.streaming.scope import GLOBAL_NORM, Scope, streams


@streams(Pointwise, Quantize)
def _pointwise(s: Scope, node: Node) -> None:
    flow = s.only_flow(node)
    assert isinstance(node.op, Op)
    s.emit(node, node.op, flow.value)
    s.set_flow(node.output, flow, flow.axis)


@streams(FullyConnected, LayerNorm, RmsNorm, L2Normalization, Softmax)
def _rows(s: Scope, node: Node) -> None:
    """Rows are frames unless time is the last axis."""
    flow = s.only_flow(node)
    assert isinstance(node.op, Op)
    if flow.axis == flow.value.type.rank - 1:
        if isinstance(node.op, LayerNorm | RmsNorm | L2Normalization):
            raise s.refusal(node, *GLOBAL_NORM)
        if isinstance(node.op, Softmax):
            raise s.refusal(node, "weighs the frames of the clip against each other", "pooling = 'mean', or window(N)")
        raise s.refusal(node, "mixes all frames of the clip", "mix time by a causal convolution or a recurrence")
    s.emit(node, node.op, flow.value, *node.inputs[1:])
    s.set_flow(node.output, flow, flow.axis)


@streams(Elementwise)
def _elementwise(s: Scope, node: Node) -> None:
    """Operands of different delay wait for the latest."""
    axes = _time_axes(s, node)
    if len(axes) > 1:
        raise s.refusal(node, "joins time with another axis", "transpose one operand")
    _together(s, node, axes.pop())


@streams(BatchMatmul)
def _matmul(s: Scope, node: Node) -> None:
    """Each frame has matrices of its own, or is a row of the left one, whose product with a constant is taken."""
    assert isinstance(node.op, BatchMatmul)
    axes, rank, flow = _time_axes(s, node), node.output.type.rank, s.flow(node.inputs[0])
    if len(axes) == 1 and min(axes) < rank - 2:
        _together(s, node, axes.pop())
    elif flow and s.clip.const(node.inputs[1]) is not None and axes == {rank - 1 if node.op.adj_x else rank - 2}:
        s.emit(node, node.op, flow.value, node.inputs[1])
        s.set_flow(node.output, flow, rank - 2)
    else:
        raise s.refusal(node, "multiplies frames of the clip by one another", "attend to frames: window(N) and causal")


def _time_axes(s: Scope, node: Node) -> set[int]:
    """Time axes of the operands, counted as those of the result."""
    rank = node.output.type.rank
    return {flow.axis + rank - flow.value.type.rank for flow in map(s.flow, node.inputs) if flow}


def _together(s: Scope, node: Node, axis: int) -> None:
    """Frame by frame what several operands have at the same time."""
    given = [flow for flow in map(s.flow, node.inputs) if flow is not None]
    assert isinstance(node.op, Op)
    operands, ready = joined_operands(s, node, given)
    s.emit(node, node.op, *operands)
    latest = max(given, key=lambda flow: flow.delay)
    s.set_flow(node.output, latest, axis, ready=ready, padded=any(flow.padded for flow in given))
