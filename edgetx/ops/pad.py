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
        axes = _merged(x.shape, self.paddings)
        if len(axes) > MAX_AXES:
            raise UnsupportedOpError(f"pad of {len(axes)} axes, at most {MAX_AXES}", where=node.name)
        sizes, before, after = zip(*[(1, 0, 0)] * (MAX_AXES - len(axes)), *axes, strict=True)
        params: dict[str, int | Sequence[int]] = {
            "in_dims": sizes,
            "out_dims": [sum(axis) for axis in zip(sizes, before, after, strict=True)],
            "before": before,
            "value": x.type.zero_point,
        }
        return KernelCall(f"pad_{KERNEL_SUFFIX[x.type.dtype]}", params, (x,))


def _merged(sizes: Sequence[int], paddings: Sequence[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """Size, elements before and after of the fewest axes: one without padding belongs to the axis before it."""
    axes: list[tuple[int, int, int]] = []
    for size, padding in zip(sizes, paddings, strict=True):
        if axes and padding == (0, 0):
            axes[-1] = (axes[-1][0] * size, axes[-1][1] * size, axes[-1][2] * size)
        else:
            axes.append((size, *padding))
    return axes
