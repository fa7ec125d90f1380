"""Slicing."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.errors import ModelError
from edgetx.ir import Array, Node, TensorType
from edgetx.ops.op import OnnxBuilder, TfliteBuilder, register
from edgetx.ops.strided import Strided


@register
@dataclass(frozen=True)
class StridedSlice(Strided):
    """x[begin:end:strides] along every axis, with 0 <= begin < end <= size and positive strides."""

    name: ClassVar[str] = "strided_slice"

    begin: tuple[int, ...]
    end: tuple[int, ...]
    strides: tuple[int, ...]

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        (x,) = inputs
        if not len(self.begin) == len(self.end) == len(self.strides) == x.rank:
            raise ModelError(f"strided_slice of {x.shape} needs begin, end and stride of all {x.rank} axes")
        axes = list(zip(self.begin, self.end, self.strides, x.shape, strict=True))
        if not all(0 <= begin < end <= size and stride > 0 for begin, end, stride, size in axes):
            raise ModelError(f"strided_slice [{self.begin}, {self.end}) by {self.strides} leaves {x.shape}")
        return (x.with_shape(tuple(len(range(begin, end, stride)) for begin, end, stride, _ in axes)),)

    def view(self, x: Array) -> Array:
        return np.asarray(x[tuple(map(slice, self.begin, self.end, self.strides))])

    def to_tflite(self, node: Node, b: TfliteBuilder) -> None:
        bounds = {"begin": self.begin, "end": self.end, "strides": self.strides}
        consts = [b.const(np.array(value, np.int32), f"{node.name}.{name}") for name, value in bounds.items()]
        b.op(node, "STRIDED_SLICE", [node.inputs[0], *consts])

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        axes = range(len(self.begin))
        bounds = [b.const(np.array(value, np.int64)) for value in (self.begin, self.end, axes, self.strides)]
        b.result(node, b.op("Slice", [b.real(node.inputs[0]), *bounds]))
