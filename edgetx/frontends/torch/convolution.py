"""ATen convolutions, batch normalization and pooling.

Torch's channels-first layout is left and entered again around each op; the passes remove what cancels.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgetx import ops
from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.frontends.composites import along, group_norm
from edgetx.frontends.pooling import adaptive_average_pool, adaptive_max_pool, average_pool, max_pool
from edgetx.frontends.torch.movement import pieces
from edgetx.frontends.torch.scope import Scope, aten, reshape, transpose, values_only
from edgetx.frontends.torch.selection import gather
from edgetx.frontends.transposed import dilated, phase_kernel, transposed_convolution
from edgetx.ir import Array, Value
from edgetx.ops.window import Pair, Window


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


@aten("convolution.default")
def _any_convolution(
    s: Scope, x: Value, w: Value, b: Value | None, stride: Any, padding: Any, dilation: Any, transposed: bool,
    output_padding: Any, groups: int,
) -> Value:  # fmt: skip
    """What core ATen has for convolutions of every kind."""
    if transposed:
        return _conv_transpose(s, x, w, b, stride, padding, output_padding, groups, dilation)
    return _conv(s, x, w, b, stride, padding, dilation, groups)


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


def _pooling(
    s: Scope, x: Value, kernel: Any, stride: Any, padding: Any, dilation: Any = 1
) -> tuple[Value, Window, tuple[Pair, Pair]]:
    """The image, the window and the padding around."""
    rank = _pool_rank(s)
    size = _pair(kernel, rank, 1)
    border = _pair(padding, rank, 0)
    step = _pair(stride if stride not in ([], None, ()) else kernel, rank, 1)
    window = Window(size, step, _pair(dilation, rank, 1))
    return _channels_last(s, _batched(s, x, rank)), window, ((border[0],) * 2, (border[1],) * 2)


@aten("avg_pool2d.default", "avg_pool1d.default")
def _avg_pool(
    s: Scope, x: Value, kernel: Any, stride: Any = (), padding: Any = 0, ceil: bool = False, pads_count: bool = True,
    divisor: int | None = None,
) -> Value:  # fmt: skip
    image, window, border = _pooling(s, x, kernel, stride, padding)
    y = average_pool(s, image, window, border, ceil=ceil, counts_padding=pads_count or bool(divisor))
    if divisor:
        y = s.op(ops.Mul(), y, s.const(np.array([window.size[0] * window.size[1] / divisor]), "share"))
    return _channels_first(s, y, _pool_rank(s))


@aten("max_pool2d.default", "max_pool1d.default")
def _max_pool(
    s: Scope, x: Value, kernel: Any, stride: Any = (), padding: Any = 0, dilation: Any = 1, ceil: bool = False
) -> Value:
    y = max_pool(s, *_pooling(s, x, kernel, stride, padding, dilation), ceil=ceil)
    return _channels_first(s, y, _pool_rank(s))


@aten("max_pool2d_with_indices.default", "max_pool1d_with_indices.default")
def _max_pool_with_places(s: Scope, x: Value, *settings: Any) -> tuple[Value, ...]:
    values_only(s)
    defaults: tuple[Any, ...] = ((), 0, 1, False)
    kernel, stride, padding, dilation, ceil = (*settings, *defaults[len(settings) - 1 :])
    y = max_pool(s, *_pooling(s, x, kernel, stride, padding, dilation), ceil=ceil)
    image = reshape(s, y, (y.shape[0], *y.shape[1 + 4 - _pool_rank(s) :]))
    return (transpose(s, image, [0, image.type.rank - 1, *range(1, image.type.rank - 1)]),) * 2


@aten("adaptive_max_pool1d.default", "adaptive_max_pool2d.default")
def _adaptive_max_pool(s: Scope, x: Value, size: Any) -> tuple[Value, ...]:
    values_only(s)
    if all(np.ravel(size) == 1):
        axes = tuple(range(x.type.rank - _pool_rank(s) + 2, x.type.rank))
        return (s.op(ops.ReduceMax(axes, True), x),) * 2
    y = adaptive_max_pool(s, _channels_last(s, _batched(s, x, _pool_rank(s))), _adaptive_size(x, size, _pool_rank(s)))
    image = reshape(s, y, (y.shape[0], *y.shape[1 + 4 - _pool_rank(s) :]))
    return (transpose(s, image, [0, image.type.rank - 1, *range(1, image.type.rank - 1)]),) * 2


def _adaptive_size(x: Value, size: Any, rank: int) -> Pair:
    """Rows and columns of the result; None keeps those of the image."""
    listed = list(size) if isinstance(size, list | tuple) else [size] * (rank - 2)
    wanted = [n if m is None else m for m, n in zip(listed, x.shape[-len(listed) :], strict=True)]
    return _pair(wanted, rank, 1)


@aten("adaptive_avg_pool1d.default", "adaptive_avg_pool2d.default", "_adaptive_avg_pool2d.default")
def _adaptive_avg_pool(s: Scope, x: Value, size: Any) -> Value:
    rank = _pool_rank(s)
    if all(np.ravel(size) == 1):
        return s.op(ops.Mean(tuple(range(x.type.rank - rank + 2, x.type.rank)), True), x)
    y = adaptive_average_pool(s, _channels_last(s, _batched(s, x, rank)), _adaptive_size(x, size, rank))
    return _channels_first(s, y, rank)


@aten("conv_transpose1d.default", "conv_transpose2d.input")
def _conv_transpose(
    s: Scope, x: Value, w: Value, b: Value | None = None, stride: Any = 1, padding: Any = 0, output_padding: Any = 0,
    groups: int = 1, dilation: Any = 1,
) -> Value:  # fmt: skip
    """w [in, out / groups, height, width]."""
    weight = s.data(w, "the weight of a convolution")
    rank = weight.ndim
    weight = weight.reshape(*weight.shape[:2], *([1] * (4 - rank)), *weight.shape[2:]).transpose(1, 2, 3, 0)
    image, step, spread = _channels_last(s, _batched(s, x, rank)), _pair(stride, rank, 1), _pair(dilation, rank, 1)
    kernel = dilated(weight, spread)
    cut, extra = _pair(padding, rank, 0), _pair(output_padding, rank, 0)
    sizes = [
        (n - 1) * t + k - 2 * c + e
        for n, t, k, c, e in zip(image.shape[1:3], step, kernel.shape[1:3], cut, extra, strict=True)
    ]
    bias, repeats = s.data(b, "the bias") if b else np.zeros(groups * weight.shape[0]), step[0] * step[1]
    parts = []
    for part, taps, shift in zip(
        pieces(s, image, [image.shape[-1] // groups] * groups, 3),
        np.split(kernel, groups, -1),
        np.split(bias, groups),
        strict=True,
    ):
        phases, own = phase_kernel(taps, step), s.const(np.tile(shift, repeats), "bias")

        def convolve(padded: Value, phases: Array = phases, own: Value = own) -> Value:
            return s.op(ops.Conv2D(), padded, s.const(phases, "weight"), own)

        size = (phases.shape[1], phases.shape[2])
        parts.append(transposed_convolution(s, part, (sizes[0], sizes[1]), size, step, cut, convolve))
    y = parts[0] if groups == 1 else s.op(ops.Concatenation(3), *parts, suffix=".groups")
    return _channels_first(s, y, rank)


@aten("group_norm.default")
def _group_norm(
    s: Scope, x: Value, groups: int, gamma: Value | None = None, beta: Value | None = None, epsilon: float = 1e-5,
    *_: object,
) -> Value:  # fmt: skip
    gain, shift = (None if v is None else s.data(v, "a parameter of a normalization") for v in (gamma, beta))
    return group_norm(s, x, groups, epsilon, gain, shift)


@aten("native_group_norm.default")
def _native_group_norm(
    s: Scope, x: Value, gamma: Value | None, beta: Value | None, _: int, __: int, ___: int, groups: int, epsilon: float
) -> Value:
    values_only(s)
    return _group_norm(s, x, groups, gamma, beta, epsilon)


@aten("_native_batch_norm_legit.no_stats")
def _norm_of_batch(
    s: Scope, x: Value, gamma: Value | None, beta: Value | None, _: bool, __: float, epsilon: float
) -> Value:
    """Of every channel over the clip, which instance normalization comes down to."""
    values_only(s)
    return _group_norm(s, x, x.shape[1], gamma, beta, epsilon)


@aten("instance_norm.default")
def _instance_norm(
    s: Scope, x: Value, gamma: Value | None, beta: Value | None, mean: Value | None, variance: Value | None,
    of_input: bool, _: float, epsilon: float, *__: object,
) -> Value:  # fmt: skip
    if not of_input and mean is not None and variance is not None:
        return _batch_norm(s, x, gamma, beta, mean, variance, False, 0.0, epsilon)
    return _group_norm(s, x, x.shape[1], gamma, beta, epsilon)


@aten(
    "upsample_nearest1d.vec", "upsample_nearest2d.vec", "_upsample_nearest_exact1d.vec", "_upsample_nearest_exact2d.vec"
)
def _upsample_nearest(s: Scope, x: Value, *_: object) -> Value:
    middle = 0.5 if "exact" in str(s.node.target) else 0.0
    for axis in range(2, x.type.rank):
        n, m = x.shape[axis], s.shape[axis]
        x = gather(s, x, axis, np.minimum(((np.arange(m) + middle) * n / m).astype(int), n - 1))
    return x


@aten("upsample_linear1d.vec", "upsample_bilinear2d.vec")
def _upsample_linear(
    s: Scope, x: Value, _: object, align_corners: bool, factors: Sequence[float] | None = None
) -> Value:
    wanted = s.shape[2:]
    if factors and any(abs(n * f - m) > 1e-3 for n, f, m in zip(x.shape[2:], factors, wanted, strict=True)):
        raise UnsupportedOpError(f"resizing of {x.shape} by {list(factors)}", hint="name the size instead")
    size = (1, wanted[0]) if len(wanted) == 1 else (wanted[0], wanted[1])
    y = s.op(ops.ResizeBilinear(size, align_corners, not align_corners), _channels_last(s, x))
    return _channels_first(s, y, x.type.rank)


@aten("upsample_bicubic2d.vec")
def _upsample_cubic(
    s: Scope, x: Value, _: object, align_corners: bool, factors: Sequence[float] | None = None
) -> Value:
    for axis in (2, 3):
        matrix = _cubic(x.shape[axis], s.shape[axis], align_corners, factors[axis - 2] if factors else None)
        x = along(s, x, axis, matrix)
    return x


def _cubic(n: int, m: int, align_corners: bool, factor: float | None) -> Array:
    """Weights [m, n] of n rows in each of m, by torch's cubic with a = −0.75."""
    step = (n - 1) / max(m - 1, 1) if align_corners else 1 / factor if factor else n / m
    at = np.arange(m) * step if align_corners else (np.arange(m) + 0.5) * step - 0.5
    weights, whole = np.zeros((m, n)), np.floor(at).astype(int)
    for tap in range(-1, 3):
        d = np.abs(at - whole - tap)
        near, far = (1.25 * d - 2.25) * d * d + 1, ((-0.75 * d + 3.75) * d - 6) * d + 3
        np.add.at(weights, (np.arange(m), np.clip(whole + tap, 0, n - 1)), np.where(d <= 1, near, far))
    return weights
