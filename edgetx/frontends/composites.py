"""Operators that are several ops of ours, which every frontend writes alike."""

import numpy as np

from edgetx import ops
from edgetx.errors import ModelError
from edgetx.frontends.builder import Builder
from edgetx.ir import Array, Value


def cumulative_sum(s: Builder, x: Value, axis: int, *, exclusive: bool = False, backwards: bool = False) -> Value:
    """Sums of the elements up to each, as a product with a triangle of ones.

    Args:
        s: The scope.
        x: The operand.
        axis: The axis, counted from the front.
        exclusive: Whether the element itself is left out.
        backwards: Whether the sums begin at the end.
    """
    triangle = np.tri(x.shape[axis], k=-int(exclusive), dtype=np.float32)
    weight = s.const(triangle[::-1, ::-1] if backwards else triangle, "sum")
    order = [i for i in range(x.type.rank) if i != axis] + [axis]
    if axis == x.type.rank - 1:
        return s.op(ops.FullyConnected(), x, weight)
    y = s.op(ops.FullyConnected(), s.op(ops.Transpose(tuple(order)), x), weight)
    return s.op(ops.Transpose(tuple(map(int, np.argsort(order)))), y)


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
