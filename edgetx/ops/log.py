"""Natural logarithm."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.ir import Array, Node
from edgetx.ops.op import OnnxBuilder, register
from edgetx.ops.pointwise import Pointwise


@register
@dataclass(frozen=True)
class Log(Pointwise):
    """y = log(x); 0 and below count as the least positive number, so that tables stay finite."""

    name: ClassVar[str] = "log"

    def function(self, x: Array) -> Array:
        return np.asarray(np.log(np.maximum(x, np.finfo(np.float32).tiny)))

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        least = b.const(np.array(np.finfo(np.float32).tiny))
        b.result(node, b.op("Log", [b.op("Max", [b.real(node.inputs[0]), least])]))
