"""Operators that are several ops of ours, which every frontend writes alike."""

from collections.abc import Sequence

import numpy as np

from edgetx import ops
from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.frontends.builder import Builder, part
from edgetx.ir import Array, Value
from edgetx.ops.attention import HIDDEN

LONGEST_PRODUCT = 64

LARGEST_FILL = 1e6
"""Beyond it the range of integers would hold nothing but the padding."""
LARGEST_BAND = 4096
"""Elements along an axis that are added up by a matrix."""


def cumulative_sum(s: Builder, x: Value, axis: int, *, exclusive: bool = False, backwards: bool = False) -> Value:
    """Sums of the elements up to each, as a product with a triangle of ones.

    Args:
        s: The scope.
        x: The operand.
        axis: The axis, counted from the front.
        exclusive: Whether the element itself is left out.
        backwards: Whether the sums begin at the end.

    Raises:
        ModelError: If the axis is absurdly long for a matrix.
    """
    if x.shape[axis] > LARGEST_BAND:
        raise ModelError(f"sums along {x.shape[axis]} elements", hint=f"add up no more than {LARGEST_BAND}")
    triangle = np.tri(x.shape[axis], k=-int(exclusive))
    return along(s, x, axis, triangle[::-1, ::-1] if backwards else triangle)


def layer_norm(s: Builder, x: Value, count: int, gain: Value, shift: Value, epsilon: float) -> Value:
    """Normalization over the last `count` axes, of which gain and shift have the shape."""
    if count == 1:
        return s.op(ops.LayerNorm(epsilon), x, gain, shift)
    lead = x.shape[: x.type.rank - count]
    size = gain.type.size
    rows, flat = s.op(ops.Reshape((*lead, size)), x), [s.op(ops.Reshape((size,)), v) for v in (gain, shift)]
    return s.op(ops.Reshape(x.shape), s.op(ops.LayerNorm(epsilon), rows, *flat))


