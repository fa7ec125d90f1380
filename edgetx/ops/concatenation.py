"""Concatenation."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.errors import ModelError
from edgetx.ir import Array, Arrays, Node, TensorType
from edgetx.ops.op import Cost, KernelCall, OnnxBuilder, Op, TfliteBuilder, register
from edgetx.ops.quant_rule import QuantRule


@register
@dataclass(frozen=True)
class Concatenation(Op):
    """Operands one after the other along `axis`."""

    name: ClassVar[str] = "concatenation"
    activation_bits: ClassVar[frozenset[int]] = frozenset({8, 16})

    axis: int

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        first = inputs[0]
        if not 0 <= self.axis < first.rank:
            raise ModelError(f"concatenation along axis {self.axis} of {first.shape}")
        before, after = first.shape[: self.axis], first.shape[self.axis + 1 :]
        if any((x.shape[: self.axis], x.shape[self.axis + 1 :]) != (before, after) for x in inputs):
            shapes = ", ".join(str(x.shape) for x in inputs)
            raise ModelError(f"concatenation along axis {self.axis} of {shapes}")
        return (first.with_shape((*before, sum(x.shape[self.axis] for x in inputs), *after)),)

    def float_ref(self, *inputs: Array) -> Arrays:
        return (np.concatenate(inputs, self.axis),)

    def int_ref(self, node: Node, *inputs: Array) -> Arrays:
        return self.float_ref(*inputs)

    def quant_rule(self) -> QuantRule:
        return QuantRule(shared=True)

    def cost(self, node: Node) -> Cost:
        return Cost(elementwise=node.output.type.size)

    def to_tflite(self, node: Node, b: TfliteBuilder) -> None:
        b.op(node, "CONCATENATION", options={"Axis": self.axis})

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        b.result(node, b.op("Concat", [b.real(value) for value in node.inputs], {"axis": self.axis}))

    def to_c(self, node: Node) -> KernelCall:
        outer = math.prod(node.output.shape[: self.axis])
        sizes = np.array([value.type.nbytes // outer for value in node.inputs], np.int32)
        params: dict[str, int | Sequence[int]] = {"outer": outer, "count": len(node.inputs)}
        return KernelCall("concatenation_s8", params, (sizes, *node.inputs), variadic=True)
