"""Change of quantization."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.fixedpoint import quantize_multiplier, requantize
from edgetx.ir import Array, Arrays, Node, TensorType
from edgetx.ops.op import KERNEL_SUFFIX, Cost, KernelCall, OnnxBuilder, Op, TfliteBuilder, register
from edgetx.ops.quant_rule import QuantRule


@register
@dataclass(frozen=True)
class Quantize(Op):
    """The same real numbers in other integers: another scale, zero point or width."""

    name: ClassVar[str] = "quantize"
    activation_bits: ClassVar[frozenset[int]] = frozenset({8, 16, 32})

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        (x,) = inputs
        return (TensorType(x.shape),)

    def float_ref(self, *inputs: Array) -> Arrays:
        return inputs

    def quant_rule(self) -> QuantRule:
        return QuantRule(own_widths=True)

    def int_ref(self, node: Node, *inputs: Array) -> Arrays:
        (q,) = inputs
        x, y = node.inputs[0].type, node.output.type
        factor = quantize_multiplier(x.scale / y.scale)
        return (requantize(q.astype(np.int64) - x.zero_point, *factor, y.zero_point, y.qmin, y.qmax, y.dtype),)

    def cost(self, node: Node) -> Cost:
        return Cost(elementwise=node.output.type.size)

    def to_tflite(self, node: Node, b: TfliteBuilder) -> None:
        b.op(node, "QUANTIZE")

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        b.result(node, b.real(node.inputs[0]))

    def to_c(self, node: Node) -> KernelCall:
        x, y = node.inputs[0].type, node.output.type
        mantissa, shift = quantize_multiplier(x.scale / y.scale)
        params = {
            "size": x.size,
            "input_offset": -x.zero_point,
            "mantissa": mantissa,
            "shift": shift,
            "output_offset": y.zero_point,
        }
        kernel = f"quantize_{KERNEL_SUFFIX[x.dtype]}_{KERNEL_SUFFIX[y.dtype]}"
        return KernelCall(kernel, params, node.inputs, "quantize", in_place=0 if x.dtype == y.dtype else None)
