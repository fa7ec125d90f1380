"""TFLite operators that give places of elements, or take elements from places: whole numbers of 16 bits in integers."""

import math

import numpy as np
import tflite

from edgetx import ops
from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.frontends import truths
from edgetx.frontends.builder_scope import MAX_ELEMENTS
from edgetx.frontends.composites import whole_part
from edgetx.frontends.tflite.scope import Scope, builtin
from edgetx.ir import DType, QuantParams, Value
from edgetx.ops.quant_rule import PLACES

WHOLE: tuple[DType, QuantParams] = ("int16", PLACES[1])


@builtin("GATHER")
def _gather(s: Scope, x: Value, indices: Value) -> Value:
    options = s.options(tflite.GatherOptions)
    axis = s.axis(options.Axis(), x.type.rank)
    if options.BatchDims():
        return _by_batch(s, x, axis, indices)
    if indices.name not in s.builder.consts:
        return _looked_up(s, x, axis, indices)
    y = s.gather(x, axis, s.integers(indices, "the indices of a gather"))
    return s.reshape(y, (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]))


@builtin("EMBEDDING_LOOKUP")
def _embedding(s: Scope, indices: Value, table: Value) -> Value:
    if indices.name in s.builder.consts:
        return s.gather(table, 0, s.integers(indices, "the indices of a look-up"))
    return _looked_up(s, table, 0, indices, 0)


def _by_batch(s: Scope, x: Value, axis: int, indices: Value) -> Value:
    """The elements of every one of the leading axes by indices of its own."""
    batch = x.shape[:axis]
    if indices.name not in s.builder.consts or indices.shape[:axis] != batch:
        raise UnsupportedOpError("gathering by batch with indices that are computed", hint="use one index for all")
    places = s.data(indices, "the indices of a gather").astype(np.int64)
    size = x.shape[axis]
    if places.size and not (-size <= places.min() <= places.max() < size):
        raise ModelError(f"index {places.min()} or {places.max()} of {size}")
    first = np.arange(math.prod(batch)).reshape(*batch, *[1] * (places.ndim - axis)) * size
    rows = s.reshape(x, (math.prod(batch) * size, *x.shape[axis + 1 :]))
    y = s.gather(rows, 0, (places % size + first).ravel().tolist())
    return s.reshape(y, (*indices.shape, *x.shape[axis + 1 :]))


@builtin("GATHER_ND")
def _gather_nd(s: Scope, x: Value, indices: Value) -> Value:
    """Elements, or what lies behind them, by the indices of several axes at once."""
    places = s.data(indices, "the indices of a gather").astype(np.int64)
    count = places.shape[-1]
    lead = x.shape[:count]
    if count > x.type.rank or not ((places >= 0) & (places < lead)).all():
        raise ModelError(f"indices of {count} axes beyond {x.shape}")
    flat = (places * [math.prod(lead[i + 1 :]) for i in range(count)]).sum(-1)
    y = s.gather(s.reshape(x, (math.prod(lead), *x.shape[count:])), 0, flat.ravel().tolist())
    return s.reshape(y, (*places.shape[:-1], *x.shape[count:]))


def _looked_up(s: Scope, x: Value, axis: int, indices: Value, operand: int = 1) -> Value:
    """Rows by an index that is computed, a whole number."""
    if s.tensors[operand].type not in ("INT32", "INT64") or s.tensors[operand].scale:
        hint = "begin the model behind the look-up"
        raise UnsupportedOpError("look-up of rows by a computed index that is quantized", hint=hint)
    quant = s.results[0].quant
    if quant != x.type.quant or (quant and (indices.type.dtype, indices.type.quant) != WHOLE):
        raise UnsupportedOpError("look-up of integers by an index that is not computed by them")
    order = [axis, *(i for i in range(x.type.rank) if i != axis)]
    y = s.result(ops.Lookup(), s.transpose(x, order), indices)
    count = indices.type.rank
    return s.transpose(y, [*range(count, count + axis), *range(count), *range(count + axis, y.type.rank)])


@builtin("ARG_MAX", "ARG_MIN")
def _place(s: Scope, x: Value, axis: Value) -> Value:
    (along,) = (s.axis(a, x.type.rank) for a in s.integers(axis, "the axis"))
    if s.operator.builtin == "ARG_MIN":
        if x.type.quant:
            raise UnsupportedOpError("ARG_MIN of integers")
        x = s.op(ops.Neg(), x)
    return s.op(ops.ArgMax(along), x, quant=WHOLE if x.type.quant else None)


@builtin("ONE_HOT")
def _one_hot(s: Scope, index: Value, depth: Value, on: Value, off: Value) -> Value:
    """Rows of a table, the first and the last of them, which stand for indices beyond the ends, all off."""
    (count,) = s.integers(depth, "the size of a one-hot axis")
    if count < 1 or count**2 > MAX_ELEMENTS or not index.type.is_float:
        raise UnsupportedOpError(f"one-hot axis of {count} elements")
    low, high = (float(s.data(v, "a value").item()) for v in (off, on))
    table = s.const(np.where(np.eye(count + 2, count, -1) > 0, high, low).astype(np.float32), "one_hot")
    y = s.op(ops.Lookup(), table, s.op(ops.Add(), index, s.scalar(1)))
    last = index.type.rank
    axis = s.axis(s.options(tflite.OneHotOptions).Axis(), last + 1)
    return s.transpose(y, [*range(axis), last, *range(axis, last)])


@builtin("CAST")
def _cast(s: Scope, x: Value) -> Value:
    """Numbers that are computed stay real; to whole ones they are cut off towards zero."""
    if not x.type.is_float and (x.type.dtype, x.type.quant) != WHOLE:
        raise UnsupportedOpError(f"conversion of {x.type.dtype} to {s.results[0].dtype}")
    if s.tensors[0].type != "FLOAT32" or s.results[0].is_float:
        return x
    if s.results[0].dtype == "bool":
        return truths.different(s, x, s.scalar(0))
    return whole_part(s, x)
