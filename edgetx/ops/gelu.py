"""Gaussian error linear unit."""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from edgetx.ir import Array, Node
from edgetx.ops.op import OnnxBuilder, register
from edgetx.ops.pointwise import Pointwise


@register
@dataclass(frozen=True)
class Gelu(Pointwise):
    """x · Φ(x), with the normal distribution Φ exact (`none`) or in the tanh form (Hendrycks & Gimpel 2016)."""

    name: ClassVar[str] = "gelu"

    approximate: Literal["none", "tanh"] = "none"

    def function(self, x: Array) -> Array:
        if self.approximate == "tanh":
            gate = np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))
        else:
            gate = np.vectorize(math.erf, otypes=[np.float64])(x / math.sqrt(2))
        return np.asarray(0.5 * x * (1 + gate))

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        b.result(node, b.op("Gelu", [b.real(node.inputs[0])], {"approximate": self.approximate}))
