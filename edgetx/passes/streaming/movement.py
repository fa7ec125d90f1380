"""Reshape, transpose, slices and concatenation hop by hop."""

import math
from fractions import Fraction

import numpy as np

from edgetx.ir import Node, Value
from edgetx.ops import Concatenation, Gather, LayerNorm, Reshape, RmsNorm, StridedSlice, Transpose
from edgetx.passes.streaming.flow import Flow
from edgetx.passes.streaming.scope import GLOBAL_NORM, Scope, streams

_AVERAGE = "average over time before it: pooling = 'mean'"


@streams(Transpose)
def _transpose(s: Scope, node: Node) -> None:
    flow = s.only_flow(node)
    assert isinstance(node.op, Transpose)
    s.emit(node, node.op, flow.value)
    s.set_flow(node.output, flow, node.op.permutation.index(flow.axis))


@streams(Reshape)
def _reshape(s: Scope, node: Node) -> None:
    """The time axis stays, or whole frames are stacked or cut up."""
    flow = s.only_flow(node)
    before, after = node.inputs[0].shape, node.output.shape
    outer, total = math.prod(before[: flow.axis]), before[flow.axis]
    places = [i for i in range(len(after)) if math.prod(after[:i]) == outer and after[i] > 1]
    inner = len(after) - 1
    axis = next((i for i in places if total % after[i] == 0 or (after[i] % total == 0 and i < inner)), None)
    if axis is None:
        if any(isinstance(user.op, LayerNorm | RmsNorm) for user in s.clip.users(node.output)):
            raise s.refusal(node, *GLOBAL_NORM)
        raise s.refusal(node, "flattens time", _AVERAGE)
    stack = max(1, total // after[axis])
    s.divisible(flow, stack)
    flow = s.delayed(flow, flow.delay + -flow.delay % stack)
    rate = Fraction(after[axis], total)
    shape = (*after[:axis], int(flow.frames * rate), *after[axis + 1 :])
    s.emit(node, Reshape(shape), flow.value)
    _at_rate(s, node, flow, axis, rate)


def _at_rate(s: Scope, node: Node, flow: Flow, axis: int, rate: Fraction) -> None:
    """Say that a node's result has `rate` frames for each of the flow."""
    s.set_flow(
        node.output,
        flow,
        axis,
        stride=flow.stride / rate,
        delay=int(flow.delay * rate),
        ready=math.ceil(flow.ready * rate),
    )


@streams(Gather)
def _gather(s: Scope, node: Node) -> None:
    """Frames repeated, or the first and last ones continued beyond the clip; other axes do not matter."""
    flow = s.only_flow(node)
    assert isinstance(node.op, Gather)
    if flow.axis != node.op.axis:
        s.emit(node, node.op, flow.value)
        s.set_flow(node.output, flow, flow.axis)
        return
    indices = np.array(node.op.indices)
    times, places = len(indices) // flow.clip_frames, np.arange(len(indices))
    before = int(np.argmax(indices > 0)) - 1
    if times > 1 and np.array_equal(indices, places // times):
        s.emit(node, Gather(node.op.axis, tuple(i // times for i in range(times * flow.frames))), flow.value)
        _at_rate(s, node, flow, flow.axis, Fraction(times))
    elif before >= 0 and np.array_equal(indices, np.clip(places - before, 0, flow.clip_frames - 1)):
        s.alias(node, flow.value)
        s.padded = s.uneven = True
        s.set_flow(node.output, flow, flow.axis, delay=flow.delay - before, padded=True)
    else:
        raise s.refusal(node, "takes the frames of the clip in another order", "leave this layer out of the model")


@streams(StridedSlice)
def _slice(s: Scope, node: Node) -> None:
    flow = s.only_flow(node)
    assert isinstance(node.op, StridedSlice)
    begin, stride = node.op.begin[flow.axis], node.op.strides[flow.axis]
    if node.output.shape[flow.axis] == 1:
        _single(s, node, flow, begin)
        return
    s.divisible(flow, stride)
    phase = (flow.delay + begin) % stride
    ends = tuple(flow.frames if i == flow.axis else end for i, end in enumerate(node.op.end))
    begins = tuple(phase if i == flow.axis else start for i, start in enumerate(node.op.begin))
    op = StridedSlice(begins, ends, node.op.strides)
    if (op.begin, op.end) == ((0,) * len(begins), flow.value.shape) and set(op.strides) == {1}:
        s.alias(node, flow.value)
    else:
        s.emit(node, op, flow.value)
    s.set_flow(
        node.output, flow, flow.axis, stride=flow.stride * stride, delay=(flow.delay + begin - phase) // stride,
        ready=-(-max(0, flow.ready - phase) // stride),
    )  # fmt: skip


def _single(s: Scope, node: Node, flow: Flow, index: int) -> None:
    """The last frame of the clip is the newest one."""
    assert isinstance(node.op, StridedSlice)
    if index != flow.clip_frames - 1:
        if len(s.clip.users(node.inputs[0])) == flow.clip_frames:
            raise s.refusal(
                node, "is a recurrence written out step by step",
                "gru, lstm: train with a mixer that streams, such as lmu(d, t), gated_linear or selective_ssm(n)",
            )  # fmt: skip
        raise s.refusal(node, f"picks frame {index} of the clip", f"pick the last frame, or {_AVERAGE}")
    s.answer(node, flow)
    ends = tuple(flow.frames if i == flow.axis else end for i, end in enumerate(node.op.end))
    begins = tuple(flow.frames - 1 if i == flow.axis else start for i, start in enumerate(node.op.begin))
    s.emit(node, StridedSlice(begins, ends, node.op.strides), flow.value)


@streams(Concatenation)
def _concatenate(s: Scope, node: Node) -> None:
    assert isinstance(node.op, Concatenation)
    axis = node.op.axis
    given = [flow for flow in map(s.flow, node.inputs) if flow is not None]
    if any(flow.axis == axis for flow in given):
        raise s.refusal(node, "puts frames or a class token beside the clip's", f"{_AVERAGE} instead of a class token")
    if len({flow.axis for flow in given}) > 1:
        raise s.refusal(node, "joins time with another axis", "transpose one operand")
    operands, ready = joined_operands(s, node, given)
    s.emit(node, node.op, *operands)
    latest = max(given, key=lambda flow: flow.delay)
    s.set_flow(node.output, latest, latest.axis, ready=ready)


def joined_operands(s: Scope, node: Node, given: list[Flow]) -> tuple[list[Value], int]:
    """Operands at one delay, constants for one hop, and when all are ready.

    Args:
        s: The graphs.
        node: What reads the operands.
        given: Flows of those that have one.

    Raises:
        StreamError: If a constant changes with time, or an operand is made of the whole clip.
    """
    aligned = s.aligned(node, given)
    later, ready, edges = iter(aligned), max(flow.ready for flow in aligned), 0
    operands = []
    for value in node.inputs:
        if s.flow(value) is not None:
            operands.append(next(later).value)
        elif value.name in s.clip.consts:
            axis = given[0].axis - given[0].value.type.rank + value.type.rank
            const, edge = s.steady(node, value, axis, given[0])
            operands.append(const)
            edges = max(edges, edge)
        else:
            raise s.refusal(node, *GLOBAL_NORM)
    s.uneven = s.uneven or edges > 0
    return operands, ready + edges
