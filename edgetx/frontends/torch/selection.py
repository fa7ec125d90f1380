"""ATen ops that repeat, pick or replace elements."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch._ops import OpOverload
from torch.fx import Node as FxNode

from edgetx import ops
from edgetx.errors import UnsupportedOpError
from edgetx.frontends import composites
from edgetx.frontends.torch.movement import slice_axis
from edgetx.frontends.torch.scope import Scope, aten, normal_axis, reshape, transpose
from edgetx.ir import Array, Value

BROADCASTING = ("aten.add.Tensor", "aten.sub.Tensor", "aten.mul.Tensor", "aten.div.Tensor")
EXPANSIONS = (torch.ops.aten.expand.default, torch.ops.aten.expand_as.default)
PAD_MODES: dict[str, Literal["reflect", "edge", "wrap"]] = {
    "reflect": "reflect",
    "replicate": "edge",
    "circular": "wrap",
}
"""Modes of `torch.nn.functional.pad`, as numpy calls them."""


def gather(s: Scope, x: Value, axis: int, indices: Sequence[int] | Array) -> Value:
    """The elements at these indices of an axis."""
    chosen = tuple(map(int, indices))
    return x if chosen == tuple(range(x.shape[axis])) else s.op(ops.Gather(axis, chosen), x)


@aten("expand.default", "expand_as.default")
def _expand(s: Scope, x: Value, *_: object, **__: object) -> Value:
    if all(_broadcasts(user, s.shape) for user in s.node.users):
        return x
    return _repeat(s, x)


def _broadcasts(user: FxNode, shape: tuple[int, ...]) -> bool:
    """Whether a node repeats its operand to that shape by itself, since another operand has it."""
    others = [operand for operand in user.all_input_nodes if operand.target not in EXPANSIONS]
    return str(user.target) in BROADCASTING and any(tuple(other.meta["val"].shape) == shape for other in others)


@aten("full_like.default", "new_full.default", "zeros_like.default", "ones_like.default", "new_zeros.default",
      "new_ones.default")  # fmt: skip
def _filled(s: Scope, *settings: Any, **_: object) -> Value:
    """A constant in the shape of the result."""
    target = str(s.node.target)
    number = float("ones" in target) if "full" not in target else settings[-1]
    return s.const(np.full(s.shape, number), "filled")


@aten("repeat.default")
def _repeat(s: Scope, x: Value, *_: object) -> Value:
    y = reshape(s, x, (*[1] * (len(s.shape) - x.type.rank), *x.shape))
    for axis, size in enumerate(s.shape):
        y = gather(s, y, axis, np.arange(size) % y.shape[axis])
    return y


@aten("roll.default")
def _roll(s: Scope, x: Value, shifts: Sequence[int], axes: Sequence[int] = ()) -> Value:
    if not axes:
        return reshape(s, gather(s, flat(s, x), 0, np.roll(np.arange(x.type.size), shifts[0])), x.shape)
    for shift, axis in zip(shifts, axes, strict=True):
        x = gather(s, x, normal_axis(axis, x.type.rank), np.roll(np.arange(x.shape[axis]), shift))
    return x


@aten("flip.default")
def _flip(s: Scope, x: Value, axes: Sequence[int]) -> Value:
    for axis in axes:
        x = gather(s, x, normal_axis(axis, x.type.rank), range(x.shape[axis])[::-1])
    return x


@aten("embedding.default")
def _embedding(s: Scope, table: Value, index: Value, *_: object) -> Value:
    return s.op(ops.Lookup(), table, index)


@aten("argmax.default", "argmin.default")
def _place(s: Scope, x: Value, axis: int | None = None, keepdim: bool = False) -> Value:
    y = x if "argmax" in str(s.node.target) else s.op(ops.Neg(), x, suffix=".neg")
    y = flat(s, y) if axis is None else y
    return reshape(s, s.op(ops.ArgMax(normal_axis(axis or 0, y.type.rank)), y), s.shape)


@aten("index_select.default")
def _index_select(s: Scope, x: Value, axis: int, index: Value) -> Value:
    if index.name not in s.builder.consts and normal_axis(axis, x.type.rank) == 0:
        return s.op(ops.Lookup(), x, index)
    return gather(s, x, normal_axis(axis, x.type.rank), s.data(index, "the index"))


@aten("index.Tensor", "_unsafe_index.Tensor")
def _index(s: Scope, x: Value, indices: Sequence[Value | None]) -> Value:
    used = [(axis, index) for axis, index in enumerate(indices) if index is not None]
    if len(used) == 1 and used[0][0] == 0 and used[0][1].name not in s.builder.consts:
        return s.op(ops.Lookup(), x, used[0][1])
    if len(used) == 1 and used[0][1].type.rank == 1:
        ((axis, index),) = used
        return gather(s, x, axis, s.data(index, "the index") % x.shape[axis])
    return picked(s, x, [None if index is None else positions(s, index) for index in indices])


@aten("unfold.default")
def _unfold(s: Scope, x: Value, axis: int, size: int, step: int) -> Value:
    """Windows along an axis; the elements of each become the last axis."""
    axis = normal_axis(axis, x.type.rank)
    starts = np.arange(0, x.shape[axis] - size + 1, step)
    windows = gather(s, x, axis, np.add.outer(starts, np.arange(size)).ravel())
    y = reshape(s, windows, (*x.shape[:axis], len(starts), size, *x.shape[axis + 1 :]))
    order = [i for i in range(y.type.rank) if i != axis + 1]
    return transpose(s, y, [*order, axis + 1])


@aten("gather.default", "im2col.default", "diagonal.default", "take_along_dim.default")
def _pick(s: Scope, x: Value, *settings: Any, **named: Any) -> Value:
    return picked(s, x, *(positions(s, a) if isinstance(a, Value) else a for a in settings), **named)


def flat(s: Scope, x: Value) -> Value:
    """All elements along one axis."""
    return reshape(s, x, (x.type.size,))


def positions(s: Scope, index: Value) -> torch.Tensor:
    """A constant index as torch's own ops take it."""
    return torch.from_numpy(s.data(index, "the index").astype(np.int64))


