"""Base of reductions over axes."""

import math
from dataclasses import dataclass
from typing import ClassVar

from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.ir import Node, TensorType
from edgetx.ops.op import Cost, Op


@dataclass(frozen=True)
class Reduction(Op):
    """One number for all elements along `axes`, which stay as axes of size 1 if `keepdims`."""

    activation_bits: ClassVar[frozenset[int]] = frozenset({8, 16})

    axes: tuple[int, ...]
    keepdims: bool = False

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        (x,) = inputs
        if not self.axes or len(set(self.axes)) != len(self.axes) or not set(self.axes) <= set(range(x.rank)):
            raise ModelError(f"{self.name} of {x.shape} over axes {self.axes}")
        kept = [(1 if i in self.axes else n) for i, n in enumerate(x.shape) if self.keepdims or i not in self.axes]
        return (TensorType(tuple(kept)),)

    def count(self, x: TensorType) -> int:
        """Number of elements that become one."""
        return math.prod(x.shape[axis] for axis in self.axes)

    def cost(self, node: Node) -> Cost:
        return Cost(elementwise=node.inputs[0].type.size)

    def runs(self, node: Node) -> dict[str, int]:
        """The operand as [outer][count][inner], reduced along `count`.

        Raises:
            UnsupportedOpError: If the axes are not neighbours.
        """
        x = node.inputs[0].type
        axes = [axis for axis in self.axes if x.shape[axis] > 1] or [min(self.axes)]
        first, last = min(axes), max(axes)
        if math.prod(x.shape[first : last + 1]) != self.count(x):
            raise UnsupportedOpError(f"{self.name} over axes {self.axes} that are not neighbours", where=node.name)
        return {
            "outer": math.prod(x.shape[:first]),
            "count": self.count(x),
            "inner": math.prod(x.shape[last + 1 :]),
        }
