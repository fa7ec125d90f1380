"""Transposed convolutions as convolutions: one for every phase of the stride, whose results are interleaved.

y[q · s + r] = Σ x[q − j] · w[j · s + r] over j is, for each phase r, a convolution with every s-th tap. All phases are
channels of one convolution; no product with inserted zeros is computed, and integers add up to the same sums.
"""

import math
from collections.abc import Callable

import numpy as np

from edgetx import ops
from edgetx.errors import ModelError
from edgetx.frontends.builder import Builder, part
from edgetx.frontends.builder_scope import MAX_ELEMENTS
from edgetx.ir import Array, Value
from edgetx.ops.window import Pair


def phase_kernel(weight: Array, stride: Pair) -> Array:
    """Weights of the convolution that makes all phases.

    Args:
        weight: [out, height, width, in] as of a convolution from the small image to the large one, tap by tap.
        stride: Rows and columns between the results of neighbours.

    Returns:
        [rows · columns · out, taps, taps, in].

    Raises:
        ModelError: If they are absurdly many.
    """
    out, height, width, channels = weight.shape
    taps = [-(-n // s) for n, s in zip((height, width), stride, strict=True)]
    _check_size(out, channels, *taps, *stride)
    rest = [n * s - size for n, s, size in zip(taps, stride, (height, width), strict=True)]
    padded = np.pad(weight, ((0, 0), (0, rest[0]), (0, rest[1]), (0, 0)))
    split = padded.reshape(out, taps[0], stride[0], taps[1], stride[1], channels)
    phases = split.transpose(2, 4, 0, 1, 3, 5)[:, :, :, ::-1, ::-1]
    return np.ascontiguousarray(phases.reshape(-1, *taps, channels))


def dilated(kernel: Array, dilation: Pair) -> Array:
    """The taps of [out, height, width, in] with zeros between them.

    Raises:
        ModelError: If they are absurdly many.
    """
    out, height, width, channels = kernel.shape
    rows, columns = ((n - 1) * d + 1 for n, d in zip((height, width), dilation, strict=True))
    _check_size(out, rows, columns, channels)
    spread = np.zeros((out, rows, columns, channels), kernel.dtype)
    spread[:, :: dilation[0], :: dilation[1]] = kernel
    return spread


def _check_size(*shape: int) -> None:
    if math.prod(shape) > MAX_ELEMENTS:
        raise ModelError(f"a transposed convolution with weights for {math.prod(shape):,} taps")


def transposed_convolution(
    s: Builder, image: Value, size: Pair, taps: Pair, stride: Pair, cut: Pair, convolve: Callable[[Value], Value]
) -> Value:
    """The larger image.

    Args:
        s: The scope.
        image: [1, H, W, in].
        size: Height and width of the result.
        taps: Those of the phase kernel.
        stride: As above.
        cut: Rows and columns that padding removes before the result.
        convolve: Applies the phase kernel to an image, without padding.

    Returns:
        [1, height, width, out].
    """
    counts = [-(-(before + n) // t) for before, n, t in zip(cut, size, stride, strict=True)]
    pads = [(k - 1, count - n) for k, count, n in zip(taps, counts, image.shape[1:3], strict=True)]
    for axis, (_, after) in enumerate(pads, 1):
        if after < 0:
            image = part(s, image, axis, 0, counts[axis - 1])
    around = ((0, 0), *((before, max(after, 0)) for before, after in pads), (0, 0))
    if any(map(any, around)):
        image = s.op(ops.Pad(around), image)
    y = convolve(image)
    rows, columns = stride
    channels = y.shape[-1] // (rows * columns)
    if (rows, columns) != (1, 1):
        y = s.op(ops.Reshape((1, counts[0], counts[1], rows, columns, channels)), y)
        if rows > 1:
            y = s.op(ops.Transpose((0, 1, 3, 2, 4, 5)), y)
        y = s.op(ops.Reshape((1, counts[0] * rows, counts[1] * columns, channels)), y)
    for axis, (before, n) in enumerate(zip(cut, size, strict=True), 1):
        y = part(s, y, axis, before, before + n)
    return y
