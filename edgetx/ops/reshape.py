"""Reshaping."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.errors import ModelError
from edgetx.ir import Array, Arrays, Node, TensorType
from edgetx.ops.op import Cost, KernelCall, OnnxBuilder, Op, TfliteBuilder, register
from edgetx.ops.quant_rule import SAME_AS_INPUT, QuantRule


@register
@dataclass(frozen=True)
class Reshape(Op):
    """The same elements in another shape."""

    name: ClassVar[str] = "reshape"
    activation_bits: ClassVar[frozenset[int]] = frozenset({8, 16})
    is_view: ClassVar[bool] = True

    shape: tuple[int, ...]

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        (x,) = inputs
        if math.prod(self.shape) != x.size:
            raise ModelError(f"reshape of {x.size} elements {x.shape} to {self.shape}")
        return (x.with_shape(self.shape),)

    def float_ref(self, *inputs: Array) -> Arrays:
        (x,) = inputs
        return (x.reshape(self.shape),)

    def int_ref(self, node: Node, *inputs: Array) -> Arrays:
        return self.float_ref(*inputs)

    def quant_rule(self) -> QuantRule:
        return SAME_AS_INPUT

    def cost(self, node: Node) -> Cost:
        return Cost()

    def to_tflite(self, node: Node, b: TfliteBuilder) -> None:
        b.op(node, "RESHAPE", [node.inputs[0], b.const(np.array(self.shape, np.int32), f"{node.name}.shape")])

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        shape = b.const(np.array(self.shape, np.int64))
        b.result(node, b.op("Reshape", [b.real(node.inputs[0]), shape]))

    def to_c(self, node: Node) -> KernelCall:
        x = node.inputs[0]
        return KernelCall("copy_s8", {"size": x.type.nbytes}, (x,), in_place=0)
