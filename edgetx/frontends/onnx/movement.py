"""ONNX operators that only move elements."""

from collections.abc import Sequence

import numpy as np
from onnx import TensorProto

from edgetx import ops
from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.frontends import composites, truths
from edgetx.frontends.builder_scope import MAX_ELEMENTS, present
from edgetx.frontends.onnx.scope import Scope, operator
from edgetx.ir import Array, Value

REAL = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE, TensorProto.BFLOAT16)


@operator("Identity", "Dropout")
def _identity(_: Scope, x: Value, *__: Value) -> Value:
    return x


@operator("Cast", "CastLike")
def _cast(s: Scope, x: Value, *_: Value) -> Value:
    """Numbers that are computed stay real; to whole ones they are cut off towards zero."""
    kind = s.integer("to", TensorProto.FLOAT)
    if kind in REAL or x.name in s.whole:
        return x
    s.real_only(x)
    if kind == TensorProto.BOOL:
        return truths.different(s, x, s.scalar(0))
    return composites.whole_part(s, x)


@operator("Reshape")
def _reshape(s: Scope, x: Value, shape: Value | None = None) -> Value:
    wanted = s.listed("shape", shape) or ()
    if not s.integer("allowzero", 0):
        if any(n == 0 and i >= x.type.rank for i, n in enumerate(wanted)):
            raise ModelError(f"reshape of {x.shape} to {wanted}")
        wanted = tuple(x.shape[i] if n == 0 else n for i, n in enumerate(wanted))
    known = int(np.prod([n for n in wanted if n != -1], dtype=object))
    if wanted.count(-1) > 1 or (-1 in wanted and (known <= 0 or x.type.size % known)):
        raise ModelError(f"reshape of {x.shape} to {wanted}")
    return s.reshape(x, [x.type.size // known if n == -1 else n for n in wanted])


@operator("Flatten")
def _flatten(s: Scope, x: Value) -> Value:
    axis = s.integer("axis", 1)
    front = int(np.prod(x.shape[: axis if axis >= 0 else axis + x.type.rank], dtype=object))
    return s.reshape(x, (front, x.type.size // max(front, 1)))


@operator("Squeeze")
def _squeeze(s: Scope, x: Value, axes: Value | None = None) -> Value:
    listed = s.listed("axes", axes)
    gone = {i for i, n in enumerate(x.shape) if n == 1} if listed is None else {s.axis(a, x.type.rank) for a in listed}
    return s.reshape(x, [n for i, n in enumerate(x.shape) if i not in gone])


@operator("Unsqueeze")
def _unsqueeze(s: Scope, x: Value, axes: Value | None = None) -> Value:
    listed = s.listed("axes", axes) or ()
    rank = x.type.rank + len(listed)
    new, old = {s.axis(axis, rank) for axis in listed}, iter(x.shape)
    if len(new) != len(listed):
        raise ModelError(f"axes {listed} are not distinct")
    return s.reshape(x, [1 if i in new else next(old) for i in range(rank)])


@operator("Transpose")
def _transpose(s: Scope, x: Value) -> Value:
    order = s.listed("perm") or tuple(reversed(range(x.type.rank)))
    return s.transpose(x, [s.axis(axis, x.type.rank) for axis in order])


@operator("Expand", "Tile")
def _expand(s: Scope, x: Value, shape: Value) -> Value:
    """Repetition along axes, as a choice of elements."""
    listed = s.integers(shape, "the shape")
    x = s.reshape(x, (*[1] * (len(listed) - x.type.rank), *x.shape))
    if s.node.op_type == "Tile":
        times = listed
    else:
        wanted = np.broadcast_shapes(x.shape, listed)
        times = tuple(m // n for m, n in zip(wanted, x.shape, strict=True))
    if min(times) < 1 or int(np.prod([*x.shape, *times], dtype=object)) > MAX_ELEMENTS:
        raise ModelError(f"repetition of {x.shape} {times} times")
    for axis, count in enumerate(times):
        x = s.gather(x, axis, [*range(x.shape[axis])] * count)
    return x


@operator("Concat")
def _concat(s: Scope, *xs: Value) -> Value:
    return s.result(ops.Concatenation(s.axis(s.integer("axis", 0), xs[0].type.rank)), *present(xs))


@operator("Slice")
def _slice(
    s: Scope, x: Value, starts: Value | None = None, ends: Value | None = None, axes: Value | None = None,
    steps: Value | None = None,
) -> Value:  # fmt: skip
    first, last = s.listed("starts", starts) or (), s.listed("ends", ends) or ()
    along = s.listed("axes", axes) or tuple(range(len(first)))
    strides = s.listed("steps", steps) or (1,) * len(first)
    for axis, start, end, step in zip(along, first, last, strides, strict=True):
        if step == 0:
            raise ModelError("slice with step 0")
        axis = s.axis(axis, x.type.rank)
        x = s.gather(x, axis, range(*slice(start, end, step).indices(x.shape[axis])))
    return x


@operator("Gather")
def _gather(s: Scope, x: Value, indices: Value) -> Value:
    axis = s.axis(s.integer("axis", 0), x.type.rank)
    if indices.name not in s.builder.consts:
        return _looked_up(s, x, axis, indices)
    y = s.gather(x, axis, s.integers(indices, "the indices of a gather"))
    return s.reshape(y, (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]))


def _looked_up(s: Scope, x: Value, axis: int, indices: Value) -> Value:
    """Rows by an index that is computed, a whole number that is not negative."""
    s.real_only(x, indices)
    if x.type.dtype in ("int8", "uint8"):
        raise UnsupportedOpError("look-up of integers that are quantized", hint="quantize the model behind the look-up")
    x = s.real_constant(x)
    order = [axis, *(i for i in range(x.type.rank) if i != axis)]
    y, count = s.op(ops.Lookup(), s.transpose(s.restored(x), order), indices), indices.type.rank
    return s.transpose(y, [*range(count, count + axis), *range(count), *range(count + axis, y.type.rank)])


@operator("ArgMax", "ArgMin")
def _place(s: Scope, x: Value) -> Value:
    s.real_only(x)
    axis = s.axis(s.integer("axis", 0), x.type.rank)
    if s.integer("select_last_index", 0):
        raise UnsupportedOpError(f"the last of equal places by {s.node.op_type}", hint="take the first")
    y = s.op(ops.ArgMax(axis), x if s.node.op_type == "ArgMax" else s.op(ops.Neg(), x))
    return s.reshape(y, (*y.shape[:axis], 1, *y.shape[axis:])) if s.integer("keepdims", 1) else y


@operator("Split")
def _split(s: Scope, x: Value, sizes: Value | None = None) -> tuple[Value, ...]:
    axis, count = s.axis(s.integer("axis", 0), x.type.rank), len(s.node.output)
    even = -(-x.shape[axis] // count)
    listed = s.listed("split", sizes) or (*[even] * (count - 1), x.shape[axis] - even * (count - 1))
    ends = np.cumsum(listed).tolist()
    if len(listed) != count or ends[-1] != x.shape[axis] or min(listed) < 1:
        raise ModelError(f"split of {x.shape[axis]} elements into {listed}")
    return tuple(s.slice(x, axis, end - size, end) for size, end in zip(listed, ends, strict=True))


@operator("Pad")
def _pad(s: Scope, x: Value, pads: Value | None = None, fill: Value | None = None, axes: Value | None = None) -> Value:
    values = s.listed("pads", pads) or ()
    along = [s.axis(a, x.type.rank) for a in s.listed("axes", axes) or range(len(values) // 2)]
    pairs = [(0, 0)] * x.type.rank
    for axis, *pair in zip(along, values[: len(along)], values[len(along) :], strict=True):
        pairs[axis] = (pair[0], pair[1])
    mode = s.text("mode", "constant")
    if mode == "constant":
        what = "the padding's contents"
        number = s.real("value", 0) if fill is None else float(s.data(s.restored(fill), what).item())
        return composites.padded(s, x, pairs, number)
    if mode in ("reflect", "edge"):
        return _mirrored(s, x, pairs, mode)
    raise UnsupportedOpError(f"padding mode '{mode}'", hint="pad with zeros")


def _mirrored(s: Scope, x: Value, pairs: Sequence[tuple[int, int]], mode: str) -> Value:
    for axis, (before, after) in enumerate(pairs):
        size = x.shape[axis]
        if not 0 <= max(before, after) < size:
            raise ModelError(f"padding of {size} elements by {before} and {after} of themselves")
        if before or after:
            positions = np.arange(-before, size + after)
            inside = np.clip(positions, 0, size - 1)
            indices = inside if mode == "edge" else 2 * inside - positions
            x = s.gather(x, axis, indices.tolist())
    return x


@operator("ReverseSequence")
def _reversed(s: Scope, x: Value, lengths: Value) -> Value:
    """The first elements along one axis the other way round, as many as are said for each index of another."""
    time, batch = s.axis(s.integer("time_axis", 0), x.type.rank), s.axis(s.integer("batch_axis", 1), x.type.rank)
    counts = s.integers(lengths, "the lengths of sequences")
    if len(counts) != x.shape[batch] or min(counts) < 0 or max(counts) > x.shape[time] or time == batch:
        raise ModelError(f"sequences of {counts} in {x.shape}")
    rows = [
        s.gather(s.slice(x, batch, i, i + 1), time, [*[*range(n)][::-1], *range(n, x.shape[time])])
        for i, n in enumerate(counts)
    ]
    return rows[0] if len(rows) == 1 else s.result(ops.Concatenation(batch), *rows)


@operator("Trilu")
def _triangle(s: Scope, x: Value, k: Value | None = None) -> Value:
    """The triangle of the last two axes, and zeros in the other."""
    offset = s.integers(k, "the diagonal of a triangle")[0] if k else 0
    rows, columns = x.shape[-2:]
    shown = np.triu(np.ones((rows, columns)), offset) if s.integer("upper", 1) else np.tri(rows, columns, offset)
    return s.result(ops.Mul(), x, s.const(shown.astype(np.float32), "triangle"))


@operator("EyeLike")
def _diagonal(s: Scope, x: Value) -> Value:
    rows, columns = x.shape
    return s.const(np.eye(rows, columns, s.integer("k", 0), dtype=np.float32), "diagonal")


@operator("GatherND")
def _gather_nd(s: Scope, x: Value, indices: Value) -> Value:
    """Each row of the indices names an element, or a slice, by its place along the first axes."""
    if s.integer("batch_dims", 0):
        raise UnsupportedOpError("GatherND within batches", hint="gather along one axis")
    places = s.data(indices, "the indices of a gather").astype(np.int64)
    depth = places.shape[-1]
    flat = _flat_places(x.shape[:depth], places)
    rows = s.reshape(x, (int(np.prod(x.shape[:depth])), *x.shape[depth:]))
    picked = s.gather(rows, 0, flat.ravel().tolist())
    return s.reshape(picked, (*places.shape[:-1], *x.shape[depth:]))


@operator("GatherElements")
def _gather_elements(s: Scope, x: Value, indices: Value) -> Value:
    axis = s.axis(s.integer("axis", 0), x.type.rank)
    at = s.data(indices, "the indices of a gather").astype(np.int64)
    along = np.moveaxis(at, axis, -1).reshape(-1, at.shape[axis])
    if at.shape[:axis] + at.shape[axis + 1 :] == x.shape[:axis] + x.shape[axis + 1 :] and (along == along[0]).all():
        return s.gather(x, axis, along[0].tolist())
    picked = s.gather(s.reshape(x, (x.type.size,)), 0, _flat_elements(x.shape, at, axis).ravel().tolist())
    return s.reshape(picked, at.shape)


@operator("ScatterND", "ScatterElements")
def _scatter(s: Scope, x: Value, indices: Value, updates: Value) -> Value:
    """Elements of x and of the updates side by side, of which those are picked that remain."""
    if s.text("reduction", "none") != "none":
        raise UnsupportedOpError("scatter that adds up", hint="add to the parts one by one")
    at = s.data(indices, "the indices of a scatter").astype(np.int64)
    remaining = np.arange(x.type.size).reshape(x.shape)
    fresh = x.type.size + np.arange(updates.type.size).reshape(updates.shape)
    if s.node.op_type == "ScatterND":
        depth = at.shape[-1]
        rows = remaining.reshape(-1, *x.shape[depth:])
        rows[_flat_places(x.shape[:depth], at)] = fresh
    else:
        axis = s.axis(s.integer("axis", 0), x.type.rank)
        remaining.ravel()[_flat_elements(x.shape, at, axis)] = fresh
    flat = [s.reshape(v, (v.type.size,)) for v in map(s.real_constant, (x, updates))]
    both = s.result(ops.Concatenation(0), *flat)
    return s.reshape(s.gather(both, 0, remaining.ravel().tolist()), x.shape)


def _flat_places(shape: Sequence[int], places: Array) -> Array:
    """Rows of indices along axes of these sizes, as one index."""
    wrapped = np.where(places < 0, places + np.asarray(shape), places)
    try:
        return np.asarray(np.ravel_multi_index(tuple(np.moveaxis(wrapped, -1, 0)), tuple(shape)))
    except ValueError as problem:
        raise ModelError(f"indices into {tuple(shape)}: {problem}") from problem


def _flat_elements(shape: Sequence[int], at: Array, axis: int) -> Array:
    """Of each element its index in the whole, where `at` says its place along one axis."""
    grid = list(np.meshgrid(*map(np.arange, at.shape), indexing="ij"))
    grid[axis] = at
    return _flat_places(shape, np.stack(grid, -1))
