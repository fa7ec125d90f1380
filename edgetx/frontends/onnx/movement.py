"""ONNX operators that only move elements."""

from collections.abc import Sequence

import numpy as np

from edgetx import ops
from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.frontends.builder_scope import MAX_ELEMENTS, present
from edgetx.frontends.onnx.scope import Scope, operator
from edgetx.ir import Value


@operator("Identity", "Dropout")
def _identity(_: Scope, x: Value, *__: Value) -> Value:
    return x


@operator("Cast", "CastLike")
def _cast(s: Scope, x: Value, *_: Value) -> Value:
    """Numbers that are computed stay real."""
    return x


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
    y = s.gather(x, axis, s.integers(indices, "the indices of a gather"))
    return s.reshape(y, (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]))


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
        return _zero_padded(s, x, pairs, fill)
    if mode in ("reflect", "edge"):
        return _mirrored(s, x, pairs, mode)
    raise UnsupportedOpError(f"padding mode '{mode}'", hint="pad with zeros")


def _zero_padded(s: Scope, x: Value, pairs: Sequence[tuple[int, int]], fill: Value | None) -> Value:
    number = s.real("value", 0) if fill is None else float(s.data(s.restored(fill), "the padding's contents").item())
    if number != 0:
        raise UnsupportedOpError(f"padding with {number}", hint="pad with zeros")
    return s.op(ops.Pad(tuple(pairs)), x) if any(map(any, pairs)) else x


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
