"""ONNX convolutions, pooling and batch normalization.

Their channels-first layout is left and entered again around each op; the passes remove what cancels.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from edgetx import ops
from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.frontends.onnx.scope import Scope, operator
from edgetx.ir import Value
from edgetx.ops.quant_rule import Weight
from edgetx.ops.window import Padding, Pair, Window


def _channels_last(s: Scope, x: Value) -> Value:
    """[N, C, T] or [N, C, H, W] to [N, H, W, C], with H = 1 for one spatial axis."""
    if x.type.rank not in (3, 4):
        raise UnsupportedOpError(f"{s.node.op_type} of {x.shape}", hint="one or two spatial axes are supported")
    last = s.transpose(x, [0, *range(2, x.type.rank), 1])
    return s.reshape(last, (last.shape[0], *([1] * (4 - last.type.rank)), *last.shape[1:]))


def _channels_first(s: Scope, x: Value, rank: int) -> Value:
    last = s.reshape(x, (x.shape[0], *x.shape[1 + 4 - rank :]))
    return s.transpose(last, [0, rank - 1, *range(1, rank - 1)])


def _pair(values: Sequence[int] | None, fill: int) -> Pair:
    *_, first, second = [fill, fill, *(values or ())]
    return first, second


def _padded(s: Scope, image: Value, window: Window, *, zeros: bool = True) -> tuple[Value, Padding]:
    """The image, padded, and the padding left to the window: "same" if the model pads as TFLite does.

    Args:
        s: The scope.
        image: [1, H, W, C].
        window: The window without padding.
        zeros: Whether padding counts as zeros; otherwise it does not take part.
    """
    same = replace(window, padding="same")
    rows, columns = _pads(s, image, same)
    if not any((*rows, *columns)):
        return image, "valid"
    if (rows, columns) == same.pads(image.type) and (zeros or s.node.op_type != "AveragePool"):
        return image, "same"
    if not zeros:
        raise UnsupportedOpError(f"{s.node.op_type} padded by {rows}, {columns}", hint="pad as SAME_UPPER does")
    return s.op(ops.Pad(((0, 0), rows, columns, (0, 0))), image), "valid"


def _pads(s: Scope, image: Value, same: Window) -> tuple[Pair, Pair]:
    """Rows and columns of padding before and after."""
    mode, values = s.text("auto_pad", "NOTSET"), s.listed("pads") or ()
    rows, columns = same.pads(image.type)
    if mode == "SAME_UPPER":
        return rows, columns
    if mode == "SAME_LOWER":
        return (rows[1], rows[0]), (columns[1], columns[0])
    if mode == "VALID":
        return (0, 0), (0, 0)
    half = len(values) // 2
    (top, left), (bottom, right) = _pair(values[:half], 0), _pair(values[half:], 0)
    if min(top, left, bottom, right) < 0:
        raise ModelError(f"negative padding {values}")
    return (top, bottom), (left, right)


@operator("Conv")
def _conv(s: Scope, x: Value, w: Value, b: Value | None = None) -> Value:
    weight = s.data(w, "the weight of a convolution")
    if weight.ndim != x.type.rank:
        raise ModelError(f"convolution of {x.shape} with a weight {weight.shape}")
    image = _channels_last(s, x)
    weight = weight.reshape(*weight.shape[:2], *([1] * (4 - weight.ndim)), *weight.shape[2:])
    stride, dilation = _pair(s.listed("strides"), 1), _pair(s.listed("dilations"), 1)
    image, padding = _padded(s, image, Window(_pair(weight.shape[2:], 1), stride, dilation))
    groups, per_channel = s.integer("group", 1), w.type.quant is not None and w.type.quant.axis is not None
    conv: ops.Op
    if groups == 1:
        conv = ops.Conv2D(stride, dilation, padding)
        kernel = s.moved(w, weight.transpose(0, 2, 3, 1), 0 if per_channel else None)
    elif groups == image.shape[-1] and weight.shape[1] == 1:
        conv = ops.DepthwiseConv2D(stride, dilation, padding)
        kernel = s.moved(w, weight.transpose(1, 2, 3, 0), 3 if per_channel else None)
    else:
        raise UnsupportedOpError(f"convolution with {groups} groups over {image.shape[-1]} channels")
    return _channels_first(s, s.result(conv, image, kernel, *([s.bias(b, x, kernel)] if b else [])), x.type.rank)


@operator("BatchNormalization")
def _batch_norm(s: Scope, x: Value, gamma: Value, beta: Value, mean: Value, variance: Value) -> Value:
    """A factor and a summand for each channel; on integers a depthwise convolution of one element."""
    parameters = (s.restored(v) for v in (gamma, beta, mean, variance))
    scale, shift, centre, spread = (s.data(v, "a parameter of a normalization").ravel() for v in parameters)
    gain = (scale / np.sqrt(spread + s.real("epsilon", 1e-5))).astype(np.float32)
    offset = (shift - centre * gain).astype(np.float32)
    order = [0, *range(2, x.type.rank), 1]
    if x.type.quant:
        image = s.reshape(s.transpose(x, order), (1, 1, x.type.size // len(gain), len(gain)))
        integers, quant = Weight(3).quantize(gain.reshape(1, 1, 1, -1), (), x.type)
        kernel = s.const(integers, "gain", quant)
        y = s.result(ops.DepthwiseConv2D(), image, kernel, s.bias(s.const(offset, "shift"), x, kernel))
        y = s.reshape(y, [x.shape[axis] for axis in order])
    else:
        scaled = s.result(ops.Mul(), s.transpose(x, order), s.const(gain, "gain"))
        y = s.result(ops.Add(), scaled, s.const(offset, "shift"))
    return s.transpose(y, [0, x.type.rank - 1, *range(1, x.type.rank - 1)])


@operator("AveragePool", "MaxPool")
def _pool(s: Scope, x: Value) -> Value:
    image = _channels_last(s, x)
    size, stride = _pair(s.listed("kernel_shape"), 1), _pair(s.listed("strides"), 1)
    if _pair(s.listed("dilations"), 1) != (1, 1):
        raise UnsupportedOpError("pooling with dilation")
    average = s.node.op_type == "AveragePool"
    window = Window(size, stride)
    image, padding = _padded(s, image, window, zeros=average and bool(s.integer("count_include_pad", 0)))
    pool = (ops.AveragePool2D if average else ops.MaxPool2D)(size, stride, padding)
    missed = [(n - k) % t for n, k, t in zip(image.shape[1:3], size, stride, strict=True)]
    if s.integer("ceil_mode", 0) and padding == "valid" and any(missed):
        raise UnsupportedOpError("pooling with ceil_mode", hint="pad before, or use a stride that fits")
    return _channels_first(s, s.result(pool, image), x.type.rank)


@operator("GlobalAveragePool", "GlobalMaxPool")
def _global_pool(s: Scope, x: Value) -> Value:
    axes = tuple(range(2, x.type.rank))
    return s.result(ops.Mean(axes, True) if s.node.op_type == "GlobalAveragePool" else ops.ReduceMax(axes, True), x)
