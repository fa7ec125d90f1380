"""Ops that read their operand in another order; one C kernel copies for all of them."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.ir import Array, Arrays, Node
from edgetx.ops.axes import merge_axes
from edgetx.ops.op import Cost, KernelCall, Op
from edgetx.ops.quant_rule import SAME_AS_INPUT, QuantRule


@dataclass(frozen=True)
class Strided(Op):
    """A result that is a numpy view of the operand."""

    activation_bits: ClassVar[frozenset[int]] = frozenset({8, 16})

    @abstractmethod
    def view(self, x: Array) -> Array:
        """The elements of the result, where they lie in the operand."""

    def float_ref(self, *inputs: Array) -> Arrays:
        (x,) = inputs
        return (self.view(x).copy(),)

    def int_ref(self, node: Node, *inputs: Array) -> Arrays:
        return self.float_ref(*inputs)

    def quant_rule(self) -> QuantRule:
        return SAME_AS_INPUT

    def cost(self, node: Node) -> Cost:
        return Cost(elementwise=node.output.type.size)

    def to_c(self, node: Node) -> KernelCall:
        x = node.inputs[0]
        whole = np.empty(x.shape, x.type.dtype)
        view = self.view(whole)
        first = view.__array_interface__["data"][0] - whole.__array_interface__["data"][0]
        sizes, steps, run = [*view.shape], [*view.strides], view.itemsize
        while sizes and (sizes[-1] == 1 or steps[-1] == run):
            run *= sizes.pop()
            steps.pop()
        dims, strides = merge_axes(node.name, sizes, steps)
        params: dict[str, int | Sequence[int]] = {"dims": dims, "steps": strides, "run": run, "first": first}
        return KernelCall("strided_copy_s8", params, (x,))
