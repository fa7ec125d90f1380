"""What handlers that are written for all frontends build with."""

from typing import Protocol

from edgetx import ops
from edgetx.ir import Array, Value


class Builder(Protocol):
    """What a scope of any frontend offers."""

    def op(self, op: ops.Op, *inputs: Value) -> Value:
        """Apply an op."""

    def const(self, data: Array, suffix: str) -> Value:
        """A constant named after the op of the model."""

    def known(self, value: Value) -> Array | None:
        """The data of a constant; None of what is computed."""


def part(s: Builder, x: Value, axis: int, begin: int, end: int) -> Value:
    """The elements from `begin` up to but without `end` along an axis counted from the front."""
    if (begin, end) == (0, x.shape[axis]):
        return x
    starts, ends = [0] * x.type.rank, list(x.shape)
    starts[axis], ends[axis] = begin, end
    return s.op(ops.StridedSlice(tuple(starts), tuple(ends), (1,) * x.type.rank), x)
