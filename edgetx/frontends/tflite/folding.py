"""TFLite operators over constants, such as those that compute shapes, evaluated when the model is imported."""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import tflite

from edgetx.errors import ModelError
from edgetx.frontends.builder_scope import MAX_ELEMENTS
from edgetx.frontends.tflite.scope import Scope
from edgetx.ir import Array

Folding = Callable[[Scope, Sequence[Array]], Array]

BINARY: Mapping[str, Callable[[Array, Array], Array]] = {
    "ADD": np.add, "SUB": np.subtract, "MUL": np.multiply, "MAXIMUM": np.maximum, "MINIMUM": np.minimum,
    "FLOOR_DIV": np.floor_divide, "FLOOR_MOD": np.mod, "POW": np.power, "LESS": np.less, "LESS_EQUAL": np.less_equal,
    "GREATER": np.greater, "GREATER_EQUAL": np.greater_equal, "EQUAL": np.equal, "NOT_EQUAL": np.not_equal,
    "LOGICAL_AND": np.logical_and, "LOGICAL_OR": np.logical_or,
}  # fmt: skip
FUSING = ("ADD", "SUB", "MUL")
"""Operators with an activation, which real numbers may need."""
UNARY: Mapping[str, Callable[[Array], Array]] = {
    "NEG": np.negative, "ABS": np.abs, "FLOOR": np.floor, "CEIL": np.ceil, "ROUND": np.round, "COS": np.cos,
    "SIN": np.sin, "LOGICAL_NOT": np.logical_not, "SIGN": np.sign,
}  # fmt: skip
REDUCTIONS: Mapping[str, Callable[..., Array]] = {
    "REDUCE_PROD": np.prod, "REDUCE_MAX": np.max, "REDUCE_MIN": np.min, "SUM": np.sum, "REDUCE_ALL": np.all,
    "REDUCE_ANY": np.any,
}  # fmt: skip


def folded(s: Scope, operands: Sequence[Array]) -> Array | None:
    """The result of an operator over these constants; None if it is not evaluated here.

    Raises:
        ModelError: If it would be absurdly large.
    """
    name = s.operator.builtin
    if name in REDUCTIONS:
        x, axes = operands
        keep = bool(s.options(tflite.ReducerOptions).KeepDims())
        return np.asarray(REDUCTIONS[name](x, axis=tuple(map(int, np.ravel(axes))), keepdims=keep)).astype(x.dtype)
    if name in BINARY and not (name in FUSING and operands[0].dtype.kind == "f"):
        with np.errstate(all="ignore"):
            return np.asarray(BINARY[name](operands[0], operands[1]))
    if name in UNARY:
        return np.asarray(UNARY[name](operands[0]))
    if name not in FOLDINGS:
        return None
    return FOLDINGS[name](s, operands)


def _pack(s: Scope, xs: Sequence[Array]) -> Array:
    return np.stack(xs, s.options(tflite.PackOptions).Axis())


def _concatenation(s: Scope, xs: Sequence[Array]) -> Array:
    return np.concatenate(xs, s.options(tflite.ConcatenationOptions).Axis())


def _cast(s: Scope, xs: Sequence[Array]) -> Array:
    return xs[0].astype(s.results[0].dtype)


def _fill(_: Scope, xs: Sequence[Array]) -> Array:
    shape = tuple(map(int, xs[0].ravel()))
    return np.full(_bounded(shape), xs[1].item(), xs[1].dtype)


def _range(_: Scope, xs: Sequence[Array]) -> Array:
    start, limit, step = (float(x.item()) for x in xs)
    if not step:
        raise ModelError("range with step 0")
    _bounded((abs(int((limit - start) / step)) + 1,))
    return np.arange(start, limit, step).astype(xs[0].dtype)


def _broadcast_to(_: Scope, xs: Sequence[Array]) -> Array:
    return np.broadcast_to(xs[0], _bounded(tuple(map(int, xs[1].ravel())))).copy()


def _tile(_: Scope, xs: Sequence[Array]) -> Array:
    _bounded((*xs[0].shape, *map(int, xs[1].ravel())))
    return np.tile(xs[0], tuple(map(int, xs[1].ravel())))


def _broadcast_args(_: Scope, xs: Sequence[Array]) -> Array:
    shape = np.broadcast_shapes(*(tuple(map(int, x.ravel())) for x in xs))
    return np.array(shape, xs[0].dtype)


def _select(_: Scope, xs: Sequence[Array]) -> Array:
    return np.where(xs[0], xs[1], xs[2])


def _bounded(shape: tuple[int, ...]) -> tuple[int, ...]:
    if min(shape, default=1) < 0 or math.prod(shape) > MAX_ELEMENTS:
        raise ModelError(f"absurd shape {shape}")
    return shape


FOLDINGS: Mapping[str, Folding] = {
    "PACK": _pack, "CONCATENATION": _concatenation, "CAST": _cast, "FILL": _fill, "RANGE": _range,
    "BROADCAST_TO": _broadcast_to, "TILE": _tile, "BROADCAST_ARGS": _broadcast_args, "SELECT": _select,
    "SELECT_V2": _select,
}  # fmt: skip
