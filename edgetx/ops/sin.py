"""Sine."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.ir import Array, Node
from edgetx.ops.op import OnnxBuilder, register
from edgetx.ops.pointwise import Pointwise


@register
@dataclass(frozen=True)
class Sin(Pointwise):
    """y = sin(x)."""

    name: ClassVar[str] = "sin"

    def function(self, x: Array) -> Array:
        return np.asarray(np.sin(x))

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        b.result(node, b.op("Sin", [b.real(node.inputs[0])]))
