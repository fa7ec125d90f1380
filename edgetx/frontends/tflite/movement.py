"""TFLite operators that only move elements."""

from collections.abc import Sequence

import numpy as np
import tflite

from edgetx import ops
from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.frontends.tflite.scope import Scope, builtin
from edgetx.ir import Value


@builtin("RESHAPE", "SQUEEZE", "EXPAND_DIMS")
def _reshape(s: Scope, x: Value, *_: Value) -> Value:
    """To the shape that the file declares, in which a dynamic batch counts as 1."""
    return s.reshape(x, s.results[0].shape)


@builtin("TRANSPOSE")
def _transpose(s: Scope, x: Value, order: Value) -> Value:
    return s.transpose(x, [s.axis(axis, x.type.rank) for axis in s.integers(order, "the order of axes")])


@builtin("STRIDED_SLICE")
def _strided_slice(s: Scope, x: Value, begin: Value, end: Value, strides: Value) -> Value:
    options = s.options(tflite.StridedSliceOptions)
    if options.EllipsisMask() or options.NewAxisMask():
        raise UnsupportedOpError("slicing with an ellipsis or a new axis")
    bounds = [s.integers(v, "a bound of a slice") for v in (begin, end, strides)]
    if {len(bound) for bound in bounds} != {x.type.rank}:
        raise ModelError(f"slice of {x.shape} with bounds of {len(bounds[0])} axes")
    shrunk = options.ShrinkAxisMask()
    ranges = []
    for axis, (first, last, step) in enumerate(zip(*bounds, strict=True)):
        if shrunk >> axis & 1:
            ranges.append(range(first % x.shape[axis], first % x.shape[axis] + 1))
            continue
        start = None if options.BeginMask() >> axis & 1 else first
        stop = None if options.EndMask() >> axis & 1 else last
        ranges.append(range(*slice(start, stop, step).indices(x.shape[axis])))
    y = _ranges(s, x, ranges)
    return s.reshape(y, [n for axis, n in enumerate(y.shape) if not shrunk >> axis & 1])


@builtin("SLICE")
def _slice(s: Scope, x: Value, begin: Value, size: Value) -> Value:
    starts, sizes = s.integers(begin, "the begin of a slice"), s.integers(size, "the size of a slice")
    ends = [n if length == -1 else first + length for first, length, n in zip(starts, sizes, x.shape, strict=True)]
    return _ranges(s, x, [range(first, end) for first, end in zip(starts, ends, strict=True)])


def _ranges(s: Scope, x: Value, ranges: Sequence[range]) -> Value:
    if all(r == range(n) for r, n in zip(ranges, x.shape, strict=True)):
        return x
    if any(r.step < 0 for r in ranges):
        raise UnsupportedOpError("slicing backwards")
    begin, end, strides = zip(*((r.start, r.stop, r.step) for r in ranges), strict=True)
    return s.op(ops.StridedSlice(begin, end, strides), x)


@builtin("CONCATENATION")
def _concatenation(s: Scope, *xs: Value) -> Value:
    options = s.options(tflite.ConcatenationOptions)
    s.same_quantization(*xs)
    y = s.result(ops.Concatenation(s.axis(options.Axis(), xs[0].type.rank)), *xs)
    return s.activated(y, s.activation(options.FusedActivationFunction()))


@builtin("SPLIT")
def _split(s: Scope, axis: Value, x: Value) -> tuple[Value, ...]:
    along = s.axis(s.integers(axis, "the axis of a split")[0], x.type.rank)
    count = len(s.results)
    if x.shape[along] % count:
        raise ModelError(f"split of {x.shape[along]} elements in {count} parts")
    return _pieces(s, x, along, [x.shape[along] // count] * count)


@builtin("SPLIT_V")
def _split_v(s: Scope, x: Value, sizes: Value, axis: Value) -> tuple[Value, ...]:
    along = s.axis(s.integers(axis, "the axis of a split")[0], x.type.rank)
    listed = s.integers(sizes, "the sizes of a split")
    rest = x.shape[along] - sum(n for n in listed if n >= 0)
    return _pieces(s, x, along, [rest if n < 0 else n for n in listed])


def _pieces(s: Scope, x: Value, axis: int, sizes: Sequence[int]) -> tuple[Value, ...]:
    ends = np.cumsum(sizes).tolist()
    if ends[-1] != x.shape[axis]:
        raise ModelError(f"split of {x.shape[axis]} elements into {list(sizes)}")
    return tuple(s.slice(x, axis, end - size, end) for size, end in zip(sizes, ends, strict=True))


@builtin("PACK")
def _pack(s: Scope, *xs: Value) -> Value:
    axis = s.axis(s.options(tflite.PackOptions).Axis(), xs[0].type.rank + 1)
    rows = [s.reshape(x, (*x.shape[:axis], 1, *x.shape[axis:])) for x in xs]
    s.same_quantization(*xs)
    return s.result(ops.Concatenation(axis), *rows)


@builtin("UNPACK")
def _unpack(s: Scope, x: Value) -> tuple[Value, ...]:
    axis = s.axis(s.options(tflite.UnpackOptions).Axis(), x.type.rank)
    pieces = _pieces(s, x, axis, [1] * x.shape[axis])
    return tuple(s.reshape(piece, x.shape[:axis] + x.shape[axis + 1 :]) for piece in pieces)


@builtin("PAD", "PADV2")
def _pad(s: Scope, x: Value, paddings: Value, fill: Value | None = None) -> Value:
    pairs = s.data(paddings, "the padding").reshape(-1, 2).tolist()
    if fill is not None:
        zero = fill.type.zero_point if fill.type.quant else 0
        if s.data(fill, "the padding's contents").item() != zero:
            raise UnsupportedOpError("padding with other than zeros")
    s.same_quantization(x)
    return s.result(ops.Pad(tuple((int(a), int(b)) for a, b in pairs)), x)


@builtin("GATHER")
def _gather(s: Scope, x: Value, indices: Value) -> Value:
    options = s.options(tflite.GatherOptions)
    if options.BatchDims():
        raise UnsupportedOpError("gathering by batch")
    axis = s.axis(options.Axis(), x.type.rank)
    y = s.gather(x, axis, s.integers(indices, "the indices of a gather"))
    return s.reshape(y, (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]))


@builtin("SHAPE")
def _shape(s: Scope, x: Value) -> Value:
    return s.const(np.array(x.shape, np.int32), "shape")
