"""Average pooling."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.ir import Array, Arrays, Node
from edgetx.ops.activation import activation_range, apply_activation
from edgetx.ops.op import OnnxBuilder, register
from edgetx.ops.pool import Pool, taken


@register
@dataclass(frozen=True)
class AveragePool2D(Pool):
    """Mean of each window; in integers to nearest, ties away from integer 0."""

    name: ClassVar[str] = "average_pool_2d"

    def float_ref(self, *inputs: Array) -> Arrays:
        (x,) = inputs
        y = self.window.patches(x).sum((-1, -2)) / taken(self.window, x)
        return (apply_activation(y.astype(x.dtype), self.activation),)

    def int_ref(self, node: Node, *inputs: Array) -> Arrays:
        x = inputs[0].astype(np.int64)
        total, count = self.window.patches(x).sum((-1, -2)), taken(self.window, x)
        mean = np.sign(total) * ((np.abs(total) + count // 2) // count)
        out = node.output.type
        return (np.clip(mean, *activation_range(self.activation, out)).astype(out.dtype),)

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        self.onnx_pool(node, b, "AveragePool")
