"""Fully connected layer."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from edgetx.errors import ModelError
from edgetx.fixedpoint import integer_matmul, multiply_once
from edgetx.ir import Array, Arrays, Node, TensorType
from edgetx.ops.activation import Activation, activation_range, apply_activation, onnx_activation
from edgetx.ops.multiplier import output_multipliers, rescale, rescale_params
from edgetx.ops.op import KERNEL_SUFFIX, Cost, KernelCall, OnnxBuilder, Op, TfliteBuilder, register
from edgetx.ops.quant_rule import Bias, QuantRule, Weight


@register
@dataclass(frozen=True)
class FullyConnected(Op):
    """y = activation(x · Wᵀ + b) over the last axis: x [..., in], W [out, in], b [out] (optional), y [..., out].

    8-bit results are rounded twice, as by TFLite Micro, or once, as by LiteRT.
    """

    name: ClassVar[str] = "fully_connected"
    activation_bits: ClassVar[frozenset[int]] = frozenset({8, 16})

    activation: Activation = "none"
    rounding: Literal["twice", "once"] = "twice"

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        x, w = inputs[:2]
        if w.rank != 2 or x.shape[-1] != w.shape[1]:
            raise ModelError(f"fully_connected cannot multiply {x.shape} by the transpose of {w.shape}")
        return (TensorType((*x.shape[:-1], w.shape[0])),)

    def float_ref(self, *inputs: Array) -> Arrays:
        x, w, *bias = inputs
        y = x @ w.T
        return (apply_activation(y + bias[0] if bias else y, self.activation),)

    def int_ref(self, node: Node, *inputs: Array) -> Arrays:
        x, w, *bias = (array.astype(np.int64) for array in inputs)
        acc = integer_matmul(x - node.inputs[0].type.zero_point, w.T)
        acc = acc + bias[0] if bias else acc
        if not self.rounds_once(node):
            return (rescale(node, acc, output_multipliers(node), self.activation),)
        out = node.output.type
        scaled = multiply_once(acc, *output_multipliers(node)) + out.zero_point
        return (np.clip(scaled, *activation_range(self.activation, out)).astype(np.int8),)

    def rounds_once(self, node: Node) -> bool:
        """Whether the 8-bit results of `node` are rounded once; 16-bit ones always are, in arithmetic of their own."""
        return self.rounding == "once" and node.output.type.dtype == "int8"

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
        b.result(node, onnx_activation(b, y, self.activation))

    def to_c(self, node: Node) -> KernelCall:
        x, w, *bias = node.inputs
        features = node.output.shape[-1]
        mantissas, shifts = (np.broadcast_to(array, features) for array in output_multipliers(node))
        params = {
            "rows": x.type.size // x.shape[-1],
            "in_features": x.shape[-1],
            "out_features": features,
            "input_offset": -x.type.zero_point,
            **rescale_params(node, self.activation),
        }
        b = bias[0] if bias else np.zeros(features, np.int64 if x.type.dtype == "int16" else np.int32)
        operands = (x, w, b, mantissas, shifts)
        if self.rounds_once(node):
            return KernelCall("fully_connected_once_s8", params, operands, "fully_connected")
        return KernelCall(f"fully_connected_{KERNEL_SUFFIX[x.type.dtype]}", params, operands)
