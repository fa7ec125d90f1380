"""Addition."""

from dataclasses import dataclass
from typing import ClassVar

from edgetx.ops.op import register
from edgetx.ops.sum import Sum


@register
@dataclass(frozen=True)
class Add(Sum):
    """y = activation(a + b), with broadcasting."""

    name: ClassVar[str] = "add"
    onnx_name: ClassVar[str] = "Add"
    sign: ClassVar[int] = 1
