"""Maximum pooling."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.ir import Array, Arrays, Node
from edgetx.ops.activation import activation_range, apply_activation
from edgetx.ops.op import OnnxBuilder, register
from edgetx.ops.pool import Pool


@register
@dataclass(frozen=True)
class MaxPool2D(Pool):
    """Largest element of each window."""

    name: ClassVar[str] = "max_pool_2d"

    def float_ref(self, *inputs: Array) -> Arrays:
        (x,) = inputs
        return (apply_activation(self.window.patches(x, -np.inf).max((-1, -2)), self.activation),)

    def int_ref(self, node: Node, *inputs: Array) -> Arrays:
        (x,) = inputs
        largest = self.window.patches(x, np.iinfo(x.dtype).min).max((-1, -2))
        return (np.clip(largest, *activation_range(self.activation, node.output.type)),)

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        self.onnx_pool(node, b, "MaxPool")
