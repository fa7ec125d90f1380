"""Power with a constant exponent."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.ir import Array, Node
from edgetx.ops.op import OnnxBuilder, register
from edgetx.ops.pointwise import Pointwise


@register
@dataclass(frozen=True)
class Power(Pointwise):
    """y = x ** exponent; where that is not a finite number, y = 0."""

    name: ClassVar[str] = "power"

    exponent: float

    def function(self, x: Array) -> Array:
        with np.errstate(all="ignore"):
            y = np.asarray(np.float_power(x, self.exponent)).astype(np.result_type(x, np.float32))
        return np.where(np.isfinite(y), y, 0)

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        y = b.op("Pow", [b.real(node.inputs[0]), b.const(np.array(self.exponent, np.float32))])
        finite = b.op("Less", [b.op("Abs", [y]), b.const(np.array(np.inf, np.float32))])
        b.result(node, b.op("Where", [finite, y, b.const(np.array(0, np.float32))]))
