"""Reciprocal square root."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.ir import Array, Node
from edgetx.ops.op import OnnxBuilder, register
from edgetx.ops.pointwise import Pointwise


@register
@dataclass(frozen=True)
class Rsqrt(Pointwise):
    """y = 1 / sqrt(x); 0 and below count as the least positive number, so that tables stay finite."""

    name: ClassVar[str] = "rsqrt"

    def function(self, x: Array) -> Array:
        return np.asarray(1 / np.sqrt(np.maximum(x, np.finfo(np.float32).tiny)))

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        least = b.const(np.array(np.finfo(np.float32).tiny))
        positive = b.op("Max", [b.real(node.inputs[0]), least])
        b.result(node, b.op("Reciprocal", [b.op("Sqrt", [positive])]))
