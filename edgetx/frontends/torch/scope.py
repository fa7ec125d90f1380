"""Handlers of ATen ops: how they are registered, and what they work with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from torch.fx import Node as FxNode

from edgetx import ops
from edgetx.errors import UnsupportedOpError
from edgetx.ir import Array, GraphBuilder, Value

Handler = Callable[..., "Value | tuple[Value, ...]"]
HandlerT = TypeVar("HandlerT", bound=Handler)
HANDLERS: dict[str, Handler] = {}


def aten(*targets: str) -> Callable[[HandlerT], HandlerT]:
    """Register the handler of ATen ops, named as in `torch.ops.aten`."""

    def register(handler: HandlerT) -> HandlerT:
        HANDLERS.update(dict.fromkeys(targets, handler))
        return handler

    return register


@dataclass
class Scope:
    """What a handler works with.

    Attributes:
        builder: The graph being built.
        where: Place of the op in the user's model.
        node: The traced node.
    """

    builder: GraphBuilder
    where: str
    node: FxNode

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the node's result."""
        return tuple(int(n) for n in self.node.meta["val"].shape)

    def op(self, op: ops.Op, *inputs: Value, suffix: str = "") -> Value:
        """Apply an op of ours; `suffix` sets helpers apart from the op that the user will look for."""
        return self.builder.op(op, *inputs, name=self.where + suffix)

    def const(self, data: Array, suffix: str) -> Value:
        """A constant named after the op."""
        return self.builder.const(np.asarray(data, np.float32), f"{self.where}.{suffix}")

    def known(self, value: Value) -> Array | None:
        """The data of a constant; None of what is computed."""
        return self.builder.consts.get(value.name)

    def data(self, value: Value, what: str) -> Array:
        """The data of an operand that must be a constant.

        Raises:
            UnsupportedOpError: If it is computed.
        """
        data = self.builder.consts.get(value.name)
        if data is None:
            raise UnsupportedOpError(f"{what} is computed, but must be a parameter", where=self.where)
        return data


def normal_axis(axis: int, rank: int) -> int:
    """An axis counted from the front."""
    return axis % rank


def reshape(s: Scope, x: Value, shape: Sequence[int]) -> Value:
    """The value in another shape."""
    return x if tuple(shape) == x.shape else s.op(ops.Reshape(tuple(shape)), x, suffix=".layout")


def transpose(s: Scope, x: Value, order: Sequence[int]) -> Value:
    """The value with its axes in another order."""
    return x if list(order) == sorted(order) else s.op(ops.Transpose(tuple(order)), x, suffix=".layout")


def values_only(s: Scope) -> None:
    """Refuse an op of which the second result, the place of an extreme value, is read."""
    if any(user.args[1] == 1 and user.users for user in s.node.users):
        raise UnsupportedOpError("the place of a largest or smallest value", hint="use the value alone")