def picked(s: Scope, x: Value, *settings: Any, **named: Any) -> Value:
    """What an op that only picks elements does, found by applying it to their positions; zeros are its padding."""
    assert isinstance(s.node.target, OpOverload)
    numbered = torch.arange(1, x.type.size + 1, dtype=torch.float64).reshape(x.shape)
    places = s.node.target(numbered, *settings, **named).numpy().astype(np.int64) - 1
    whole = flat(s, x)
    if (places < 0).any():
        whole = s.op(ops.Concatenation(0), whole, s.const(np.zeros(1), "zero"))
    return reshape(s, gather(s, whole, 0, (places % whole.type.size).ravel()), places.shape)


def replaced(s: Scope, x: Value, part: Value, write: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> Value:
    """What an op that writes `part` into x leaves of both, found by applying it to positions."""
    n = x.type.size
    places = write(torch.arange(n).reshape(x.shape), n + torch.arange(part.type.size).reshape(part.shape))
    both = s.op(ops.Concatenation(0), flat(s, x), flat(s, part))
    return reshape(s, gather(s, both, 0, places.numpy().ravel()), x.shape)


@aten("index_put.default")
def _index_put(s: Scope, x: Value, indices: Sequence[Value | None], part: Value, accumulate: bool = False) -> Value:
    if accumulate:
        raise UnsupportedOpError("writing that adds up", hint="add to the parts one by one")
    at = [None if index is None else positions(s, index) for index in indices]
    return replaced(s, x, part, lambda old, new: torch.ops.aten.index_put(old, at, new))


@aten("scatter.src", "scatter.value")
def _scatter(s: Scope, x: Value, axis: int, index: Value, part: Value | float) -> Value:
    at = positions(s, index)
    new = part if isinstance(part, Value) else s.const(np.full(at.shape, part), "part")
    return replaced(s, x, new, lambda a, b: torch.scatter(a, axis, at, b))


@aten("slice_scatter.default")
def _slice_scatter(
    s: Scope, x: Value, part: Value, axis: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Value:
    """The value with `part` in place of a slice."""
    axis = normal_axis(axis, x.type.rank)
    first, last, _ = slice(start, end).indices(x.shape[axis])
    if step != 1:
        return replaced(s, x, part, lambda old, new: torch.slice_scatter(old, new, axis, start, end, step))
    before = [slice_axis(s, x, axis, 0, first)] if first > 0 else []
    after = [slice_axis(s, x, axis, last, x.shape[axis])] if last < x.shape[axis] else []
    return s.op(ops.Concatenation(axis), *before, part, *after) if before or after else part


@aten("select_scatter.default")
def _select_scatter(s: Scope, x: Value, part: Value, axis: int, index: int) -> Value:
    axis = normal_axis(axis, x.type.rank)
    row = reshape(s, part, (*x.shape[:axis], 1, *x.shape[axis + 1 :]))
    return _slice_scatter(s, x, row, axis, index % x.shape[axis], index % x.shape[axis] + 1)


@aten("copy.default")
def _copy(s: Scope, _: Value, source: Value) -> Value:
    return _repeat(s, source)


@aten("reflection_pad1d.default", "reflection_pad2d.default", "replication_pad1d.default", "replication_pad2d.default")
def _mirrored(s: Scope, x: Value, pads: Sequence[int]) -> Value:
    return _pad(s, x, pads, "reflect" if "reflection" in str(s.node.target) else "replicate")


@aten("constant_pad_nd.default", "pad.default")
def _pad(s: Scope, x: Value, pads: Sequence[int], mode: str | float = "constant", value: float | None = 0.0) -> Value:
    pairs = [(0, 0)] * (x.type.rank - len(pads) // 2)
    pairs += [(pads[i], pads[i + 1]) for i in range(len(pads) - 2, -1, -2)]
    fill = mode if isinstance(mode, int | float) else value
    if isinstance(mode, str) and mode != "constant":
        for axis, pair in enumerate(pairs):
            x = gather(s, x, axis, np.pad(np.arange(x.shape[axis]), pair, PAD_MODES[mode]))
        return x
    return composites.padded(s, x, pairs, fill or 0)
