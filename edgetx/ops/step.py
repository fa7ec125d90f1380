"""The unit step."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.ir import Array, Node
from edgetx.ops.op import OnnxBuilder, register
from edgetx.ops.pointwise import Pointwise

FLOAT = 1
"""The element type, in ONNX's numbering."""


@register
@dataclass(frozen=True)
class Step(Pointwise):
    """y = 1 above 0, 0 at and below 0: what comparisons of real numbers come down to."""

    name: ClassVar[str] = "step"

    def function(self, x: Array) -> Array:
        return np.heaviside(x, 0.0)

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        zero = b.const(np.zeros((), np.float32))
        b.result(node, b.op("Cast", [b.op("Greater", [b.real(node.inputs[0]), zero])], {"to": FLOAT}))
