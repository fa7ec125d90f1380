"""Ring buffers of streaming models."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.errors import ModelError
from edgetx.ir import Array, Arrays, Node, TensorType
from edgetx.ops.op import Cost, KernelCall, OnnxBuilder, Op, TfliteBuilder, register
from edgetx.ops.quant_rule import QuantRule


@register
@dataclass(frozen=True)
class ShiftIn(Op):
    """The last frames along `axis`: window [.., W, ..] without its first n, then x [.., n, ..] behind it; n < W.

    The window is a state. In C it moves up where it lies: one move of W − n frames and one copy of n per hop.
    """

    name: ClassVar[str] = "shift_in"
    activation_bits: ClassVar[frozenset[int]] = frozenset({8, 16})

    axis: int

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        window, x = inputs
        fits = window.rank == x.rank and 0 <= self.axis < x.rank and x.shape[self.axis] < window.shape[self.axis]
        if not fits or window.with_shape(x.shape).shape != self._with_frames(window.shape, x.shape[self.axis]):
            raise ModelError(f"shift_in of {x.shape} into {window.shape} along axis {self.axis}")
        return (window,)

    def float_ref(self, *inputs: Array) -> Arrays:
        window, x = inputs
        kept = np.take(window, range(x.shape[self.axis], window.shape[self.axis]), self.axis)
        return (np.concatenate((kept, x), self.axis),)

    def int_ref(self, node: Node, *inputs: Array) -> Arrays:
        return self.float_ref(*inputs)

    def quant_rule(self) -> QuantRule:
        return QuantRule(shared=True)

    def cost(self, node: Node) -> Cost:
        return Cost(elementwise=node.output.type.size)

    def to_tflite(self, node: Node, b: TfliteBuilder) -> None:
        window, x = node.inputs
        frames = x.shape[self.axis]
        bounds = {
            "begin": [frames if axis == self.axis else 0 for axis in range(window.type.rank)],
            "end": window.shape,
            "strides": [1] * window.type.rank,
        }
        consts = [b.const(np.array(value, np.int32), f"{node.name}.{name}") for name, value in bounds.items()]
        shape = self._with_frames(window.shape, window.shape[self.axis] - frames)
        kept = b.temporary(window.type.with_shape(shape), f"{node.name}.kept")
        b.op(node, "STRIDED_SLICE", [window, *consts], outputs=[kept])
        b.op(node, "CONCATENATION", [kept, x], {"Axis": self.axis})

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        window, x = node.inputs
        bounds = (x.shape[self.axis], window.shape[self.axis], self.axis)
        kept = b.op("Slice", [b.real(window), *(b.const(np.array([value], np.int64)) for value in bounds)])
        b.result(node, b.op("Concat", [kept, b.real(x)], {"axis": self.axis}))

    def to_c(self, node: Node) -> KernelCall:
        window, x = node.inputs
        outer = math.prod(window.shape[: self.axis])
        params = {"outer": outer, "size": window.type.nbytes // outer, "added": x.type.nbytes // outer}
        return KernelCall("shift_in_s8", params, node.inputs, in_place=0)

    def _with_frames(self, shape: tuple[int, ...], frames: int) -> tuple[int, ...]:
        return (*shape[: self.axis], frames, *shape[self.axis + 1 :])
