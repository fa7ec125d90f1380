"""ATen ops that only move elements."""

from collections.abc import Sequence

import numpy as np
import torch

from edgetx import ops
from edgetx.frontends import composites, truths
from edgetx.frontends.torch.scope import Scope, aten, normal_axis, reshape, transpose
from edgetx.ir import Value


@aten("view.default", "reshape.default", "_unsafe_view.default", "flatten.using_ints", "unflatten.int",
      "unsqueeze.default", "squeeze.dim", "squeeze.dims", "squeeze.default", "view_as.default")  # fmt: skip
def _view(s: Scope, x: Value, *_: object, **__: object) -> Value:
    return reshape(s, x, s.shape)


@aten("contiguous.default", "clone.default", "dropout.default", "alias.default", "detach.default", "detach_.default",
      "lift_fresh_copy.default", "feature_dropout.default", "native_dropout.default")  # fmt: skip
def _identity(_: Scope, x: Value, *__: object, **___: object) -> Value:
    return x


@aten("to.dtype", "to.device", "_to_copy.default", "to.dtype_layout", "type_as.default", "to.other", "_cast_Long",
      "_cast_Int", "_cast_Float")  # fmt: skip
def _converted(s: Scope, x: Value, *_: object, **__: object) -> Value:
    """Numbers that are computed stay real; to whole ones they are cut off towards zero."""
    source, kind = s.node.all_input_nodes[0], s.node.meta["val"].dtype
    if not source.meta["val"].is_floating_point() or kind.is_floating_point:
        return x
    return truths.different(s, x, s.const(np.zeros(1), "zero")) if kind == torch.bool else composites.whole_part(s, x)


@aten("permute.default")
def _permute(s: Scope, x: Value, order: Sequence[int]) -> Value:
    return transpose(s, x, [normal_axis(i, x.type.rank) for i in order])


@aten("transpose.int", "swapaxes.default")
def _swap(s: Scope, x: Value, a: int, b: int) -> Value:
    order = list(range(x.type.rank))
    order[a], order[b] = order[b], order[a]
    return transpose(s, x, order)


@aten("t.default", "numpy_T.default", "mT.default")
def _t(s: Scope, x: Value) -> Value:
    return _swap(s, x, -1, -2) if x.type.rank > 1 else x


@aten("_assert_tensor_metadata.default")
def _nothing(_: Scope, *__: object, **___: object) -> tuple[Value, ...]:
    return ()


def slice_axis(s: Scope, x: Value, axis: int, start: int, end: int, step: int = 1) -> Value:
    """Part of an axis."""
    if (start, end, step) == (0, x.shape[axis], 1):
        return x
    begin, stop, strides = [0] * x.type.rank, list(x.shape), [1] * x.type.rank
    begin[axis], stop[axis], strides[axis] = start, end, step
    return s.op(ops.StridedSlice(tuple(begin), tuple(stop), tuple(strides)), x)


@aten("slice.Tensor")
def _slice(s: Scope, x: Value, axis: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Value:
    axis = normal_axis(axis, x.type.rank)
    return slice_axis(s, x, axis, *slice(start, end, step).indices(x.shape[axis]))


@aten("narrow.default")
def _narrow(s: Scope, x: Value, axis: int, start: int, length: int) -> Value:
    return _slice(s, x, axis, start, start + length)


@aten("select.int")
def _select(s: Scope, x: Value, axis: int, index: int) -> Value:
    axis = normal_axis(axis, x.type.rank)
    start = index % x.shape[axis]
    return reshape(s, slice_axis(s, x, axis, start, start + 1), s.shape)


def pieces(s: Scope, x: Value, sizes: Sequence[int], axis: int) -> tuple[Value, ...]:
    """The value cut along an axis."""
    ends = np.cumsum(sizes)
    starts = ends - np.asarray(sizes)
    return tuple(slice_axis(s, x, axis, int(a), int(b)) for a, b in zip(starts, ends, strict=True))


@aten("chunk.default", "split.Tensor", "split_with_sizes.default", "split.sizes", "tensor_split.sections")
def _split(s: Scope, x: Value, _: object, axis: int = 0) -> tuple[Value, ...]:
    axis = normal_axis(axis, x.type.rank)
    return pieces(s, x, [int(t.shape[axis]) for t in s.node.meta["val"]], axis)


@aten("unbind.int")
def _unbind(s: Scope, x: Value, axis: int = 0) -> tuple[Value, ...]:
    axis = normal_axis(axis, x.type.rank)
    rows = pieces(s, x, [1] * x.shape[axis], axis)
    return tuple(reshape(s, row, x.shape[:axis] + x.shape[axis + 1 :]) for row in rows)


@aten("getitem")
def _getitem(_: Scope, values: Sequence[Value], index: int) -> Value:
    return values if isinstance(values, Value) else values[index]


@aten("cat.default", "concat.default", "concatenate.default")
def _cat(s: Scope, values: Sequence[Value], axis: int = 0) -> Value:
    return s.op(ops.Concatenation(normal_axis(axis, values[0].type.rank)), *values)


@aten("stack.default")
def _stack(s: Scope, values: Sequence[Value], axis: int = 0) -> Value:
    axis = normal_axis(axis, values[0].type.rank + 1)
    shape = (*values[0].shape[:axis], 1, *values[0].shape[axis:])
    return s.op(ops.Concatenation(axis), *(reshape(s, v, shape) for v in values))
