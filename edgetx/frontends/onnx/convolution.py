"""ONNX convolutions, pooling and batch normalization.

Their channels-first layout is left and entered again around each op; the passes remove what cancels.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from edgetx import ops
from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.frontends.onnx.scope import Scope, operator
from edgetx.frontends.pooling import average_pool, max_pool
from edgetx.frontends.transposed import dilated, phase_kernel, transposed_convolution
from edgetx.ir import Array, Value
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


def _padded(s: Scope, image: Value, window: Window) -> tuple[Value, Padding]:
    """The image, padded with zeros, and the padding left to the window: "same" if the model pads as TFLite does.

    Args:
        s: The scope.
        image: [1, H, W, C].
        window: The window without padding.
    """
    same = replace(window, padding="same")
    rows, columns = _pads(s, image, same)
    if not any((*rows, *columns)):
        return image, "valid"
    if (rows, columns) == same.pads(image.type):
        return image, "same"
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
def conv(s: Scope, x: Value, w: Value, b: Value | None = None) -> Value:
    """Channels-first convolution in one or two dimensions."""
    weight = s.data(w, "the weight of a convolution")
    if weight.ndim != x.type.rank:
        raise ModelError(f"convolution of {x.shape} with a weight {weight.shape}")
    image = _channels_last(s, x)
    weight = weight.reshape(*weight.shape[:2], *([1] * (4 - weight.ndim)), *weight.shape[2:])
    stride, dilation = _pair(s.listed("strides"), 1), _pair(s.listed("dilations"), 1)
    image, padding = _padded(s, image, Window(_pair(weight.shape[2:], 1), stride, dilation))
    groups, per_channel = s.integer("group", 1), w.type.quant is not None and w.type.quant.axis is not None
    if groups == image.shape[-1] and groups > 1:
        arranged = weight.transpose(1, 2, 3, 0).reshape(1, *weight.shape[2:], -1)
        kernel = s.moved(w, arranged, 3 if per_channel else None)
        bias = [s.bias(b, x, kernel)] if b else []
        y = s.result(ops.DepthwiseConv2D(stride, dilation, padding), image, kernel, *bias)
    else:
        y = _grouped(s, ops.Conv2D(stride, dilation, padding), image, w, weight.transpose(0, 2, 3, 1), b)
    return _channels_first(s, y, x.type.rank)


def _grouped(s: Scope, conv: ops.Conv2D, image: Value, w: Value, weight: Array, b: Value | None) -> Value:
    """Groups of channels, each with a convolution of its own."""
    groups, per_channel = s.integer("group", 1), w.type.quant is not None and w.type.quant.axis is not None
    if weight.shape[0] % groups or image.shape[-1] != groups * weight.shape[-1]:
        raise ModelError(f"convolution with {groups} groups over {image.shape[-1]} channels")
    inputs, outputs, parts = weight.shape[-1], weight.shape[0] // groups, []
    for group in range(groups):
        rows = slice(group * outputs, (group + 1) * outputs)
        kernel = s.moved(w, weight[rows], 0 if per_channel else None, rows if per_channel else None)
        bias = [s.bias(b, image, kernel, rows)] if b else []
        part = s.slice(image, 3, group * inputs, (group + 1) * inputs)
        parts.append(s.result(conv, part, kernel, *bias))
    return parts[0] if groups == 1 else s.result(ops.Concatenation(3), *parts)


@operator("ConvInteger")
def _conv_integer(s: Scope, x: Value, w: Value, _: Value | None = None, zero: Value | None = None) -> Value:
    """Of a file that quantizes as it runs: the real convolution, whose scale is multiplied in behind it."""
    data = s.data(w, "the weight of a convolution").astype(np.float32)
    points = 0 if zero is None else s.data(zero, "a zero point").astype(np.float32)
    return conv(s, x, s.const(data - np.reshape(points, (-1, *[1] * (data.ndim - 1))), "weight"))


@operator("ConvTranspose")
def _conv_transpose(s: Scope, x: Value, w: Value, b: Value | None = None) -> Value:
    """w [in, out / groups, height, width]; the result's size is what undoes the convolution, plus output_padding."""
    weight, groups = s.data(w, "the weight of a convolution"), s.integer("group", 1)
    if weight.ndim != x.type.rank or groups < 1 or weight.shape[0] != x.shape[1] or weight.shape[0] % groups:
        raise ModelError(f"transposed convolution of {x.shape} with a weight {weight.shape} in {groups} groups")
    image = _channels_last(s, x)
    kernel = weight.reshape(*weight.shape[:2], *([1] * (4 - weight.ndim)), *weight.shape[2:])
    stride, dilation = _pair(s.listed("strides"), 1), _pair(s.listed("dilations"), 1)
    kernel = dilated(kernel.transpose(1, 2, 3, 0), dilation)
    taps: Pair = (kernel.shape[1], kernel.shape[2])
    size, cut = _transposed_size(s, image, taps, stride)
    repeats, parts = stride[0] * stride[1], []
    per_channel = w.type.quant is not None and w.type.quant.axis is not None
    if per_channel and groups > 1:
        raise UnsupportedOpError("transposed convolution in groups with scales per channel", hint="quantize per tensor")
    for group, own in enumerate(np.split(kernel, groups, -1)):
        phases = phase_kernel(own, stride)
        held = s.moved(w, phases, 0 if per_channel else None, repeats=repeats if per_channel else 1)
        channels = slice(group * own.shape[0], (group + 1) * own.shape[0])

        def convolve(padded: Value, held: Value = held, channels: slice = channels) -> Value:
            bias = [s.bias(b, x, held, channels, repeats)] if b else []
            return s.result(ops.Conv2D(), padded, held, *bias)

        part = s.slice(image, 3, group * own.shape[3], (group + 1) * own.shape[3])
        spread = (phases.shape[1], phases.shape[2])
        parts.append(transposed_convolution(s, part, size, spread, stride, cut, convolve))
    y = parts[0] if groups == 1 else s.result(ops.Concatenation(3), *parts)
    return _channels_first(s, y, x.type.rank)


