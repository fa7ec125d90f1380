"""ATen ops that repeat, pick or replace elements."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch.fx import Node as FxNode

from edgetx import ops
from edgetx.errors import UnsupportedOpError
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


@aten("repeat.default")
def _repeat(s: Scope, x: Value, *_: object) -> Value:
    y = reshape(s, x, (*[1] * (len(s.shape) - x.type.rank), *x.shape))
    for axis, size in enumerate(s.shape):
        y = gather(s, y, axis, np.arange(size) % y.shape[axis])
    return y


@aten("roll.default")
def _roll(s: Scope, x: Value, shifts: Sequence[int], axes: Sequence[int] = ()) -> Value:
    if not axes:
        raise UnsupportedOpError("roll over all axes at once", hint="name the axis")
    for shift, axis in zip(shifts, axes, strict=True):
        x = gather(s, x, normal_axis(axis, x.type.rank), np.roll(np.arange(x.shape[axis]), shift))
    return x


@aten("flip.default")
def _flip(s: Scope, x: Value, axes: Sequence[int]) -> Value:
    for axis in axes:
        x = gather(s, x, normal_axis(axis, x.type.rank), range(x.shape[axis])[::-1])
    return x


@aten("index_select.default")
def _index_select(s: Scope, x: Value, axis: int, index: Value) -> Value:
    return gather(s, x, normal_axis(axis, x.type.rank), s.data(index, "the index"))


@aten("index.Tensor")
def _index(s: Scope, x: Value, indices: Sequence[Value | None]) -> Value:
    used = [(axis, index) for axis, index in enumerate(indices) if index is not None]
    if len(used) != 1 or used[0][1].type.rank != 1:
        raise UnsupportedOpError(
            "indexing by several tensors or by a mask", hint="index one axis by a list of positions"
        )
    ((axis, index),) = used
    return gather(s, x, axis, s.data(index, "the index") % x.shape[axis])


@aten("unfold.default")
def _unfold(s: Scope, x: Value, axis: int, size: int, step: int) -> Value:
    """Windows along an axis; the elements of each become the last axis."""
    axis = normal_axis(axis, x.type.rank)
    starts = np.arange(0, x.shape[axis] - size + 1, step)
    windows = gather(s, x, axis, np.add.outer(starts, np.arange(size)).ravel())
    y = reshape(s, windows, (*x.shape[:axis], len(starts), size, *x.shape[axis + 1 :]))
    order = [i for i in range(y.type.rank) if i != axis + 1]
    return transpose(s, y, [*order, axis + 1])


@aten("slice_scatter.default")
def _slice_scatter(
    s: Scope, x: Value, part: Value, axis: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Value:
    """The value with `part` in place of a slice."""
    axis = normal_axis(axis, x.type.rank)
    first, last, _ = slice(start, end).indices(x.shape[axis])
    if step != 1:
        raise UnsupportedOpError(f"writing into every {step}th element", hint="write into a contiguous slice")
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


@aten("constant_pad_nd.default", "pad.default")
def _pad(s: Scope, x: Value, pads: Sequence[int], mode: str | float = "constant", value: float | None = 0.0) -> Value:
    pairs = [(0, 0)] * (x.type.rank - len(pads) // 2)
    pairs += [(pads[i], pads[i + 1]) for i in range(len(pads) - 2, -1, -2)]
    fill = mode if isinstance(mode, int | float) else value
    if isinstance(mode, str) and mode != "constant":
        for axis, pair in enumerate(pairs):
            x = gather(s, x, axis, np.pad(np.arange(x.shape[axis]), pair, PAD_MODES[mode]))
        return x
    if fill not in (0.0, None):
        raise UnsupportedOpError(f"padding with {fill}", hint="pad with zeros")
    if any(p < 0 for pair in pairs for p in pair):
        raise UnsupportedOpError("negative padding", hint="slice instead")
    return s.op(ops.Pad(tuple(pairs)), x)
