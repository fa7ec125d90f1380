"""Maximum over axes."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.ir import Array, Arrays, Node
from edgetx.ops.op import KERNEL_SUFFIX, KernelCall, OnnxBuilder, TfliteBuilder, register
from edgetx.ops.quant_rule import SAME_AS_INPUT, QuantRule
from edgetx.ops.reduction import Reduction


@register
@dataclass(frozen=True)
class ReduceMax(Reduction):
    """Largest element over `axes`, which stay as axes of size 1 if `keepdims`."""

    name: ClassVar[str] = "reduce_max"

    def float_ref(self, *inputs: Array) -> Arrays:
        (x,) = inputs
        return (x.max(self.axes, keepdims=self.keepdims),)

    def int_ref(self, node: Node, *inputs: Array) -> Arrays:
        return self.float_ref(*inputs)

    def quant_rule(self) -> QuantRule:
        return SAME_AS_INPUT

    def to_tflite(self, node: Node, b: TfliteBuilder) -> None:
        axes = b.const(np.array(self.axes, np.int32), f"{node.name}.axes")
        b.op(node, "REDUCE_MAX", [node.inputs[0], axes], {"KeepDims": self.keepdims})

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        axes = b.const(np.array(self.axes, np.int64))
        b.result(node, b.op("ReduceMax", [b.real(node.inputs[0]), axes], {"keepdims": int(self.keepdims)}))

    def to_c(self, node: Node) -> KernelCall:
        return KernelCall(f"reduce_max_{KERNEL_SUFFIX[node.inputs[0].type.dtype]}", self.runs(node), node.inputs)
