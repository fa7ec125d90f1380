"""Comparisons and choices in real numbers: truths are 0 and 1."""

import numpy as np

from edgetx import ops
from edgetx.frontends.builder import Builder
from edgetx.ir import Value


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
    """a where the truth is 1, b where it is 0."""
    return s.op(ops.Add(), s.op(ops.Mul(), a, truth), s.op(ops.Mul(), b, negated(s, truth)))
