"""Change of sign."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.ir import Array, Node
from edgetx.ops.op import OnnxBuilder, register
from edgetx.ops.pointwise import Pointwise


@register
@dataclass(frozen=True)
class Neg(Pointwise):
    """y = −x."""

    name: ClassVar[str] = "neg"

    def function(self, x: Array) -> Array:
        return np.asarray(-x)

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        b.result(node, b.op("Neg", [b.real(node.inputs[0])]))
