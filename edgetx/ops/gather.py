"""Selection of elements by index."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.errors import ModelError
from edgetx.ir import Array, Arrays, Node, TensorType
from edgetx.ops.op import Cost, KernelCall, OnnxBuilder, Op, TfliteBuilder, register
from edgetx.ops.quant_rule import SAME_AS_INPUT, QuantRule


@register
@dataclass(frozen=True)
class Gather(Op):
    """The elements at fixed indices along an axis, in their order."""

    name: ClassVar[str] = "gather"
    activation_bits: ClassVar[frozenset[int]] = frozenset({8, 16})

    axis: int
    indices: tuple[int, ...]

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        (x,) = inputs
        ends = (min(self.indices), max(self.indices)) if self.indices else ()
        if not 0 <= self.axis < x.rank or not all(0 <= index < x.shape[self.axis] for index in ends):
            raise ModelError(f"gather of {x.shape} along axis {self.axis}: an index is out of range")
        return (x.with_shape((*x.shape[: self.axis], len(self.indices), *x.shape[self.axis + 1 :])),)

    def float_ref(self, *inputs: Array) -> Arrays:
        (x,) = inputs
        return (np.take(x, self.indices, self.axis),)

    def int_ref(self, node: Node, *inputs: Array) -> Arrays:
        return self.float_ref(*inputs)

    def quant_rule(self) -> QuantRule:
        return SAME_AS_INPUT

    def cost(self, node: Node) -> Cost:
        return Cost(elementwise=node.output.type.size)

    def to_tflite(self, node: Node, b: TfliteBuilder) -> None:
        indices = b.const(np.array(self.indices, np.int32), f"{node.name}.indices")
        b.op(node, "GATHER", [node.inputs[0], indices], {"Axis": self.axis})

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        indices = b.const(np.array(self.indices, np.int64))
        b.result(node, b.op("Gather", [b.real(node.inputs[0]), indices], {"axis": self.axis}))

    def to_c(self, node: Node) -> KernelCall:
        x = node.inputs[0]
        outer = math.prod(x.shape[: self.axis])
        params: dict[str, int | Sequence[int]] = {
            "outer": outer,
            "size": x.shape[self.axis],
            "count": len(self.indices),
            "run": x.type.nbytes // outer // x.shape[self.axis],
        }
        return KernelCall("gather_s8", params, (x, np.array(self.indices, np.int32)))
