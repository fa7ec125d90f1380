"""Magnitude of complex numbers."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.errors import ModelError
from edgetx.fixedpoint import integer_root, saturate
from edgetx.ir import Array, Arrays, Node, TensorType
from edgetx.ops.op import KERNEL_SUFFIX, Cost, KernelCall, OnnxBuilder, Op, register
from edgetx.ops.quant_rule import QuantRule


@register
@dataclass(frozen=True)
class Hypot(Op):
    """y = sqrt(a² + b²), element by element; squares, whose range is twice as wide in bits, are never stored."""

    name: ClassVar[str] = "hypot"
    activation_bits: ClassVar[frozenset[int]] = frozenset({8, 16})
    wide: ClassVar[bool] = True

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        a, b = inputs
        if a.shape != b.shape:
            raise ModelError(f"hypot of {a.shape} and {b.shape}")
        return (TensorType(a.shape),)

    def quant_rule(self) -> QuantRule:
        return QuantRule(shared=True, symmetric=(0, 1))

    def float_ref(self, *inputs: Array) -> Arrays:
        return (np.hypot(*inputs),)

    def int_ref(self, node: Node, *inputs: Array) -> Arrays:
        """The root to nearest, in the steps of the operands."""
        a, b = (x.astype(np.int64) for x in inputs)
        square = a * a + b * b
        root = integer_root(square)
        return (saturate(root + (square - root * root > root), node.output.type.dtype),)

    def cost(self, node: Node) -> Cost:
        return Cost(macs=2 * node.output.type.size, elementwise=node.output.type.size)

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        squares = [b.op("Mul", [b.real(value), b.real(value)]) for value in node.inputs]
        b.result(node, b.op("Sqrt", [b.op("Add", squares)]))

    def to_c(self, node: Node) -> KernelCall:
        kind = node.output.type
        return KernelCall(f"hypot_{KERNEL_SUFFIX[kind.dtype]}", {"size": kind.size}, node.inputs, in_place=0)
