"""Inverse tangent."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.ir import Array, Node
from edgetx.ops.op import OnnxBuilder, register
from edgetx.ops.pointwise import Pointwise


@register
@dataclass(frozen=True)
class Atan(Pointwise):
    """y = atan(x)."""

    name: ClassVar[str] = "atan"

    def function(self, x: Array) -> Array:
        return np.asarray(np.arctan(x))

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        b.result(node, b.op("Atan", [b.real(node.inputs[0])]))
