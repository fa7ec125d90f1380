"""Operators that are several ops of ours, which every frontend writes alike."""

import numpy as np

from edgetx import ops
from edgetx.frontends.builder import Builder
from edgetx.ir import Value


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
