"""TFLite operators that only move elements."""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import tflite

from edgetx import ops
from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.frontends.builder_scope import MAX_ELEMENTS, present
from edgetx.frontends.tflite.scope import Scope, builtin
from edgetx.ir import Value


@builtin("RESHAPE", "SQUEEZE", "EXPAND_DIMS")
def _reshape(s: Scope, x: Value, operand: Value | None = None) -> Value:
    """To the shape that the file declares; where open axes count as 1 in it, to what the operator says."""
    declared = (*s.results[0].shape, 2) if s.tensors[0].type == "COMPLEX64" else s.results[0].shape
    return s.reshape(x, declared if math.prod(declared) == x.type.size else _asked(s, x, operand) or declared)


def _asked(s: Scope, x: Value, operand: Value | None) -> Sequence[int] | None:
    if s.operator.builtin == "SQUEEZE":
        options = s.options(tflite.SqueezeOptions)
        gone = [s.axis(options.SqueezeDims(i), x.type.rank) for i in range(options.SqueezeDimsLength())]
        return [n for axis, n in enumerate(x.shape) if n > 1 or (gone and axis not in gone)]
    if operand is None:
        return None
    wanted = s.integers(operand, "the shape")
    if s.operator.builtin == "EXPAND_DIMS":
        (axis,) = (s.axis(a, x.type.rank + 1) for a in wanted)
        return [*x.shape[:axis], 1, *x.shape[axis:]]
    known = math.prod(n for n in wanted if n != -1)
    if wanted.count(-1) > 1 or known <= 0 or x.type.size % known:
        return None
    return [x.type.size // known if n == -1 else n for n in wanted]


@builtin("TRANSPOSE")
def _transpose(s: Scope, x: Value, order: Value) -> Value:
    return s.transpose(x, [s.axis(axis, x.type.rank) for axis in s.integers(order, "the order of axes")])


@builtin("STRIDED_SLICE")
def _strided_slice(s: Scope, x: Value, begin: Value, end: Value, strides: Value) -> Value:
    options = s.options(tflite.StridedSliceOptions)
    bounds = [s.integers(v, "a bound of a slice") for v in (begin, end, strides)]
    count = len(bounds[0])
    if {len(bound) for bound in bounds} != {count}:
        raise ModelError("slice with bounds of different lengths")
    ellipsis, new, shrunk = options.EllipsisMask(), options.NewAxisMask(), options.ShrinkAxisMask()
    sliced = sum(not (new | ellipsis) >> i & 1 for i in range(count))
    ranges: list[range] = []
    shape: list[int] = []
    for i, (first, last, step) in enumerate(zip(*bounds, strict=True)):
        if ellipsis >> i & 1:
            for _ in range(x.type.rank - sliced):
                ranges.append(range(x.shape[len(ranges)]))
                shape.append(len(ranges[-1]))
        elif new >> i & 1:
            shape.append(1)
        elif len(ranges) >= x.type.rank or step == 0:
            raise ModelError(f"slice of {x.shape} with bounds of {count} axes")
        elif shrunk >> i & 1:
            size = x.shape[len(ranges)]
            ranges.append(range(first % size, first % size + 1))
        else:
            start = None if options.BeginMask() >> i & 1 else first
            stop = None if options.EndMask() >> i & 1 else last
            ranges.append(range(*slice(start, stop, step).indices(x.shape[len(ranges)])))
            shape.append(len(ranges[-1]))
    rest = [range(n) for n in x.shape[len(ranges) :]]
    return s.reshape(_ranges(s, x, [*ranges, *rest]), (*shape, *map(len, rest)))


@builtin("SLICE")
def _slice(s: Scope, x: Value, begin: Value, size: Value) -> Value:
    starts, sizes = s.integers(begin, "the begin of a slice"), s.integers(size, "the size of a slice")
    ends = [n if length == -1 else first + length for first, length, n in zip(starts, sizes, x.shape, strict=True)]
    return _ranges(s, x, [range(first, end) for first, end in zip(starts, ends, strict=True)])


def _ranges(s: Scope, x: Value, ranges: Sequence[range]) -> Value:
    if all(r == range(n) for r, n in zip(ranges, x.shape, strict=True)):
        return x
    for axis, r in enumerate(ranges):
        if r.step < 0:
            x = s.gather(x, axis, r)
    ranges = [range(len(r)) if r.step < 0 else r for r in ranges]
    if not all(ranges):
        return s.empty(x, [len(r) for r in ranges])
    begin, end, strides = zip(*((r.start, r.stop, r.step) for r in ranges), strict=True)
    return s.op(ops.StridedSlice(begin, end, strides), x)


@builtin("CONCATENATION")
def _concatenation(s: Scope, *xs: Value) -> Value:
    options = s.options(tflite.ConcatenationOptions)
    s.same_quantization(*xs)
    y = s.result(ops.Concatenation(s.axis(options.Axis(), xs[0].type.rank)), *present(xs))
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
        number = s.data(fill, "the padding's contents").item()
        if number != zero:
            return _padded_with(s, x, float(number), pairs)
    s.same_quantization(x)
    return s.result(ops.Pad(tuple((int(a), int(b)) for a, b in pairs)), x)


def _padded_with(s: Scope, x: Value, number: float, pairs: Sequence[Sequence[int]]) -> Value:
    """Around what is less by that number zeros are that number."""
    if x.type.quant:
        raise UnsupportedOpError("padding of integers with other than zeros")
    y = s.op(ops.Pad(tuple((int(a), int(b)) for a, b in pairs)), s.op(ops.Add(), x, s.scalar(-number)))
    return s.op(ops.Add(), y, s.scalar(number))


@builtin("MIRROR_PAD")
def _mirror_pad(s: Scope, x: Value, paddings: Value) -> Value:
    reflect = s.options(tflite.MirrorPadOptions).Mode() == tflite.MirrorPadMode.REFLECT
    for axis, (before, after) in enumerate(s.data(paddings, "the padding").reshape(-1, 2).tolist()):
        if not 0 <= max(before, after) <= x.shape[axis] - reflect:
            raise ModelError(f"padding of {x.shape[axis]} elements by {before} and {after} of themselves")
        mode: Literal["reflect", "symmetric"] = "reflect" if reflect else "symmetric"
        x = s.gather(x, axis, np.pad(np.arange(x.shape[axis]), (before, after), mode).tolist())
    return x


@builtin("REVERSE_V2")
def _reverse(s: Scope, x: Value, axes: Value) -> Value:
    for axis in s.integers(axes, "the axes of a reversal"):
        along = s.axis(axis, x.type.rank)
        x = s.gather(x, along, range(x.shape[along])[::-1])
    return x


@builtin("TILE", "BROADCAST_TO")
def _tile(s: Scope, x: Value, listed: Value) -> Value:
    """Repetition along axes, as a choice of elements."""
    counts = s.integers(listed, "the repetitions")
    x = s.reshape(x, (*[1] * (len(counts) - x.type.rank), *x.shape))
    for axis, count in enumerate(counts):
        size = x.shape[axis]
        times = count if s.operator.builtin == "TILE" else count // size
        if not 0 < times * size <= MAX_ELEMENTS:
            raise ModelError(f"repetition of {size} elements {times} times")
        x = s.gather(x, axis, [*range(size)] * times)
    return x


@builtin("SPACE_TO_DEPTH", "DEPTH_TO_SPACE")
def _blocks(s: Scope, x: Value) -> Value:
    to_depth = s.operator.builtin == "SPACE_TO_DEPTH"
    block = s.options(tflite.SpaceToDepthOptions if to_depth else tflite.DepthToSpaceOptions).BlockSize()
    if x.type.rank != 4 or block < 1:
        raise ModelError(f"blocks of {block} in {x.shape}")
    batch, height, width, channels = x.shape
    if to_depth:
        split = s.reshape(x, (batch, height // block, block, width // block, block, channels))
        moved = s.transpose(split, (0, 1, 3, 2, 4, 5))
        return s.reshape(moved, (batch, height // block, width // block, block * block * channels))
    split = s.reshape(x, (batch, height, width, block, block, channels // block**2))
    return s.reshape(
        s.transpose(split, (0, 1, 3, 2, 4, 5)), (batch, height * block, width * block, channels // block**2)
    )


@builtin("DYNAMIC_UPDATE_SLICE")
def _dynamic_update_slice(s: Scope, x: Value, part: Value, begin: Value) -> Value:
    """The value with `part` in place of a slice, along the only axis on which they differ."""
    starts = s.integers(begin, "the place of a slice")
    axes = [axis for axis, (n, m) in enumerate(zip(x.shape, part.shape, strict=True)) if n != m]
    if not axes:
        return part
    if len(axes) > 1:
        raise UnsupportedOpError("writing into a slice of several axes")
    (axis,) = axes
    first = min(max(starts[axis], 0), x.shape[axis] - part.shape[axis])
    last = first + part.shape[axis]
    before = [s.slice(x, axis, 0, first)] if first else []
    after = [s.slice(x, axis, last, x.shape[axis])] if last < x.shape[axis] else []
    return s.result(ops.Concatenation(axis), *before, part, *after)


@builtin("FILL")
def _fill(s: Scope, shape: Value, x: Value) -> Value:
    wanted = s.integers(shape, "the shape")
    if min(wanted, default=1) < 0 or math.prod(wanted) > MAX_ELEMENTS:
        raise ModelError(f"absurd shape {wanted}")
    return s.const(np.full(wanted, s.data(x, "the contents").item(), x.type.dtype), "filled", x.type.quant)


@builtin("ZEROS_LIKE")
def _zeros_like(s: Scope, x: Value) -> Value:
    zero = x.type.zero_point if x.type.quant else 0
    return s.const(np.full(x.shape, zero, x.type.dtype), "zeros", x.type.quant)


@builtin("RANK")
def _rank(s: Scope, x: Value) -> Value:
    return s.const(np.array(x.type.rank, np.int32), "rank")


@builtin("SHAPE")
def _shape(s: Scope, x: Value) -> Value:
    return s.const(np.array(x.shape, np.int32), "shape")