def _transposed_size(s: Scope, image: Value, taps: Pair, stride: Pair) -> tuple[Pair, Pair]:
    """Size of the result, and the rows and columns that padding removes before it."""
    full = [(n - 1) * t + k for n, t, k in zip(image.shape[1:3], stride, taps, strict=True)]
    extra, asked = _pair(s.listed("output_padding"), 0), s.listed("output_shape")
    mode, values = s.text("auto_pad", "NOTSET"), s.listed("pads") or ()
    if asked is None and mode in ("SAME_UPPER", "SAME_LOWER"):
        asked = tuple(n * t for n, t in zip(image.shape[1:3], stride, strict=True))
    if asked is not None:
        size = _pair(asked, 1)
        total = [max(n + e - want, 0) for n, e, want in zip(full, extra, size, strict=True)]
        before = [n - n // 2 if mode == "SAME_UPPER" else n // 2 for n in total]
        return size, (before[0], before[1])
    half = len(values) // 2
    (top, left), (bottom, right) = _pair(values[:half], 0), _pair(values[half:], 0)
    rows, columns = full[0] - top - bottom + extra[0], full[1] - left - right + extra[1]
    return (rows, columns), (top, left)


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
    dilation = _pair(s.listed("dilations"), 1)
    if (dilation != (1, 1) and s.node.op_type == "AveragePool") or any(s.node.output[1:]):
        raise UnsupportedOpError("average pooling with dilation, or places of maxima", hint="use neither")
    image = _channels_last(s, x)
    window = Window(_pair(s.listed("kernel_shape"), 1), _pair(s.listed("strides"), 1), dilation)
    pads, ceil = _pads(s, image, replace(window, padding="same")), bool(s.integer("ceil_mode", 0))
    if s.node.op_type == "MaxPool":
        y = max_pool(s.results, image, window, pads, ceil=ceil)
    else:
        counts = bool(s.integer("count_include_pad", 0))
        y = average_pool(s.results, image, window, pads, ceil=ceil, counts_padding=counts)
    return _channels_first(s, y, x.type.rank)


@operator("GlobalAveragePool", "GlobalMaxPool")
def _global_pool(s: Scope, x: Value) -> Value:
    axes = tuple(range(2, x.type.rank))
    return s.result(ops.Mean(axes, True) if s.node.op_type == "GlobalAveragePool" else ops.ReduceMax(axes, True), x)
