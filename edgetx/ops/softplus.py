"""Softplus, a smooth ReLU."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.ir import Array, Node
from edgetx.ops.op import OnnxBuilder, register
from edgetx.ops.pointwise import Pointwise


@register
@dataclass(frozen=True)
class Softplus(Pointwise):
    """y = log(1 + exp(x))."""

    name: ClassVar[str] = "softplus"

    def function(self, x: Array) -> Array:
        return np.asarray(np.logaddexp(0, x))

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        b.result(node, b.op("Softplus", [b.real(node.inputs[0])]))
