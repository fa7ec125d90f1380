"""Square root."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.ir import Array, Node
from edgetx.ops.op import OnnxBuilder, register
from edgetx.ops.pointwise import Pointwise


@register
@dataclass(frozen=True)
class Sqrt(Pointwise):
    """y = sqrt(x)."""

    name: ClassVar[str] = "sqrt"

    def function(self, x: Array) -> Array:
        return np.asarray(np.sqrt(np.maximum(x, 0)))

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        b.result(node, b.op("Sqrt", [b.op("Relu", [b.real(node.inputs[0])])]))
