"""Layer normalization."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.errors import ModelError
from edgetx.ir import Array, Arrays, Node, TensorType
from edgetx.ops.normalize import Gain, Offset, norm_call, normalize
from edgetx.ops.op import Cost, KernelCall, OnnxBuilder, Op, register
from edgetx.ops.quant_rule import QuantRule


@register
@dataclass(frozen=True)
class LayerNorm(Op):
    """y = gamma · (x − mean) / sqrt(variance + epsilon) + beta over the last axis (Ba et al. 2016)."""

    name: ClassVar[str] = "layer_norm"
    activation_bits: ClassVar[frozenset[int]] = frozenset({8, 16})

    epsilon: float = 1e-5

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        x, gamma, beta = inputs
        if gamma.shape != x.shape[-1:] or beta.shape != x.shape[-1:]:
            raise ModelError(f"layer_norm over {x.shape[-1]} values with gamma {gamma.shape} and beta {beta.shape}")
        return (TensorType(x.shape),)

    def float_ref(self, *inputs: Array) -> Arrays:
        x, gamma, beta = inputs
        centred = x - x.mean(-1, keepdims=True)
        variance = (centred * centred).mean(-1, keepdims=True)
        return ((centred / np.sqrt(variance + self.epsilon) * gamma + beta).astype(np.float32),)

    def int_ref(self, node: Node, *inputs: Array) -> Arrays:
        return (normalize(node, *inputs, center=True, epsilon=self.epsilon),)

    def quant_rule(self) -> QuantRule:
        return QuantRule(consts={1: Gain(), 2: Offset()})

    def cost(self, node: Node) -> Cost:
        return Cost(macs=2 * node.output.type.size, elementwise=2 * node.output.type.size)

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        b.result(node, b.op("LayerNormalization", [b.real(v) for v in node.inputs], {"epsilon": self.epsilon}))

    def to_c(self, node: Node) -> KernelCall:
        return norm_call(node, None, center=True, epsilon=self.epsilon)
