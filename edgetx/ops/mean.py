"""Mean over axes."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.fixedpoint import quantize_multiplier, requantize
from edgetx.ir import Array, Arrays, Node
from edgetx.ops.op import KERNEL_SUFFIX, KernelCall, OnnxBuilder, TfliteBuilder, register
from edgetx.ops.reduction import Reduction


@register
@dataclass(frozen=True)
class Mean(Reduction):
    """Mean over `axes`, which stay as axes of size 1 if `keepdims`."""

    name: ClassVar[str] = "mean"

    def float_ref(self, *inputs: Array) -> Arrays:
        (x,) = inputs
        return (x.mean(self.axes, keepdims=self.keepdims, dtype=x.dtype),)

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

    def to_tflite(self, node: Node, b: TfliteBuilder) -> None:
        axes = b.const(np.array(self.axes, np.int32), f"{node.name}.axes")
        b.op(node, "MEAN", [node.inputs[0], axes], {"KeepDims": self.keepdims})

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        axes = b.const(np.array(self.axes, np.int64))
        b.result(node, b.op("ReduceMean", [b.real(node.inputs[0]), axes], {"keepdims": int(self.keepdims)}))

    def to_c(self, node: Node) -> KernelCall:
        x, y = node.inputs[0].type, node.output.type
        mantissa, shift = self.multiplier(node)
        params = {
            **self.runs(node),
            "input_offset": -x.zero_point,
            "mantissa": mantissa,
            "shift": shift,
            "output_offset": y.zero_point,
        }
        return KernelCall(f"mean_{KERNEL_SUFFIX[x.dtype]}", params, node.inputs)
