"""Convolutions, pooling and padding hop by hop."""

from dataclasses import replace

from edgetx.ir import Node, TensorType, Value
from edgetx.ops import AveragePool2D, Conv2D, DepthwiseConv2D, MaxPool2D, Op, Pad
from edgetx.ops.convolution import Convolution
from edgetx.ops.pool import Pool
from edgetx.ops.window import Window
from edgetx.passes.streaming.flow import Flow
from edgetx.passes.streaming.scope import Scope, streams

_IMAGE_AXES = (1, 2)


@streams(Conv2D, DepthwiseConv2D, AveragePool2D, MaxPool2D)
def _window(s: Scope, node: Node) -> None:
    """A ring holds what the windows of a hop look back at; what they look ahead at becomes delay."""
    flow = s.only_flow(node)
    if flow.axis not in _IMAGE_AXES:
        raise s.refusal(node, "mixes all frames as channels", "convolve along time instead")
    window, x = _window_of(node), node.inputs[0].type
    along = flow.axis - 1
    extent, stride, before = window.extent[along], window.stride[along], window.pads(x)[along][0]
    constants = node.inputs[1:]
    s.padded = s.padded or any(window.pads(x)[along])
    if extent == stride == 1:
        s.emit(node, _op(node), flow.value, *constants)
        s.set_flow(node.output, flow, flow.axis)
        return
    op = replace(_op(node), padding="valid")  # type: ignore[call-arg]
    if node.output.shape[flow.axis] == 1:
        s.emit(node, op, _beside(s, node, window, s.whole(node, replace(flow, clip_frames=extent)), flow), *constants)
        return
    s.divisible(flow, stride)
    lag = flow.delay + extent - 1 - before
    phase = lag % stride
    frames = flow.frames - 1 - phase + extent
    ring = s.last(replace(flow, value=_beside(s, node, window, flow.value, flow)), frames)
    s.emit(node, op, ring, *constants)
    s.set_flow(
        node.output, flow, flow.axis, stride=flow.stride * stride, delay=(lag - phase) // stride,
        ready=-(-max(0, flow.ready + extent - 1 - phase) // stride), padded=False,
    )  # fmt: skip


def _op(node: Node) -> Op:
    assert isinstance(node.op, Op)
    return node.op


def _window_of(node: Node) -> Window:
    if isinstance(node.op, Convolution):
        return node.op.window(node.inputs[1].shape)
    assert isinstance(node.op, Pool)
    return node.op.window


def _beside(s: Scope, node: Node, window: Window, value: Value, flow: Flow) -> Value:
    """The value with the padding that the op does itself on the other axis."""
    other = 1 - (flow.axis - 1)
    pads = window.pads(node.inputs[0].type)[other]
    if not any(pads):
        return value
    if isinstance(node.op, Pool):
        raise s.refusal(node, "pads features itself", "pad before, or pool without padding")
    paddings = tuple(pads if axis == other + 1 else (0, 0) for axis in range(4))
    kind: TensorType = value.type
    return s.builder.op(Pad(paddings), value, name=f"{node.name}.pad", quant=(kind.dtype, kind.quant))


@streams(Pad)
def _pad(s: Scope, node: Node) -> None:
    """In the middle of a stream there is no padding along time; it only shifts the clip's numbering."""
    flow = s.only_flow(node)
    assert isinstance(node.op, Pad)
    before, after = node.op.paddings[flow.axis]
    others = tuple((0, 0) if axis == flow.axis else pad for axis, pad in enumerate(node.op.paddings))
    if any(map(any, others)):
        s.emit(node, Pad(others), flow.value)
    else:
        s.alias(node, flow.value)
    padded = flow.padded or before + after > 0
    s.padded = s.padded or padded
    s.set_flow(node.output, flow, flow.axis, delay=flow.delay - before, padded=padded)
