"""Subtraction."""

from dataclasses import dataclass
from typing import ClassVar

from edgetx.ops.op import register
from edgetx.ops.sum import Sum


@register
@dataclass(frozen=True)
class Sub(Sum):
    """y = activation(a − b), with broadcasting."""

    name: ClassVar[str] = "sub"
    onnx_name: ClassVar[str] = "Sub"
    sign: ClassVar[int] = -1
