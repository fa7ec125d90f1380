"""Exponential linear unit."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.ir import Array, Node
from edgetx.ops.op import OnnxBuilder, register
from edgetx.ops.pointwise import Pointwise


@register
@dataclass(frozen=True)
class Elu(Pointwise):
    """y = x above 0, exp(x) − 1 below (Clevert et al. 2016)."""

    name: ClassVar[str] = "elu"

    def function(self, x: Array) -> Array:
        return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        b.result(node, b.op("Elu", [b.real(node.inputs[0])]))
