"""Comparisons and choices in real numbers: truths are 0 and 1."""

import numpy as np

from edgetx import ops
from edgetx.errors import UnsupportedOpError
from edgetx.frontends.builder import Builder
from edgetx.ir import Array, Value
from edgetx.ops.attention import HIDDEN, HIDES


def compared(s: Builder, relation: str, a: Value, b: Value) -> Value:
    """1 where a is `greater`, `greater_equal`, `less` or `less_equal` than b, 0 elsewhere."""
    if relation in ("less", "greater_equal"):
        a, b = b, a
    above = s.op(ops.Step(), s.op(ops.Sub(), a, b))
    return negated(s, above) if relation.endswith("equal") else above


def different(s: Builder, a: Value, b: Value) -> Value:
    """1 where a and b differ, 0 where they are equal."""
    return s.op(ops.Step(), s.op(ops.Abs(), s.op(ops.Sub(), a, b)))


def negated(s: Builder, truth: Value) -> Value:
    """1 − truth."""
    return s.op(ops.Sub(), s.const(np.ones(1, np.float32), "one"), truth)


def chosen(s: Builder, truth: Value, a: Value, b: Value) -> Value:
    """a where the truth is 1, b where it is 0.

    Raises:
        UnsupportedOpError: If what is computed chooses a number that no range of integers holds beside others.
    """
    known = s.known(truth)
    if known is not None:
        return _chosen_once(s, known != 0, a, b)
    for x in (a, b):
        if (data := s.known(x)) is not None and data.size and data.min() <= HIDES:
            raise UnsupportedOpError(
                f"masking with {data.min():g} by what is computed", hint="mask with a number just below the scores"
            )
    return s.op(ops.Add(), s.op(ops.Mul(), a, truth), s.op(ops.Mul(), b, negated(s, truth)))


def _chosen_once(s: Builder, truth: Array, a: Value, b: Value) -> Value:
    """By a choice that is always the same; numbers that hide from a softmax are added, as masks are."""
    shape = np.broadcast_shapes(truth.shape, a.shape, b.shape)
    for keeps, x in ((truth.all(), a), (not truth.any(), b)):
        if keeps and x.shape == shape:
            return x
    parts, added = [], np.zeros((), np.float32)
    for x, here in ((a, truth), (b, ~truth)):
        data = s.known(x)
        if data is None:
            parts.append((x, here))
        else:
            added = np.where(here, np.maximum(data, HIDDEN), added)
    if not parts:
        return s.const(np.broadcast_to(added, shape).astype(np.float32), "chosen")
    hides = len(parts) == 1 and added[np.broadcast_to(~parts[0][1], added.shape)].max(initial=-np.inf) <= HIDES
    kept = [x if hides else s.op(ops.Mul(), x, s.const(here.astype(np.float32), "here")) for x, here in parts]
    y = kept[0] if len(kept) == 1 else s.op(ops.Add(), *kept)
    return s.op(ops.Add(), y, s.const(added.astype(np.float32), "there")) if added.any() else y
