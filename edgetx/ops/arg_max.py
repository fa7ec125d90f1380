"""Place of the largest element along an axis."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.errors import ModelError
from edgetx.ir import Array, Arrays, Node, TensorType
from edgetx.ops.op import KERNEL_SUFFIX, Cost, KernelCall, OnnxBuilder, Op, TfliteBuilder, register
from edgetx.ops.quant_rule import PLACES, PLACES_MAX, QuantRule

FLOAT = 1
"""The element type, in ONNX's numbering."""


@register
@dataclass(frozen=True)
class ArgMax(Op):
    """The index of the largest element along an axis, which goes away; of equal ones the first."""

    name: ClassVar[str] = "arg_max"
    activation_bits: ClassVar[frozenset[int]] = frozenset({8, 16})

    axis: int

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        (x,) = inputs
        if not 0 <= self.axis < x.rank or not 0 < x.shape[self.axis] <= PLACES_MAX:
            raise ModelError(f"arg_max of {x.shape} along axis {self.axis}")
        return (TensorType(x.shape[: self.axis] + x.shape[self.axis + 1 :]),)

    def float_ref(self, *inputs: Array) -> Arrays:
        (x,) = inputs
        return (x.argmax(self.axis).astype(np.float32),)

    def int_ref(self, node: Node, *inputs: Array) -> Arrays:
        (x,) = inputs
        return (x.argmax(self.axis).astype(np.int16),)

    def quant_rule(self) -> QuantRule:
        return QuantRule(fixed={0: PLACES}, own_widths=True)

    def cost(self, node: Node) -> Cost:
        return Cost(elementwise=node.inputs[0].type.size)

    def to_tflite(self, node: Node, b: TfliteBuilder) -> None:
        """ARG_MAX, which has no form for 16 bits, and CAST of its int32."""
        x, y = node.inputs[0], node.output
        if x.type.dtype == "int16":
            real = b.temporary(TensorType(x.shape), f"{node.name}.real")
            b.op(node, "DEQUANTIZE", [x], outputs=[real])
            x = real
        axis = b.const(np.array([self.axis], np.int32), f"{node.name}.axis")
        place = b.temporary(TensorType(y.shape, "int32"), f"{node.name}.place")
        b.op(node, "ARG_MAX", [x, axis], {"OutputType": "int32"}, outputs=[place])
        b.op(node, "CAST", [place], {"InDataType": "int32", "OutDataType": "int16"})

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        place = b.op("ArgMax", [b.real(node.inputs[0])], {"axis": self.axis, "keepdims": 0})
        b.result(node, b.op("Cast", [place], {"to": FLOAT}))

    def to_c(self, node: Node) -> KernelCall:
        x = node.inputs[0]
        params = {
            "outer": math.prod(x.shape[: self.axis]),
            "count": x.shape[self.axis],
            "inner": math.prod(x.shape[self.axis + 1 :]),
        }
        return KernelCall(f"arg_max_{KERNEL_SUFFIX[x.type.dtype]}", params, node.inputs)
