"""TFLite operators that round, and remainders."""

import math

from edgetx import ops
from edgetx.errors import UnsupportedOpError
from edgetx.frontends import truths
from edgetx.frontends.tflite.scope import Scope, builtin
from edgetx.ir import Value


@builtin("FLOOR")
def _floor(s: Scope, x: Value) -> Value:
    return s.op(ops.Floor(), x)


@builtin("CEIL")
def _ceil(s: Scope, x: Value) -> Value:
    return s.op(ops.Neg(), s.op(ops.Floor(), s.op(ops.Neg(), x)))


@builtin("ROUND")
def _round(s: Scope, x: Value) -> Value:
    """To nearest, of two the even one: what is left of half of it tells which that is."""
    below = s.op(ops.Floor(), x)
    part, half = s.op(ops.Sub(), x, below), s.op(ops.Mul(), below, s.scalar(0.5))
    odd = s.op(ops.Mul(), s.op(ops.Sub(), half, s.op(ops.Floor(), half)), s.scalar(2))
    above = truths.compared(s, "greater", part, s.scalar(0.5))
    tie = s.op(ops.Mul(), truths.negated(s, truths.different(s, part, s.scalar(0.5))), odd)
    return s.op(ops.Add(), below, s.op(ops.Add(), above, tie))


@builtin("SIGN")
def _sign(s: Scope, x: Value) -> Value:
    return s.op(ops.Sub(), s.op(ops.Step(), x), s.op(ops.Step(), s.op(ops.Neg(), x)))


@builtin("FLOOR_DIV")
def _floor_div(s: Scope, x: Value, divisor: Value) -> Value:
    return s.op(ops.Floor(), _quotient(s, x, divisor))


@builtin("FLOOR_MOD")
def _floor_mod(s: Scope, x: Value, divisor: Value) -> Value:
    whole = s.op(ops.Floor(), _quotient(s, x, divisor))
    return s.op(ops.Sub(), x, s.op(ops.Mul(), whole, _real(s, divisor)))


def _quotient(s: Scope, x: Value, divisor: Value) -> Value:
    if not x.type.is_float or not s.data(divisor, "the divisor of a remainder").all():
        raise UnsupportedOpError(f"{s.operator.builtin} of integers, or by 0")
    return s.op(ops.Mul(), x, s.op(ops.Power(-1.0), _real(s, divisor)))


def _real(s: Scope, divisor: Value) -> Value:
    return s.const(s.data(divisor, "the divisor of a remainder").astype("float32"), "divisor")


@builtin("SIN")
def _sin(s: Scope, x: Value) -> Value:
    return s.op(ops.Sin(), x)


@builtin("COS")
def _cos(s: Scope, x: Value) -> Value:
    return s.op(ops.Sin(), s.op(ops.Add(), x, s.scalar(math.pi / 2)))
