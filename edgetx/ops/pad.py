"""Zero padding."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.ir import Array, Arrays, Node, TensorType
from edgetx.ops.axes import MAX_AXES
from edgetx.ops.op import KERNEL_SUFFIX, Cost, KernelCall, OnnxBuilder, Op, TfliteBuilder, register
from edgetx.ops.quant_rule import SAME_AS_INPUT, QuantRule


@register
@dataclass(frozen=True)
class Pad(Op):
    """0.0 before and after the elements, paddings[axis] = (before, after)."""

    name: ClassVar[str] = "pad"
    activation_bits: ClassVar[frozenset[int]] = frozenset({8, 16})

    paddings: tuple[tuple[int, int], ...]

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        (x,) = inputs
        if len(self.paddings) != x.rank or min(map(min, self.paddings), default=0) < 0:
            raise ModelError(f"pad of {x.shape} by {self.paddings}")
        return (x.with_shape(tuple(n + sum(pad) for n, pad in zip(x.shape, self.paddings, strict=True))),)

    def float_ref(self, *inputs: Array) -> Arrays:
        (x,) = inputs
        return (np.pad(x, self.paddings),)

    def int_ref(self, node: Node, *inputs: Array) -> Arrays:
        (x,) = inputs
        return (np.pad(x, self.paddings, constant_values=node.inputs[0].type.zero_point),)

    def quant_rule(self) -> QuantRule:
        return SAME_AS_INPUT

    def cost(self, node: Node) -> Cost:
        return Cost(elementwise=node.output.type.size)

    def to_tflite(self, node: Node, b: TfliteBuilder) -> None:
        b.op(node, "PAD", [node.inputs[0], b.const(np.array(self.paddings, np.int32), f"{node.name}.paddings")])

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        pads = b.const(np.array(self.paddings, np.int64).T.ravel())
        b.result(node, b.op("Pad", [b.real(node.inputs[0]), pads]))

    def to_c(self, node: Node) -> KernelCall:
        x = node.inputs[0]
        if x.type.rank > MAX_AXES:
            raise UnsupportedOpError(f"pad of {x.type.rank} axes, at most {MAX_AXES}", where=node.name)
        front = [1] * (MAX_AXES - x.type.rank)
        params: dict[str, int | Sequence[int]] = {
            "in_dims": [*front, *x.shape],
            "out_dims": [*front, *node.output.shape],
            "before": [*[0] * len(front), *(before for before, _ in self.paddings)],
            "value": x.type.zero_point,
        }
        return KernelCall(f"pad_{KERNEL_SUFFIX[x.type.dtype]}", params, (x,))