def group_norm(s: Builder, x: Value, groups: int, epsilon: float, gain: Array | None, shift: Array | None) -> Value:
    """Every group of channels of [1, channels, …] is normalized; then each channel has its gain and shift."""
    channels = x.shape[1]
    if groups < 1 or channels % groups or x.shape[0] != 1:
        raise ModelError(f"{groups} groups of {channels} channels, a batch of {x.shape[0]}")
    rows = s.op(ops.Reshape((groups, x.type.size // groups)), x)
    size = rows.shape[-1:]
    unit = s.const(np.ones(size, np.float32), "one"), s.const(np.zeros(size, np.float32), "none")
    y = s.op(ops.Reshape(x.shape), s.op(ops.LayerNorm(epsilon), rows, *unit))
    shape = (-1, *[1] * (x.type.rank - 2))
    y = y if gain is None else s.op(ops.Mul(), y, s.const(gain.reshape(shape), "gain"))
    return y if shift is None else s.op(ops.Add(), y, s.const(shift.reshape(shape), "shift"))


def prelu(s: Builder, x: Value, slope: Value | Array) -> Value:
    """A leaky ReLU whose slope broadcasts against the operand; a single slope needs no op of its own."""
    if isinstance(slope, np.ndarray):
        if (slope == slope.flat[0]).all():
            return s.op(ops.LeakyRelu(float(slope.flat[0])), x)
        slope = s.const(slope, "slope")
    below = s.op(ops.Mul(), s.op(ops.Relu(), s.op(ops.Neg(), x)), slope)
    return s.op(ops.Sub(), s.op(ops.Relu(), x), below)


def power(s: Builder, x: Value, exponent: Value) -> Value:
    """x to the power of numbers that differ or are computed, for x above zero."""
    return s.op(ops.Exp(), s.op(ops.Mul(), s.op(ops.Log(), x), exponent))


def sign(s: Builder, x: Value) -> Value:
    """1 above zero, −1 below."""
    return s.op(ops.Sub(), s.op(ops.Step(), x), s.op(ops.Step(), s.op(ops.Neg(), x)))


def floored_quotient(s: Builder, x: Value, divisor: Value, *, is_whole: bool) -> Value:
    """⌊x / d⌋; whole numbers are moved by half a step of the quotient, so that 49 / 49 is not below 1."""
    share = s.op(ops.Power(-1.0), divisor)
    quotient = s.op(ops.Mul(), x, share)
    if is_whole:
        half = s.op(ops.Mul(), s.op(ops.Abs(), share), s.const(np.array([0.5], np.float32), "half"))
        quotient = s.op(ops.Add(), quotient, half)
    return s.op(ops.Floor(), quotient)


def truncated_quotient(s: Builder, x: Value, divisor: Value) -> Value:
    """x / d without its fraction, of whole numbers."""
    size = floored_quotient(s, s.op(ops.Abs(), x), s.op(ops.Abs(), divisor), is_whole=True)
    return s.op(ops.Mul(), size, s.op(ops.Mul(), sign(s, x), sign(s, divisor)))


def remainder(s: Builder, x: Value, divisor: Value, *, is_whole: bool = False) -> Value:
    """x − d · ⌊x / d⌋, which has the sign of d."""
    whole = floored_quotient(s, x, divisor, is_whole=is_whole)
    return s.op(ops.Sub(), x, s.op(ops.Mul(), whole, divisor))


def truncated_remainder(s: Builder, x: Value, divisor: Value) -> Value:
    """The rest of a division cut off towards zero, which has the sign of x."""
    return s.op(ops.Mul(), sign(s, x), remainder(s, s.op(ops.Abs(), x), s.op(ops.Abs(), divisor)))


def ceil(s: Builder, x: Value) -> Value:
    """⌈x⌉ = −⌊−x⌋."""
    return s.op(ops.Neg(), s.op(ops.Floor(), s.op(ops.Neg(), x)))


def cosine(s: Builder, x: Value) -> Value:
    """sin(x + π / 2)."""
    return s.op(ops.Sin(), s.op(ops.Add(), x, s.const(np.array([np.pi / 2], np.float32), "quarter")))


def hyperbolic(s: Builder, x: Value, *, odd: bool) -> Value:
    """(eˣ − e⁻ˣ) / 2 if odd, else (eˣ + e⁻ˣ) / 2."""
    up, down = s.op(ops.Exp(), x), s.op(ops.Exp(), s.op(ops.Neg(), x))
    both = s.op(ops.Sub() if odd else ops.Add(), up, down)
    return s.op(ops.Mul(), both, s.const(np.array([0.5], np.float32), "half"))


def along(s: Builder, x: Value, axis: int, weight: Array) -> Value:
    """Every row along an axis multiplied by a matrix [size of the result, size of the axis]."""
    order = [i for i in range(x.type.rank) if i != axis] + [axis]
    last = x if axis == order[axis] else s.op(ops.Transpose(tuple(order)), x)
    y = s.op(ops.FullyConnected(), last, s.const(weight.astype(np.float32), "weight"))
    return y if last is x else s.op(ops.Transpose(tuple(map(int, np.argsort(order)))), y)


def distances(s: Builder, a: Value, b: Value) -> Value:
    """Euclidean distances of every row of a from every row of b, [..., rows of a, rows of b]."""
    rows = s.op(ops.Reshape((*a.shape[:-1], 1, a.shape[-1])), a)
    columns = s.op(ops.Reshape((*b.shape[:-2], 1, *b.shape[-2:])), b)
    return s.op(ops.Sqrt(), total(s, s.op(ops.Square(), s.op(ops.Sub(), rows, columns)), (a.type.rank,)))


def total(s: Builder, x: Value, axes: tuple[int, ...], *, keepdims: bool = False) -> Value:
    """The sum over axes."""
    mean = ops.Mean(axes, keepdims)
    return s.op(ops.Mul(), s.op(mean, x), s.const(np.array([mean.count(x.type)], np.float32), "count"))


def product(s: Builder, x: Value, axis: int, *, keepdims: bool) -> Value:
    """The product over an axis, in halves.

    Raises:
        UnsupportedOpError: If the axis is longer than what integers could follow.
    """
    if not 0 < x.shape[axis] <= LONGEST_PRODUCT:
        raise UnsupportedOpError(f"a product of {x.shape[axis]} factors", hint="add up logarithms")
    parts = [part(s, x, axis, i, i + 1) for i in range(x.shape[axis])]
    while len(parts) > 1:
        rest = parts[-1:] if len(parts) % 2 else []
        parts = [s.op(ops.Mul(), a, b) for a, b in zip(parts[::2], parts[1::2], strict=False)] + rest
    shape = (*x.shape[:axis], *([1] if keepdims else []), *x.shape[axis + 1 :])
    return s.op(ops.Reshape(shape), parts[0])


def local_response_norm(
    s: Builder, x: Value, axis: int, band: tuple[int, int, float], bias: float, beta: float
) -> Value:
    """x divided by a power of what its neighbours along an axis add up to.

    Args:
        s: The scope.
        x: The operand.
        axis: The axis.
        band: How many neighbours before and behind count, and with what factor.
        bias: What is added to the sum.
        beta: The power.

    Raises:
        ModelError: If the axis is absurdly long for a matrix of neighbours.
    """
    before, behind, factor = band
    n = x.shape[axis]
    if n > LARGEST_BAND:
        raise ModelError(f"a normalization by neighbours over {n} channels")
    offset = np.arange(n) - np.arange(n)[:, None]
    near = ((offset >= -before) & (offset <= behind)) * factor
    level = s.op(ops.Add(), along(s, s.op(ops.Square(), x), axis, near), s.const(np.array([bias], np.float32), "bias"))
    return s.op(ops.Mul(), x, s.op(ops.Power(-beta), level))


def padded(s: Builder, x: Value, pairs: Sequence[tuple[int, int]], number: float) -> Value:
    """A value with more elements before and behind on every axis, or fewer where that is negative.

    Args:
        s: The scope.
        x: The operand.
        pairs: How many before and behind, for every axis.
        number: What they are; other than zero it is added where there is padding.

    Raises:
        ModelError: If nothing is left of an axis.
        UnsupportedOpError: If integers have no room for the number.
    """
    for axis, pair in enumerate(pairs):
        before, after = (max(-n, 0) for n in pair)
        if before + after >= x.shape[axis] and before + after:
            raise ModelError(f"padding of {x.shape[axis]} elements by {pair}")
        x = part(s, x, axis, before, x.shape[axis] - after)
    around = tuple((max(a, 0), max(b, 0)) for a, b in pairs)
    if not any(map(any, around)):
        return x
    y = s.op(ops.Pad(around), x)
    if number == 0:
        return y
    if y.type.quant or abs(number) > LARGEST_FILL:
        raise UnsupportedOpError(f"padding with {number}", hint="pad with zeros")
    return s.op(ops.Add(), y, s.const(np.pad(np.zeros(x.shape, np.float32), around, constant_values=number), "border"))


def finite_mask(s: Builder, x: Value) -> Value:
    """A constant in which what hides from a softmax is a number."""
    data = s.known(x)
    if data is None or data.dtype.kind != "f" or not np.isneginf(data).any():
        return x
    return s.const(np.maximum(data, HIDDEN).astype(np.float32), "mask")


def whole_part(s: Builder, x: Value) -> Value:
    """Cut off towards zero."""
    below = s.op(ops.Floor(), s.op(ops.Relu(), s.op(ops.Neg(), x)))
    return s.op(ops.Sub(), s.op(ops.Floor(), s.op(ops.Relu(), x)), below)
