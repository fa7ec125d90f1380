"""Attention in terms of matrix products and softmax, from which a pass makes one op."""

import numpy as np

from edgetx import ops
from edgetx.frontends.builder import Builder
from edgetx.ir import Value


def attention(s: Builder, q: Value, k: Value, v: Value, scale: float, added: Value | None = None) -> Value:
    """softmax(scale · q kᵀ + added) v.

    Args:
        s: The scope.
        q: [..., heads, queries, size].
        k: [..., groups, keys, size]; each group serves as many neighbouring heads.
        v: [..., groups, keys, size of values].
        scale: The factor.
        added: What is added to the scores, such as masks and biases of position.
    """
    keys, values = (shared_by(s, x, q.shape[-3] if q.type.rank > 2 else 1) for x in (k, v))
    scores = s.op(ops.BatchMatmul(adj_y=True), q, keys)
    if scale != 1:
        scores = s.op(ops.Mul(), scores, s.const(np.array([scale], np.float32), "scale"))
    if added is not None:
        scores = s.op(ops.Add(), scores, added)
    return s.op(ops.BatchMatmul(), s.op(ops.Softmax(), scores), values)


def shared_by(s: Builder, x: Value, heads: int) -> Value:
    """Keys or values of groups, one for each head."""
    axis = x.type.rank - 3
    if axis < 0 or x.shape[axis] in (1, heads):
        return x
    each = np.repeat(np.arange(x.shape[axis]), heads // x.shape[axis])
    return s.op(ops.Gather(axis, tuple(map(int, each))), x)


def split_heads(s: Builder, x: Value, heads: int) -> Value:
    """[batch, rows, heads · size] to [batch, heads, rows, size]."""
    batch, rows, width = x.shape
    split = s.op(ops.Reshape((batch, rows, heads, width // heads)), x)
    return s.op(ops.Transpose((0, 2, 1, 3)), split)


def merge_heads(s: Builder, x: Value) -> Value:
    """[batch, heads, rows, size] to [batch, rows, heads · size]."""
    batch, heads, rows, size = x.shape
    return s.op(ops.Reshape((batch, rows, heads * size)), s.op(ops.Transpose((0, 2, 1, 3)), x))


def causal(queries: int, keys: int, hidden: float) -> np.ndarray:
    """What is added to the scores for the last queries not to see keys behind them."""
    visible = np.tri(queries, keys, keys - queries, dtype=bool)
    return np.where(visible, 0, hidden).astype(np.float32)
