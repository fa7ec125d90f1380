"""Normalization to unit length."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.fixedpoint import multiply_by_quantized_multiplier, saturate
from edgetx.fixedpoint_math import inverse_sqrt_multiplier
from edgetx.ir import Array, Arrays, Node, QuantParams, TensorType
from edgetx.ops.op import Cost, KernelCall, OnnxBuilder, Op, TfliteBuilder, register
from edgetx.ops.quant_rule import QuantRule

RESULT_BITS = 7


@register
@dataclass(frozen=True)
class L2Normalization(Op):
    """y = x / sqrt(Σ x²) over the last axis, 0 for a row of zeros; in 8 bits y has scale 1/128 and zero point 0."""

    name: ClassVar[str] = "l2_normalization"

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        (x,) = inputs
        return (TensorType(x.shape),)

    def float_ref(self, *inputs: Array) -> Arrays:
        (x,) = inputs
        length = np.sqrt((x * x).sum(-1, keepdims=True))
        return ((x / np.maximum(length, np.finfo(np.float32).tiny)).astype(np.float32),)

    def int_ref(self, node: Node, *inputs: Array) -> Arrays:
        x = inputs[0].astype(np.int64) - node.inputs[0].type.zero_point
        rows = x.reshape(-1, x.shape[-1])
        factors = np.array([inverse_sqrt_multiplier(int(total)) for total in (rows * rows).sum(-1)])
        mantissas, shifts = factors[:, :1], factors[:, 1:]
        y = multiply_by_quantized_multiplier(rows, mantissas, shifts + RESULT_BITS)
        return (saturate(y.reshape(x.shape), "int8"),)

    def quant_rule(self) -> QuantRule:
        return QuantRule({8: QuantParams((1 / 128,), 0)})

    def cost(self, node: Node) -> Cost:
        return Cost(macs=node.output.type.size, elementwise=node.output.type.size)

    def to_tflite(self, node: Node, b: TfliteBuilder) -> None:
        b.op(node, "L2_NORMALIZATION", options={"FusedActivationFunction": "none"})

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        b.result(node, b.op("LpNormalization", [b.real(node.inputs[0])], {"axis": -1, "p": 2}))

    def to_c(self, node: Node) -> KernelCall:
        x = node.inputs[0]
        width = x.shape[-1]
        params = {"rows": x.type.size // width, "width": width, "input_offset": -x.type.zero_point}
        return KernelCall("l2_normalization_s8", params, node.inputs, in_place=0)
