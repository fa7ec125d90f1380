"""Sigmoid linear unit, also called swish."""

from dataclasses import dataclass
from typing import ClassVar

from edgetx.ir import Array, Node
from edgetx.ops.logistic import sigmoid
from edgetx.ops.op import OnnxBuilder, register
from edgetx.ops.pointwise import Pointwise


@register
@dataclass(frozen=True)
class Silu(Pointwise):
    """y = x / (1 + exp(−x)) (Elfwing et al. 2017)."""

    name: ClassVar[str] = "silu"

    def function(self, x: Array) -> Array:
        return x * sigmoid(x)

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        x = b.real(node.inputs[0])
        b.result(node, b.op("Mul", [x, b.op("Sigmoid", [x])]))
