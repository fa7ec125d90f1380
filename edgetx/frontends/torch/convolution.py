"""ATen convolutions, batch normalization and pooling.

Torch's channels-first layout is left and entered again around each op; the passes remove what cancels.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgetx import ops
from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.frontends.torch.movement import pieces
from edgetx.frontends.torch.scope import Scope, aten, reshape, transpose, values_only
from edgetx.frontends.torch.selection import gather
from edgetx.ir import Array, Value


def _channels_last(s: Scope, x: Value) -> Value:
    """[N, C, T] or [N, C, H, W] to [N, H, W, C], with H = 1 for one spatial axis."""
    last = transpose(s, x, [0, *range(2, x.type.rank), 1])
    return reshape(s, last, (last.shape[0], *([1] * (4 - last.type.rank)), *last.shape[1:]))


def _channels_first(s: Scope, x: Value, rank: int) -> Value:
    last = reshape(s, x, (x.shape[0], *x.shape[1 + 4 - rank :]))
    return reshape(s, transpose(s, last, [0, rank - 1, *range(1, rank - 1)]), s.shape)


def _batched(s: Scope, x: Value, rank: int) -> Value:
    """The operand of a convolution or pooling, which torch also takes without its first axis."""
    return reshape(s, x, (*[1] * (rank - x.type.rank), *x.shape))


def _pair(values: Sequence[int] | int, rank: int, fill: int) -> tuple[int, int]:
    listed = [values] * (rank - 2) if isinstance(values, int) else list(values)
    listed = listed * (rank - 2) if len(listed) == 1 else listed
    first, second = [fill] * (4 - rank) + listed
    return first, second


def _padded(s: Scope, x: Value, padding: tuple[int, int]) -> Value:
    if padding == (0, 0):
        return x
    (h, w) = padding
    return s.op(ops.Pad(((0, 0), (h, h), (w, w), (0, 0))), x, suffix=".pad")


@aten("conv1d.default", "conv2d.default")
def _conv(
    s: Scope, x: Value, w: Value, b: Value | None = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    groups: int = 1,
) -> Value:  # fmt: skip
    weight = s.data(w, "the weight of a convolution")
    rank = weight.ndim
    bias = s.data(b, "the bias") if b else np.zeros(weight.shape[0])
    weight = weight.reshape(*weight.shape[:2], *([1] * (4 - rank)), *weight.shape[2:])
    image = _padded(s, _channels_last(s, _batched(s, x, rank)), _pair(padding, rank, 0))
    strides, dilations = _pair(stride, rank, 1), _pair(dilation, rank, 1)
    if groups == image.shape[-1] > 1:
        kernel = s.const(weight.transpose(1, 2, 3, 0).reshape(1, *weight.shape[2:], -1), "weight")
        y = s.op(ops.DepthwiseConv2D(strides, dilations), image, kernel, s.const(bias, "bias"))
    else:
        y = _grouped(s, ops.Conv2D(strides, dilations), image, weight.transpose(0, 2, 3, 1), bias, groups)
    return _channels_first(s, y, rank)


def _grouped(s: Scope, conv: ops.Conv2D, image: Value, weight: Array, bias: Array, groups: int) -> Value:
    images = pieces(s, image, [image.shape[-1] // groups] * groups, 3)
    parts = zip(images, np.split(weight, groups), np.split(bias, groups), strict=True)
    ys = [s.op(conv, part, s.const(w, "weight"), s.const(b, "bias")) for part, w, b in parts]
    return ys[0] if groups == 1 else s.op(ops.Concatenation(3), *ys, suffix=".groups")


@aten("conv1d.padding", "conv2d.padding")
def _conv_padding(
    s: Scope, x: Value, w: Value, b: Value | None = None, stride: Any = 1, padding: str = "valid", dilation: Any = 1,
    groups: int = 1,
) -> Value:  # fmt: skip
    if padding == "valid":
        return _conv(s, x, w, b, stride, 0, dilation, groups)
    spans = [(k - 1) * d for k, d in zip(w.shape[2:], np.broadcast_to(dilation, w.type.rank - 2), strict=True)]
    pads = [*[(0, 0)] * (x.type.rank - len(spans)), *((n // 2, n - n // 2) for n in spans)]
    padded = s.op(ops.Pad(tuple((int(a), int(b)) for a, b in pads)), x) if any(spans) else x
    return _conv(s, padded, w, b, stride, 0, dilation, groups)


@aten("batch_norm.default")
def _batch_norm(
    s: Scope, x: Value, gamma: Value | None, beta: Value | None, mean: Value, var: Value, training: bool,
    _: float, epsilon: float, *__: object,
) -> Value:  # fmt: skip
    if training:
        raise ModelError("batch normalization in training mode", hint="export model.eval()")
    gain = 1 / np.sqrt(s.data(var, "the variance") + epsilon)
    gain = gain * s.data(gamma, "gamma") if gamma else gain
    shift = -s.data(mean, "the mean") * gain + (s.data(beta, "beta") if beta else 0)
    last = transpose(s, x, [0, *range(2, x.type.rank), 1])
    y = s.op(ops.Add(), s.op(ops.Mul(), last, s.const(gain, "gain")), s.const(shift, "shift"))
    return transpose(s, y, [0, x.type.rank - 1, *range(1, x.type.rank - 1)])


@aten("_native_batch_norm_legit_no_training.default")
def _batch_norm_inference(
    s: Scope, x: Value, gamma: Value | None, beta: Value | None, mean: Value, var: Value, _: float, epsilon: float
) -> Value:
    return _batch_norm(s, x, gamma, beta, mean, var, False, 0.0, epsilon)


def _pool_rank(s: Scope) -> int:
    return 4 if "2d" in str(s.node.target) else 3


def _pool(
    s: Scope, image: Value, rank: int, kind: type[ops.AveragePool2D | ops.MaxPool2D], kernel: Any, stride: Any
) -> Value:
    pool = kind(_pair(kernel, rank, 1), _pair(stride if stride not in ([], None) else kernel, rank, 1))
    return _channels_first(s, s.op(pool, image), rank)


@aten("avg_pool2d.default", "avg_pool1d.default")
def _avg_pool(
    s: Scope, x: Value, kernel: Any, stride: Any = (), padding: Any = 0, ceil: bool = False, pads_count: bool = True,
    divisor: int | None = None,
) -> Value:  # fmt: skip
    if ceil or divisor:
        raise UnsupportedOpError("average pooling with ceil_mode or divisor_override")
    rank = _pool_rank(s)
    image, border = _channels_last(s, _batched(s, x, rank)), _pair(padding, rank, 0)
    if any(border) and not pads_count:
        return _channels_first(s, _mean_of_existing(s, image, _pair(kernel, rank, 1), stride, border), rank)
    return _pool(s, _padded(s, image, border), rank, ops.AveragePool2D, kernel, stride)


def _mean_of_existing(s: Scope, image: Value, size: tuple[int, int], stride: Any, border: tuple[int, int]) -> Value:
    """Padding that does not count, as TFLite's "same" padding has it."""
    if any(np.ravel(stride) != 1) or size != (2 * border[0] + 1, 2 * border[1] + 1):
        hint = "pool an odd number of elements around each, or set count_include_pad"
        raise UnsupportedOpError("average pooling without count_include_pad that changes the size", hint=hint)
    return s.op(ops.AveragePool2D(size, (1, 1), "same"), image)


