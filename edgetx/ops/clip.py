"""Clamp between two numbers."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.ir import Array, Node
from edgetx.ops.op import OnnxBuilder, register
from edgetx.ops.pointwise import Pointwise


@register
@dataclass(frozen=True)
class Clip(Pointwise):
    """y = min(max(x, low), high)."""

    name: ClassVar[str] = "clip"

    low: float
    high: float

    def function(self, x: Array) -> Array:
        return np.clip(x, self.low, self.high)

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        bounds = (b.const(np.array(bound, np.float32)) for bound in (self.low, self.high))
        b.result(node, b.op("Clip", [b.real(node.inputs[0]), *bounds]))
