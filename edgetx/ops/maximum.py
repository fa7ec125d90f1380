"""Maximum of two operands."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.ir import Array
from edgetx.ops.extreme import Extreme
from edgetx.ops.op import register


@register
@dataclass(frozen=True)
class Maximum(Extreme):
    """y = max(a, b), with broadcasting."""

    name: ClassVar[str] = "maximum"
    onnx_name: ClassVar[str] = "Max"

    def function(self, a: Array, b: Array) -> Array:
        return np.maximum(a, b)