@aten("max_pool2d.default", "max_pool1d.default")
def _max_pool(
    s: Scope, x: Value, kernel: Any, stride: Any = (), padding: Any = 0, dilation: Any = 1, ceil: bool = False
) -> Value:
    """Every window reaches into the image, so that repeating its border changes no maximum."""
    if ceil or any(np.ravel(dilation) != 1):
        raise UnsupportedOpError("max pooling with dilation or ceil_mode", hint="use kernel, stride and padding only")
    rank = _pool_rank(s)
    image = _channels_last(s, _batched(s, x, rank))
    for axis, pad in enumerate(_pair(padding, rank, 0), 1):
        image = gather(s, image, axis, np.pad(np.arange(image.shape[axis]), pad, "edge"))
    return _pool(s, image, rank, ops.MaxPool2D, kernel, stride)


@aten("adaptive_max_pool1d.default", "adaptive_max_pool2d.default")
def _adaptive_max_pool(s: Scope, x: Value, size: Any) -> tuple[Value, ...]:
    values_only(s)
    if any(np.ravel(size) != 1):
        raise UnsupportedOpError(f"adaptive pooling to {size}", hint="pool to 1, or with a fixed kernel")
    axes = tuple(range(x.type.rank - _pool_rank(s) + 2, x.type.rank))
    return (s.op(ops.ReduceMax(axes, True), x),) * 2


@aten("adaptive_avg_pool1d.default", "adaptive_avg_pool2d.default", "_adaptive_avg_pool2d.default")
def _adaptive_avg_pool(s: Scope, x: Value, size: Any) -> Value:
    if any(np.ravel(size) != 1):
        raise UnsupportedOpError(f"adaptive pooling to {size}", hint="pool to 1, or with a fixed kernel")
    return s.op(ops.Mean(tuple(range(x.type.rank - _pool_rank(s) + 2, x.type.rank)), True), x)
