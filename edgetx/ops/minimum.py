"""Minimum of two operands."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.ir import Array
from edgetx.ops.extreme import Extreme
from edgetx.ops.op import register


@register
@dataclass(frozen=True)
class Minimum(Extreme):
    """y = min(a, b), with broadcasting."""

    name: ClassVar[str] = "minimum"
    onnx_name: ClassVar[str] = "Min"

    def function(self, a: Array, b: Array) -> Array:
        return np.minimum(a, b)
