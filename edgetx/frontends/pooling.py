"""Pooling as PyTorch and ONNX have it, in terms of windows that lie inside the image or are padded as TFLite does."""

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

import numpy as np

from edgetx import ops
from edgetx.errors import ModelError
from edgetx.frontends.builder import Builder, part
from edgetx.frontends.composites import along
from edgetx.ir import Value
from edgetx.ops.window import Pair, Window

LARGEST_DILATED = 256
"""Taps of a dilated window along an axis, each of which is an operator of its own."""


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
    if window.dilation != (1, 1):
        return _dilated_max_pool(s, image, window, around)
    if _is_same(image, window, around):
        return s.op(ops.MaxPool2D(window.size, window.stride, "same"), image)
    for axis, pair in enumerate(around, 1):
        if any(pair):
            indices = np.pad(np.arange(image.shape[axis]), pair, "edge")
            image = s.op(ops.Gather(axis, tuple(map(int, indices))), image)
    return s.op(ops.MaxPool2D(window.size, window.stride), image)


def _dilated_max_pool(s: Builder, image: Value, window: Window, around: tuple[Pair, Pair]) -> Value:
    """The largest of what every tap of the window sees, along one axis after the other."""
    for axis, (n, (before, after)) in enumerate(zip(window.size, around, strict=True), 1):
        if n > LARGEST_DILATED:
            raise ModelError(f"a dilated pool over {n} elements", hint=f"pool over no more than {LARGEST_DILATED}")
        step, spread, size = window.stride[axis - 1], window.dilation[axis - 1], image.shape[axis]
        count = (before + size + after - (n - 1) * spread - 1) // step + 1
        places = np.arange(count) * step - before + np.arange(n)[:, None] * spread
        inside = (places >= 0) & (places < size)
        taken = np.where(
            inside, places, places[inside.argmax(0), np.arange(count)]
        )  # beyond the image the first within
        seen = [s.op(ops.Gather(axis, tuple(map(int, np.clip(tap, 0, size - 1)))), image) for tap in taken]
        image = reduce(lambda a, b: s.op(ops.Maximum(), a, b), seen)
    return image


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
    reach = [(k - 1) * d + 1 for k, d in zip(window.size, window.dilation, strict=True)]
    for n, (before, after), k, step in zip(sizes, pads, reach, window.stride, strict=True):
        if not 0 <= min(before, after) <= max(before, after) < k:
            raise ModelError(f"padding of {before} and {after} around windows of {k}")
        rest = (before + n + after - k) % step
        extra = step - rest if ceil and rest and before + n + after - rest - k + step < before + n else 0
        around.append((before, after + extra))
    rows, columns = around
    return rows, columns


def _is_same(image: Value, window: Window, around: tuple[Pair, Pair]) -> bool:
    return any(map(any, around)) and replace(window, padding="same").pads(image.type) == around


def adaptive_average_pool(s: Builder, image: Value, size: Pair) -> Value:
    """[1, H, W, C] to [1, height, width, C]: means over windows that may overlap and differ in size."""
    if not any(n % m for n, m in zip(image.shape[1:3], size, strict=True)):
        window = (image.shape[1] // size[0], image.shape[2] // size[1])
        return s.op(ops.AveragePool2D(window, window), image)
    for axis, m in enumerate(size, 1):
        n = image.shape[axis]
        weight = np.zeros((m, n), np.float32)
        for row, (begin, end) in zip(weight, _bins(n, m), strict=True):
            row[begin:end] = 1 / (end - begin)
        image = along(s, image, axis, weight)
    return image


def adaptive_max_pool(s: Builder, image: Value, size: Pair) -> Value:
    """[1, H, W, C] to [1, height, width, C], as above."""
    for axis, m in enumerate(size, 1):
        parts = [part(s, image, axis, begin, end) for begin, end in _bins(image.shape[axis], m)]
        largest = [s.op(ops.ReduceMax((axis,), True), p) for p in parts]
        image = largest[0] if m == 1 else s.op(ops.Concatenation(axis), *largest)
    return image


def _bins(n: int, m: int) -> list[Pair]:
    """Where each of m windows over n elements begins and ends."""
    return [(i * n // m, -(-(i + 1) * n // m)) for i in range(m)]
