"""Pooling as PyTorch and ONNX have it, in terms of windows that lie inside the image or are padded as TFLite does."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from edgetx import ops
from edgetx.frontends.builder import Builder
from edgetx.ir import Value
from edgetx.ops.window import Pair, Window


def max_pool(s: Builder, image: Value, window: Window, pads: tuple[Pair, Pair], *, ceil: bool) -> Value:
    """The largest element of every window.

    Every window reaches into the image, so that repeating the border instead of padding changes no maximum.

    Args:
        s: The scope.
        image: [1, H, W, C].
        window: The window, without padding.
        pads: Rows and columns of padding, before and after.
        ceil: Whether the last window may reach beyond the padding.
    """
    around = _around(image, window, pads, ceil)
    if _is_same(image, window, around):
        return s.op(ops.MaxPool2D(window.size, window.stride, "same"), image)
    for axis, pair in enumerate(around, 1):
        if any(pair):
            indices = np.pad(np.arange(image.shape[axis]), pair, "edge")
            image = s.op(ops.Gather(axis, tuple(map(int, indices))), image)
    return s.op(ops.MaxPool2D(window.size, window.stride), image)


def average_pool(
    s: Builder, image: Value, window: Window, pads: tuple[Pair, Pair], *, ceil: bool, counts_padding: bool
) -> Value:
    """The mean of every window.

    Args:
        s: The scope.
        image: [1, H, W, C].
        window: The window, without padding.
        pads: Rows and columns of padding, before and after.
        ceil: Whether the last window may reach beyond the padding; what lies there is never counted.
        counts_padding: Whether padding counts as zeros.
    """
    around = _around(image, window, pads, ceil)
    if _is_same(image, window, around) and not counts_padding:
        return s.op(ops.AveragePool2D(window.size, window.stride, "same"), image)
    if any(map(any, around)):
        image_shape = image.shape
        image = s.op(ops.Pad(((0, 0), *around, (0, 0))), image)
    y = s.op(ops.AveragePool2D(window.size, window.stride), image)
    if not any(map(any, around)):
        return y
    counted = np.zeros((1, *image.shape[1:3], 1), np.float32)
    inside = [
        slice(0 if counts_padding else a[0], p[1] + a[0] + n if counts_padding else a[0] + n)
        for a, p, n in zip(around, pads, image_shape[1:3], strict=True)
    ]
    counted[:, inside[0], inside[1]] = 1
    share = window.patches(counted).mean((-1, -2))
    return y if (share == 1).all() else s.op(ops.Mul(), y, s.const(1 / share, "share"))


def _around(image: Value, window: Window, pads: tuple[Pair, Pair], ceil: bool) -> tuple[Pair, Pair]:
    """Padding, and what the last windows reach beyond it."""
    around = []
    sizes: Sequence[int] = image.shape[1:3]
    for n, (before, after), k, step in zip(sizes, pads, window.size, window.stride, strict=True):
        rest = (before + n + after - k) % step
        extra = step - rest if ceil and rest and before + n + after - rest - k + step < before + n else 0
        around.append((before, after + extra))
    rows, columns = around
    return rows, columns


def _is_same(image: Value, window: Window, around: tuple[Pair, Pair]) -> bool:
    return any(map(any, around)) and replace(window, padding="same").pads(image.type) == around
