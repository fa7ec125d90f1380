"""ATen ops that only move elements."""

from collections.abc import Sequence

import numpy as np

from edgetx import ops
from edgetx.errors import UnsupportedOpError
from edgetx.frontends.torch.scope import Scope, aten, normal_axis, reshape, transpose
from edgetx.ir import Value


@aten("view.default", "reshape.default", "_unsafe_view.default", "flatten.using_ints", "unflatten.int",
      "unsqueeze.default", "squeeze.dim", "squeeze.dims", "squeeze.default", "view_as.default")  # fmt: skip
def _view(s: Scope, x: Value, *_: object, **__: object) -> Value:
    return reshape(s, x, s.shape)


@aten("contiguous.default", "clone.default", "dropout.default", "alias.default", "detach.default", "detach_.default",
      "to.dtype", "to.device", "_to_copy.default", "lift_fresh_copy.default", "feature_dropout.default",
      "native_dropout.default", "to.dtype_layout")  # fmt: skip
def _identity(_: Scope, x: Value, *__: object, **___: object) -> Value:
    return x


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


@aten("expand.default", "expand_as.default")
def _expand(s: Scope, x: Value, *_: object, **__: object) -> Value:
    if x.type.size == int(np.prod(s.shape)):
        return reshape(s, x, s.shape)
    return s.const(np.broadcast_to(s.data(x, "what is expanded"), s.shape), "expanded")


def _slicenormal_axis(s: Scope, x: Value, axis: int, start: int, end: int, step: int = 1) -> Value:
    if (start, end, step) == (0, x.shape[axis], 1):
        return x
    begin, stop, strides = [0] * x.type.rank, list(x.shape), [1] * x.type.rank
    begin[axis], stop[axis], strides[axis] = start, end, step
    return s.op(ops.StridedSlice(tuple(begin), tuple(stop), tuple(strides)), x)


@aten("slice.Tensor")
def _slice(s: Scope, x: Value, axis: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Value:
    axis = normal_axis(axis, x.type.rank)
    return _slicenormal_axis(s, x, axis, *slice(start, end, step).indices(x.shape[axis]))


@aten("narrow.default")
def _narrow(s: Scope, x: Value, axis: int, start: int, length: int) -> Value:
    return _slice(s, x, axis, start, start + length)


@aten("select.int")
def _select(s: Scope, x: Value, axis: int, index: int) -> Value:
    axis = normal_axis(axis, x.type.rank)
    start = index % x.shape[axis]
    return reshape(s, _slicenormal_axis(s, x, axis, start, start + 1), s.shape)


def _pieces(s: Scope, x: Value, sizes: Sequence[int], axis: int) -> tuple[Value, ...]:
    ends = np.cumsum(sizes)
    starts = ends - np.asarray(sizes)
    return tuple(_slicenormal_axis(s, x, axis, int(a), int(b)) for a, b in zip(starts, ends, strict=True))


@aten("chunk.default", "split.Tensor", "split_with_sizes.default", "split.sizes", "tensor_split.sections")
def _split(s: Scope, x: Value, _: object, axis: int = 0) -> tuple[Value, ...]:
    axis = normal_axis(axis, x.type.rank)
    return _pieces(s, x, [int(t.shape[axis]) for t in s.node.meta["val"]], axis)


@aten("unbind.int")
def _unbind(s: Scope, x: Value, axis: int = 0) -> tuple[Value, ...]:
    axis = normal_axis(axis, x.type.rank)
    pieces = _pieces(s, x, [1] * x.shape[axis], axis)
    return tuple(reshape(s, p, x.shape[:axis] + x.shape[axis + 1 :]) for p in pieces)


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


@aten("constant_pad_nd.default", "pad.default")
def _pad(s: Scope, x: Value, pads: Sequence[int], mode: str | float = "constant", value: float | None = 0.0) -> Value:
    fill = mode if isinstance(mode, int | float) else value
    if isinstance(mode, str) and mode != "constant":
        raise UnsupportedOpError(f"padding mode '{mode}'", hint="pad with zeros")
    if fill not in (0.0, None):
        raise UnsupportedOpError(f"padding with {fill}", hint="pad with zeros")
    pairs = [(0, 0)] * (x.type.rank - len(pads) // 2)
    pairs += [(pads[i], pads[i + 1]) for i in range(len(pads) - 2, -1, -2)]
    if any(p < 0 for pair in pairs for p in pair):
        raise UnsupportedOpError("negative padding", hint="slice instead")
    return s.op(ops.Pad(tuple(pairs)), x)
