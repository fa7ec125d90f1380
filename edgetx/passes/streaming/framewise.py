"""Ops that treat frames one by one."""

from edgetx.ir import Node
from edgetx.ops import FullyConnected, L2Normalization, LayerNorm, Op, Quantize, RmsNorm, Softmax
from edgetx.ops.elementwise import Elementwise
from edgetx.ops.pointwise import Pointwise
from edgetx.passes.streaming.movement import joined_operands
from edgetx.passes.streaming.scope import Scope, streams


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
        raise s.refusal(node, "mixes all frames of the clip", "mix time by a causal convolution or a recurrence")
    s.emit(node, node.op, flow.value, *node.inputs[1:])
    s.set_flow(node.output, flow, flow.axis)


@streams(Elementwise)
def _elementwise(s: Scope, node: Node) -> None:
    """Operands of different delay wait for the latest."""
    given = [flow for flow in map(s.flow, node.inputs) if flow is not None]
    assert isinstance(node.op, Op)
    rank = node.output.type.rank
    axes = {flow.axis + rank - flow.value.type.rank for flow in given}
    if len(axes) > 1:
        raise s.refusal(node, "joins time with another axis", "transpose one operand")
    operands, ready = joined_operands(s, node, given)
    s.emit(node, node.op, *operands)
    latest = max(given, key=lambda flow: flow.delay)
    s.set_flow(node.output, latest, axes.pop(), ready=ready, padded=any(flow.padded for flow in given))
