"""TFLite operators that round, remainders and the cosine."""

import numpy as np

from edgetx import ops
from edgetx.errors import UnsupportedOpError
from edgetx.frontends import composites
from edgetx.frontends.tflite.scope import Scope, builtin
from edgetx.ir import Value


@builtin("CEIL")
def _ceil(s: Scope, x: Value) -> Value:
    return composites.ceil(s, x)


@builtin("SIGN")
def _sign(s: Scope, x: Value) -> Value:
    return composites.sign(s, x)


@builtin("FLOOR_DIV", "FLOOR_MOD")
def _division(s: Scope, x: Value, divisor: Value) -> Value:
    data = s.data(divisor, "the divisor of a remainder").astype(np.float32)
    if not x.type.is_float or not data.all():
        raise UnsupportedOpError(f"{s.operator.builtin} of integers, or by 0")
    if s.operator.builtin == "FLOOR_MOD":
        return composites.remainder(s, x, s.const(data, "divisor"))
    return s.op(ops.Floor(), s.op(ops.Mul(), x, s.const(1 / data, "factor")))


@builtin("COS")
def _cos(s: Scope, x: Value) -> Value:
    return composites.cosine(s, x)
