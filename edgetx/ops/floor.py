"""Largest whole number that is not above."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.ir import Array, Node
from edgetx.ops.op import OnnxBuilder, register
from edgetx.ops.pointwise import Pointwise


@register
@dataclass(frozen=True)
class Floor(Pointwise):
    """y = ⌊x⌋, what remainders and rounding come down to."""

    name: ClassVar[str] = "floor"

    def function(self, x: Array) -> Array:
        return np.asarray(np.floor(x))

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        b.result(node, b.op("Floor", [b.real(node.inputs[0])]))
