"""Fully connected layer."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.errors import ModelError
from edgetx.fixedpoint import integer_matmul
from edgetx.ir import Array, Arrays, Node, TensorType
from edgetx.ops.activation import Activation, apply_activation, onnx_activation
from edgetx.ops.multiplier import output_multipliers, rescale, rescale_params
from edgetx.ops.op import KERNEL_SUFFIX, Cost, KernelCall, OnnxBuilder, Op, TfliteBuilder, register
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
        x, w, *bias = inputs
        y = x @ w.T
        return (apply_activation(y + bias[0] if bias else y, self.activation),)

    def int_ref(self, node: Node, *inputs: Array) -> Arrays:
        x, w, *bias = (array.astype(np.int64) for array in inputs)
        acc = integer_matmul(x - node.inputs[0].type.zero_point, w.T)
        return (rescale(node, acc + bias[0] if bias else acc, output_multipliers(node), self.activation),)

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
        return KernelCall(f"fully_connected_{KERNEL_SUFFIX[x.type.dtype]}", params, (x, w, b, mantissas, shifts))
