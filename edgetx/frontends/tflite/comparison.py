"""TFLite comparisons of what is computed: truths are the real numbers 0 and 1."""

import tflite

from edgetx import ops
from edgetx.errors import UnsupportedOpError
from edgetx.frontends import truths
from edgetx.frontends.tflite.scope import Scope, builtin
from edgetx.ir import Value


@builtin("GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL")
def _compare(s: Scope, a: Value, b: Value) -> Value:
    _real_only(s, a, b)
    return truths.compared(s, s.operator.builtin.lower(), a, b)


@builtin("EQUAL", "NOT_EQUAL")
def _equal(s: Scope, a: Value, b: Value) -> Value:
    _real_only(s, a, b)
    differs = truths.different(s, a, b)
    return differs if s.operator.builtin == "NOT_EQUAL" else truths.negated(s, differs)


@builtin("REDUCE_ANY", "REDUCE_ALL")
def _reduce(s: Scope, x: Value, axes: Value) -> Value:
    largest = ops.ReduceMax(s.axes(axes, x.type.rank), bool(s.options(tflite.ReducerOptions).KeepDims()))
    if s.operator.builtin == "REDUCE_ANY":
        return s.op(largest, x)
    return truths.negated(s, s.op(largest, truths.negated(s, x)))


@builtin("LOGICAL_AND", "LOGICAL_OR")
def _combine(s: Scope, a: Value, b: Value) -> Value:
    return s.op(ops.Mul() if s.operator.builtin == "LOGICAL_AND" else ops.Maximum(), a, b)


@builtin("LOGICAL_NOT")
def _not(s: Scope, x: Value) -> Value:
    return truths.negated(s, x)


@builtin("SELECT", "SELECT_V2")
def _select(s: Scope, condition: Value, a: Value, b: Value) -> Value:
    _real_only(s, a, b)
    return truths.chosen(s, condition, a, b)


def _real_only(s: Scope, *xs: Value) -> None:
    if any(x.type.quant for x in xs):
        raise UnsupportedOpError(f"{s.operator.builtin} of integers")
