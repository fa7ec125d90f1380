"""The nearest whole number."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.ir import Array, Node
from edgetx.ops.op import OnnxBuilder, register
from edgetx.ops.pointwise import Pointwise


@register
@dataclass(frozen=True)
class Round(Pointwise):
    """y = x rounded to nearest, ties to even."""

    name: ClassVar[str] = "round"

    def function(self, x: Array) -> Array:
        return np.asarray(np.rint(x))

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        b.result(node, b.op("Round", [b.real(node.inputs[0])]))
