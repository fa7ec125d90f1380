"""Base of elementwise ops with two operands, which broadcast as in numpy."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.errors import ModelError
from edgetx.ir import Array, Arrays, Node, TensorType
from edgetx.ops.activation import Activation, activation_range, apply_activation, onnx_activation
from edgetx.ops.axes import merge_axes
from edgetx.ops.op import KERNEL_SUFFIX, Cost, KernelCall, OnnxBuilder, Op, TfliteBuilder


@dataclass(frozen=True)
class Elementwise(Op):
    """y = activation(f(a, b)), element by element."""

    activation_bits: ClassVar[frozenset[int]] = frozenset({8, 16})
    onnx_name: ClassVar[str]

    activation: Activation = "none"

    @abstractmethod
    def function(self, a: Array, b: Array) -> Array:
        """f in floating point."""

    @abstractmethod
    def kernel(self, node: Node) -> tuple[str, dict[str, int]]:
        """C kernel without its element type, and its parameters apart from broadcasting and clamping."""

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        a, b = inputs
        try:
            return (TensorType(np.broadcast_shapes(a.shape, b.shape)),)
        except ValueError:
            raise ModelError(f"{self.name} cannot broadcast {a.shape} and {b.shape}") from None

    def float_ref(self, *inputs: Array) -> Arrays:
        return (apply_activation(self.function(*inputs), self.activation),)

    def cost(self, node: Node) -> Cost:
        return Cost(elementwise=node.output.type.size)

    def to_tflite(self, node: Node, b: TfliteBuilder) -> None:
        b.op(node, self.name.upper(), options={"FusedActivationFunction": self.activation})

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        y = b.op(self.onnx_name, [b.real(value) for value in node.inputs])
        b.result(node, onnx_activation(b, y, self.activation))

    def to_c(self, node: Node) -> KernelCall:
        name, params = self.kernel(node)
        out = node.output.type
        low, high = activation_range(self.activation, out)
        steps = [_steps(value.shape, out.rank) for value in node.inputs]
        dims, a_steps, b_steps = merge_axes(node.name, out.shape, *steps)
        own = next((i for i, value in enumerate(node.inputs) if value.shape == out.shape), None)
        return KernelCall(
            f"{name}_{KERNEL_SUFFIX[out.dtype]}",
            {
                "dims": dims,
                "a_steps": a_steps,
                "b_steps": b_steps,
                **params,
                "output_offset": out.zero_point,
                "low": low,
                "high": high,
            },
            node.inputs,
            in_place=own,
        )


def _steps(shape: Sequence[int], rank: int) -> list[int]:
    """Distance between neighbours along each axis; 0 along those that the operand repeats."""
    steps, step = [], 1
    for size in reversed([1] * (rank - len(shape)) + list(shape)):
        steps.append(0 if size == 1 else step)
        step *= size
    return steps[::-1]
