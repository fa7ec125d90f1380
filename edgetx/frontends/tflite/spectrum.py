"""TFLite operators on spectra: a complex number is a real and an imaginary part along a last axis."""

import tflite

from edgetx import ops
from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.frontends.composites import cumulative_sum
from edgetx.frontends.spectra import forward_matrix
from edgetx.frontends.tflite.scope import Scope, builtin
from edgetx.ir import Value


@builtin("RFFT2D")
def _rfft(s: Scope, x: Value, lengths: Value) -> Value:
    """As a matrix product, over a transform of one row."""
    rows, length = s.integers(lengths, "the length of a transform")
    if not x.type.is_float or rows != 1 or x.type.rank < 2 or x.shape[-2] != 1:
        raise UnsupportedOpError(f"transform of {x.shape} to {rows} x {length}", hint="transform one axis")
    if x.shape[-1] > length:
        x = s.slice(x, x.type.rank - 1, 0, length)
    matrix = s.const(forward_matrix(x.shape[-1], length), "transform")
    parts = s.op(ops.FullyConnected(), x, matrix)
    return s.reshape(parts, (*x.shape[:-1], length // 2 + 1, 2))


@builtin("COMPLEX_ABS", "REAL", "IMAG")
def _part(s: Scope, x: Value) -> Value:
    last = x.type.rank - 1
    if x.shape[-1:] != (2,):
        raise ModelError(f"{s.operator.builtin} of {x.shape}")
    real, imaginary = (s.reshape(s.slice(x, last, i, i + 1), x.shape[:-1]) for i in (0, 1))
    if s.operator.builtin == "COMPLEX_ABS":
        return s.op(ops.Hypot(), real, imaginary)
    return real if s.operator.builtin == "REAL" else imaginary


@builtin("CUMSUM")
def _cumsum(s: Scope, x: Value, axis: Value) -> Value:
    if not x.type.is_float:
        raise UnsupportedOpError("CUMSUM of integers")
    along = s.axis(s.integers(axis, "the axis of a sum")[0], x.type.rank)
    options = s.options(tflite.CumsumOptions)
    return cumulative_sum(s, x, along, exclusive=bool(options.Exclusive()), backwards=bool(options.Reverse()))
