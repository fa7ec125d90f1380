"""Square."""

from dataclasses import dataclass
from typing import ClassVar

from edgetx.ir import Array, Node
from edgetx.ops.op import OnnxBuilder, register
from edgetx.ops.pointwise import Pointwise


@register
@dataclass(frozen=True)
class Square(Pointwise):
    """y = x · x."""

    name: ClassVar[str] = "square"

    def function(self, x: Array) -> Array:
        return x * x

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        x = b.real(node.inputs[0])
        b.result(node, b.op("Mul", [x, x]))
