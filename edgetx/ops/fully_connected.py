"""Fully connected layer."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.errors import ModelError
from edgetx.fixedpoint import multiply_by_quantized_multiplier_int64, requantize
from edgetx.ir import Array, Arrays, Node, TensorType
from edgetx.ops.activation import Activation, activation_range, apply_activation
from edgetx.ops.multiplier import output_multipliers
from edgetx.ops.op import Cost, KernelCall, OnnxBuilder, Op, TfliteBuilder, register
from edgetx.ops.quant_rule import Bias, QuantRule, Weight


@register
@dataclass(frozen=True)
class FullyConnected(Op):
    """y = activation(x · Wᵀ + b) over the last axis: x [..., in], W [out, in], b [out] (optional), y [..., out]."""

    name: ClassVar[str] = "fully_connected"
    activation_bits: ClassVar[frozenset[int]] = frozenset({8, 16})

    activation: Activation = "none"

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        x, w = inputs[:2]
        if w.rank != 2 or x.shape[-1] != w.shape[1]:
            raise ModelError(f"fully_connected cannot multiply {x.shape} by the transpose of {w.shape}")
        return (TensorType((*x.shape[:-1], w.shape[0])),)

    def float_ref(self, *inputs: Array) -> Arrays:
        x, w = inputs[:2]
        y = x @ w.T
        return (apply_activation(y + inputs[2] if len(inputs) > 2 else y, self.activation),)

    def int_ref(self, node: Node, *inputs: Array) -> Arrays:
        x_type, out = node.inputs[0].type, node.output.type
        x = inputs[0].astype(np.int64) - x_type.zero_point
        acc = x @ inputs[1].astype(np.int64).T + (inputs[2] if len(inputs) > 2 else 0)
        mantissas, shifts = output_multipliers(node)
        low, high = activation_range(self.activation, out)
        if out.dtype == "int16":
            scaled = multiply_by_quantized_multiplier_int64(acc, mantissas, shifts)
            return (np.clip(scaled, low, high).astype(np.int16),)
        return (requantize(acc, mantissas, shifts, out.zero_point, low, high),)

    def quant_rule(self) -> QuantRule:
        return QuantRule(consts={1: Weight(0), 2: Bias()})

    def cost(self, node: Node) -> Cost:
        y, w = node.output.type, node.inputs[1].type
        return Cost(macs=y.size * w.shape[1], elementwise=y.size)

    def to_tflite(self, node: Node, b: TfliteBuilder) -> None:
        b.op(
            node,
            "FULLY_CONNECTED",
            options={"FusedActivationFunction": self.activation, "KeepNumDims": True},
        )

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        x, w, *bias = map(b.real, node.inputs)
        y = b.op("MatMul", [x, b.op("Transpose", [w], {"perm": [1, 0]})])
        y = b.op("Add", [y, bias[0]]) if bias else y
        b.result(node, b.op("Relu", [y]) if self.activation == "relu" else y)

    def to_c(self, node: Node) -> KernelCall:
        x, w, *bias = node.inputs
        out = node.output.type
        mantissas, shifts = output_multipliers(node)
        low, high = activation_range(self.activation, out)
        params = {
            "rows": x.type.size // x.shape[-1],
            "in_features": x.shape[-1],
            "out_features": out.shape[-1],
            "input_offset": -x.type.zero_point,
            "output_offset": out.zero_point,
            "low": low,
            "high": high,
        }
        b = bias[0] if bias else np.zeros(out.shape[-1], np.int32)
        suffix = {"int8": "s8", "int16": "s16"}[out.dtype]
        return KernelCall(f"fully_connected_{suffix}", params, (x, w, b, mantissas, shifts))
