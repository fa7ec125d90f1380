"""Absolute value."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.ir import Array, Node
from edgetx.ops.op import OnnxBuilder, register
from edgetx.ops.pointwise import Pointwise


@register
@dataclass(frozen=True)
class Abs(Pointwise):
    """y = |x|."""

    name: ClassVar[str] = "abs"

    def function(self, x: Array) -> Array:
        return np.abs(x)

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        b.result(node, b.op("Abs", [b.real(node.inputs[0])]))
