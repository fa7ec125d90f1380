"""Root-mean-square normalization."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.errors import ModelError
from edgetx.ir import Array, Arrays, Node, TensorType
from edgetx.ops.normalize import Gain, norm_call, normalize
from edgetx.ops.op import Cost, KernelCall, OnnxBuilder, Op, register
from edgetx.ops.quant_rule import QuantRule


@register
@dataclass(frozen=True)
class RmsNorm(Op):
    """y = gamma · x / sqrt(mean(x²) + epsilon) over the last axis (Zhang & Sennrich 2019)."""

    name: ClassVar[str] = "rms_norm"
    activation_bits: ClassVar[frozenset[int]] = frozenset({8, 16})

    epsilon: float = 1e-6

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        x, gamma = inputs
        if gamma.shape != x.shape[-1:]:
            raise ModelError(f"rms_norm over {x.shape[-1]} values with gamma {gamma.shape}")
        return (TensorType(x.shape),)

    def float_ref(self, *inputs: Array) -> Arrays:
        x, gamma = inputs
        power = (x * x).mean(-1, keepdims=True)
        return ((x / np.sqrt(power + self.epsilon) * gamma).astype(np.float32),)

    def int_ref(self, node: Node, *inputs: Array) -> Arrays:
        x, gamma = inputs
        return (normalize(node, x, gamma, _no_offset(node), center=False, epsilon=self.epsilon),)

    def quant_rule(self) -> QuantRule:
        return QuantRule(consts={1: Gain()})

    def cost(self, node: Node) -> Cost:
        return Cost(macs=2 * node.output.type.size, elementwise=node.output.type.size)

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        x, gamma = map(b.real, node.inputs)
        last, epsilon = b.const(np.array([-1], np.int64)), b.const(np.array(self.epsilon, np.float32))
        power = b.op("ReduceMean", [b.op("Mul", [x, x]), last], {"keepdims": 1})
        root = b.op("Sqrt", [b.op("Add", [power, epsilon])])
        b.result(node, b.op("Mul", [b.op("Div", [x, root]), gamma]))

    def to_c(self, node: Node) -> KernelCall:
        return norm_call(node, _no_offset(node), center=False, epsilon=self.epsilon)


def _no_offset(node: Node) -> Array:
    return np.zeros(node.inputs[1].shape, np.int32)
