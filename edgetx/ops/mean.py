"""Mean over axes."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.fixedpoint import quantize_multiplier, requantize
from edgetx.ir import Array, Arrays, Node, TensorType
from edgetx.ops.op import KERNEL_SUFFIX, Cost, KernelCall, OnnxBuilder, Op, TfliteBuilder, register


@register
@dataclass(frozen=True)
class Mean(Op):
    """Mean over `axes`, which stay as axes of size 1 if `keepdims`."""

    name: ClassVar[str] = "mean"
    activation_bits: ClassVar[frozenset[int]] = frozenset({8, 16})

    axes: tuple[int, ...]
    keepdims: bool = False

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        (x,) = inputs
        if not self.axes or len(set(self.axes)) != len(self.axes) or not set(self.axes) <= set(range(x.rank)):
            raise ModelError(f"mean of {x.shape} over axes {self.axes}")
        kept = [(1 if i in self.axes else n) for i, n in enumerate(x.shape) if self.keepdims or i not in self.axes]
        return (TensorType(tuple(kept)),)

    def float_ref(self, *inputs: Array) -> Arrays:
        (x,) = inputs
        return (x.mean(self.axes, keepdims=self.keepdims, dtype=x.dtype),)

    def count(self, x: TensorType) -> int:
        """Number of elements per mean."""
        return math.prod(x.shape[axis] for axis in self.axes)

    def multiplier(self, node: Node) -> tuple[int, int]:
        """Mantissa and shift of scale(x) / scale(y) / count, the division truncated as in TFLite."""
        x, y = node.inputs[0].type, node.output.type
        mantissa, shift = quantize_multiplier(x.scale / y.scale)
        count = self.count(x)
        left = min(count.bit_length() - 1, 32, 31 + shift)
        return (mantissa << left) // count, shift - left

    def int_ref(self, node: Node, *inputs: Array) -> Arrays:
        x, y = node.inputs[0].type, node.output.type
        d = inputs[0].astype(np.int64) - x.zero_point
        total = d.sum(self.axes, keepdims=self.keepdims)
        return (requantize(total, *self.multiplier(node), y.zero_point, y.qmin, y.qmax, y.dtype),)

    def cost(self, node: Node) -> Cost:
        return Cost(elementwise=node.inputs[0].type.size)

    def to_tflite(self, node: Node, b: TfliteBuilder) -> None:
        axes = b.const(np.array(self.axes, np.int32), f"{node.name}.axes")
        b.op(node, "MEAN", [node.inputs[0], axes], {"KeepDims": self.keepdims})

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        axes = b.const(np.array(self.axes, np.int64))
        b.result(node, b.op("ReduceMean", [b.real(node.inputs[0]), axes], {"keepdims": int(self.keepdims)}))

    def to_c(self, node: Node) -> KernelCall:
        x, y = node.inputs[0].type, node.output.type
        axes = [axis for axis in self.axes if x.shape[axis] > 1] or [min(self.axes)]
        first, last = min(axes), max(axes)
        if math.prod(x.shape[first : last + 1]) != self.count(x):
            raise UnsupportedOpError(f"mean over axes {self.axes} that are not neighbours", where=node.name)
        mantissa, shift = self.multiplier(node)
        params = {
            "outer": math.prod(x.shape[:first]),
            "count": self.count(x),
            "inner": math.prod(x.shape[last + 1 :]),
            "input_offset": -x.zero_point,
            "mantissa": mantissa,
            "shift": shift,
            "output_offset": y.zero_point,
        }
        return KernelCall(f"mean_{KERNEL_SUFFIX[x.dtype]}", params, node.inputs)
