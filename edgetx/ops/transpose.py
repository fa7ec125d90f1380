"""Transposition."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.errors import ModelError
from edgetx.ir import Array, Node, TensorType
from edgetx.ops.op import OnnxBuilder, TfliteBuilder, register
from edgetx.ops.strided import Strided


@register
@dataclass(frozen=True)
class Transpose(Strided):
    """Axes in another order: axis i of y is axis permutation[i] of x."""

    name: ClassVar[str] = "transpose"

    permutation: tuple[int, ...]

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        (x,) = inputs
        if sorted(self.permutation) != list(range(x.rank)):
            raise ModelError(f"{self.permutation} does not permute the axes of {x.shape}")
        return (x.with_shape(tuple(x.shape[axis] for axis in self.permutation)),)

    def view(self, x: Array) -> Array:
        return x.transpose(self.permutation)

    def to_tflite(self, node: Node, b: TfliteBuilder) -> None:
        permutation = b.const(np.array(self.permutation, np.int32), f"{node.name}.permutation")
        b.op(node, "TRANSPOSE", [node.inputs[0], permutation])

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        b.result(node, b.op("Transpose", [b.real(node.inputs[0])], {"perm": self.permutation}))
