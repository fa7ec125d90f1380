"""TFLite arithmetic and reductions."""

from typing import Any

import tflite

from edgetx import ops
from edgetx.errors import UnsupportedOpError
from edgetx.frontends.composites import total
from edgetx.frontends.tflite.scope import Scope, builtin
from edgetx.ir import Value

BINARY: dict[str, tuple[type[ops.Add | ops.Sub | ops.Mul], type[Any]]] = {
    "ADD": (ops.Add, tflite.AddOptions),
    "SUB": (ops.Sub, tflite.SubOptions),
    "MUL": (ops.Mul, tflite.MulOptions),
}


@builtin(*BINARY)
def _binary(s: Scope, a: Value, b: Value) -> Value:
    kind, options = BINARY[s.operator.builtin]
    return s.clamped(kind, s.options(options).FusedActivationFunction(), a, b)


@builtin("DIV")
def _div(s: Scope, a: Value, b: Value) -> Value:
    activation = s.activation(s.options(tflite.DivOptions).FusedActivationFunction())
    _float_only(s)
    return s.op(ops.Mul(activation), a, s.op(ops.Power(-1.0), b))


@builtin("SQUARED_DIFFERENCE")
def _squared_difference(s: Scope, a: Value, b: Value) -> Value:
    _float_only(s)
    return s.op(ops.Square(), s.op(ops.Sub(), a, b))


@builtin("ADD_N")
def _add_n(s: Scope, first: Value, *others: Value) -> Value:
    _float_only(s)
    for other in others:
        first = s.op(ops.Add(), first, other)
    return first


@builtin("MAXIMUM", "MINIMUM")
def _extreme(s: Scope, a: Value, b: Value) -> Value:
    s.same_quantization(a, b)
    return s.result(ops.Maximum() if s.operator.builtin == "MAXIMUM" else ops.Minimum(), a, b)


@builtin("POW")
def _pow(s: Scope, x: Value, exponent: Value) -> Value:
    _float_only(s)
    data = s.data(exponent, "the exponent of a power")
    if data.size != 1:
        raise UnsupportedOpError("power with several exponents")
    return s.op(ops.Power(float(data.item())), x)


@builtin("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN")
def _reduction(s: Scope, x: Value, axes: Value) -> Value:
    over = s.axes(axes, x.type.rank)
    keepdims = bool(s.options(tflite.ReducerOptions).KeepDims())
    if s.operator.builtin == "MEAN":
        return s.result(ops.Mean(over, keepdims), x)
    if s.operator.builtin == "REDUCE_MAX":
        s.same_quantization(x)
        return s.result(ops.ReduceMax(over, keepdims), x)
    _float_only(s)
    if s.operator.builtin == "SUM":
        return total(s, x, over, keepdims=keepdims)
    return s.op(ops.Neg(), s.op(ops.ReduceMax(over, keepdims), s.op(ops.Neg(), x)))


def _float_only(s: Scope) -> None:
    if not s.is_float:
        raise UnsupportedOpError(f"{s.operator.builtin} of integers", hint="convert the model to float TFLite instead")
