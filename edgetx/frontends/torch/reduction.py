"""ATen reductions over axes."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgetx import ops
from edgetx.errors import UnsupportedOpError
from edgetx.frontends import composites
from edgetx.frontends.composites import cumulative_sum
from edgetx.frontends.torch.arithmetic import mul
from edgetx.frontends.torch.scope import Scope, aten, normal_axis, values_only
from edgetx.ir import Value


def _axes(x: Value, axes: Sequence[int] | int | None) -> tuple[int, ...]:
    """Axes counted from the front; all of them if none are named."""
    listed = [axes] if isinstance(axes, int) else axes or range(x.type.rank)
    return tuple(sorted(normal_axis(axis, x.type.rank) for axis in listed))


@aten("mean.dim", "mean.default")
def mean(s: Scope, x: Value, axes: Sequence[int] | None = None, keepdim: bool = False, **_: object) -> Value:
    """Mean over axes."""
    return s.op(ops.Mean(_axes(x, axes), keepdim), x)


@aten("sum.dim_IntList", "sum.default")
def _sum(s: Scope, x: Value, axes: Sequence[int] | None = None, keepdim: bool = False, **_: object) -> Value:
    op = ops.Mean(_axes(x, axes), keepdim)
    return mul(s, s.op(op, x, suffix=".mean"), op.count(x.type))


@aten("var.correction")
def _variance(
    s: Scope, x: Value, axes: Sequence[int] | None = None, *, correction: float = 1, keepdim: bool = False
) -> Value:
    op = ops.Mean(_axes(x, axes), keepdim)
    count = op.count(x.type)
    centred = s.op(ops.Sub(), x, mean(s, x, axes, True), suffix=".centred")
    y = s.op(op, s.op(ops.Square(), centred, suffix=".square"))
    return y if correction == 0 else mul(s, y, count / (count - correction))


@aten("std.correction")
def _deviation(
    s: Scope, x: Value, axes: Sequence[int] | None = None, *, correction: float = 1, keepdim: bool = False
) -> Value:
    return s.op(ops.Sqrt(), _variance(s, x, axes, correction=correction, keepdim=keepdim))


@aten("var_mean.correction", "std_mean.correction")
def _spread_and_mean(s: Scope, x: Value, axes: Sequence[int] | None = None, **settings: Any) -> tuple[Value, ...]:
    spread = _variance if "var" in str(s.node.target) else _deviation
    return spread(s, x, axes, **settings), mean(s, x, axes, bool(settings.get("keepdim", False)))


@aten("linalg_vector_norm.default")
def _norm(
    s: Scope, x: Value, order: float = 2, axes: Sequence[int] | None = None, keepdim: bool = False, **_: object
) -> Value:
    if order in (1, float("inf")):
        sizes = s.op(ops.Abs(), x, suffix=".abs")
        return _sum(s, sizes, axes, keepdim) if order == 1 else _largest(s, sizes, axes, keepdim)
    if order != 2:
        raise UnsupportedOpError(f"norm of order {order}", hint="norms of order 1, 2 and infinity are supported")
    return s.op(ops.Sqrt(), _sum(s, s.op(ops.Square(), x, suffix=".square"), axes, keepdim))


@aten("amax.default", "max.default")
def _largest(s: Scope, x: Value, axes: Sequence[int] | int | None = None, keepdim: bool = False) -> Value:
    return s.op(ops.ReduceMax(_axes(x, axes), keepdim), x)


@aten("any.dim", "any.dims", "any.default")
def _any(s: Scope, x: Value, axes: Sequence[int] | int | None = None, keepdim: bool = False) -> Value:
    """Of truths."""
    return _largest(s, x, axes, keepdim)


@aten("all.dim", "all.dims", "all.default")
def _all(s: Scope, x: Value, axes: Sequence[int] | int | None = None, keepdim: bool = False) -> Value:
    """Of truths."""
    return _smallest(s, x, axes, keepdim)


@aten("amin.default", "min.default")
def _smallest(s: Scope, x: Value, axes: Sequence[int] | int | None = None, keepdim: bool = False) -> Value:
    return s.op(ops.Neg(), _largest(s, s.op(ops.Neg(), x, suffix=".neg"), axes, keepdim))


@aten("max.dim")
def _largest_of_axis(s: Scope, x: Value, axis: int, keepdim: bool = False) -> tuple[Value, ...]:
    values_only(s)
    return (_largest(s, x, axis, keepdim),) * 2


@aten("min.dim")
def _smallest_of_axis(s: Scope, x: Value, axis: int, keepdim: bool = False) -> tuple[Value, ...]:
    values_only(s)
    return (_smallest(s, x, axis, keepdim),) * 2


@aten("prod.dim_int")
def _product(s: Scope, x: Value, axis: int, keepdim: bool = False, **_: object) -> Value:
    return composites.product(s, x, normal_axis(axis, x.type.rank), keepdims=keepdim)


@aten("_cdist_forward.default")
def _distances(s: Scope, a: Value, b: Value, order: float, _: object = None) -> Value:
    if order != 2:
        raise UnsupportedOpError(f"distances of order {order}", hint="use Euclidean distances")
    return composites.distances(s, a, b)


@aten("avg_pool3d.default")
def _average_along(
    s: Scope, x: Value, kernel: Sequence[int], stride: Sequence[int] = (), padding: Sequence[int] = (0,), *_: object
) -> Value:
    """Along one axis, as local response normalization has it; whatever pads is counted."""
    wide = [i for i, n in enumerate(kernel) if n != 1]
    if len(wide) != 1 or any(n != 1 for n in stride) or any(padding):
        raise UnsupportedOpError("pooling in three dimensions", hint="pool along one or two")
    axis, size = x.type.rank - 3 + wide[0], kernel[wide[0]]
    n = x.shape[axis]
    return composites.along(s, x, axis, np.stack([np.eye(n)[i : i + size].mean(0) for i in range(n - size + 1)]))


@aten("cumsum.default")
def _cumulative(s: Scope, x: Value, axis: int, **_: object) -> Value:
    return cumulative_sum(s, x, normal_axis(axis, x.type.rank))
