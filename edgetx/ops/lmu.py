"""The linear memory of a Legendre Memory Unit."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from edgetx.errors import ModelError, QuantError, UnsupportedOpError
from edgetx.fixedpoint import Int, shift_half_up
from edgetx.ir import Array, Arrays, Node, TensorType
from edgetx.legendre import impulse_response, legendre_memory
from edgetx.ops.op import KERNEL_SUFFIX, Cost, KernelCall, OnnxBuilder, register
from edgetx.ops.quant_rule import QuantRule, StateRule
from edgetx.ops.recurrence import Recurrence

MATRIX_BITS = 15
"""Magnitude bits of the matrix. With 8 its spectral radius would move towards 1 and the memory would not forget."""
DRIVE_MAX = 1 << 30
MAX_SHIFT = 30


@dataclass(frozen=True)
class LmuIntegers:
    """The matrices in integers: m'[i] = (Σⱼ a[i, j] · m[j] + b[i] · (u − zero point)) / 2**shift[i], rounded.

    Attributes:
        a: int16 [order, order].
        b: int32 [order].
        shifts: int32 [order].
    """

    a: npt.NDArray[np.int16]
    b: npt.NDArray[np.int32]
    shifts: npt.NDArray[np.int32]


@register
@dataclass(frozen=True)
class Lmu(Recurrence):
    """m[t] = Ā m[t−1] + B̄ u[t]: u [1, T, 1] and m₀ [1, order] give m [1, T, order] and m[T−1] [1, order].

    Ā and B̄ are those of `edgetx.legendre.legendre_memory`. In integers the state and Ā have 16 bits, a power of two
    as the scale of each row, and sums 64 bits with one rounding, ties upwards.
    """

    name: ClassVar[str] = "lmu"

    order: int
    theta: float

    def state_shape(self, *inputs: TensorType) -> tuple[int, ...]:
        return (1, self.order)

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        u = inputs[0]
        if u.rank != 3 or (u.shape[0], u.shape[2]) != (1, 1):
            raise ModelError(f"lmu of {u.shape}, expected one scalar per step")
        self.check_state(*inputs)
        return TensorType((1, u.shape[1], self.order)), TensorType((1, self.order))

    def float_ref(self, *inputs: Array) -> Arrays:
        u, memory = (x.astype(np.float64) for x in inputs)
        a, b = legendre_memory(self.order, self.theta)
        steps = []
        for scalar in u.reshape(-1):
            memory = memory @ a.T + scalar * b
            steps.append(memory)
        return np.stack(steps, 1).astype(np.float32), memory.astype(np.float32)

    def integers(self, node: Node) -> LmuIntegers:
        """The matrices in the scales of a node.

        Raises:
            QuantError: If the scale of the state is absurd for that of u.
        """
        a, b = legendre_memory(self.order, self.theta)
        drive = b * node.inputs[0].type.scale / node.outputs[0].type.scale
        room = np.minimum(
            np.log2((2**MATRIX_BITS - 1) / np.maximum(np.abs(a).max(1), 2.0**-MAX_SHIFT)),
            np.log2(DRIVE_MAX / np.maximum(np.abs(drive), 2.0**-MAX_SHIFT)),
        )
        shifts = np.minimum(np.floor(room), MAX_SHIFT).astype(np.int32)
        if shifts.min() < 1:
            raise QuantError("the scale of the memory is too fine for that of its input", where=node.name)
        gain = 2.0 ** shifts.astype(np.float64)
        return LmuIntegers(np.rint(a * gain[:, None]).astype(np.int16), np.rint(drive * gain).astype(np.int32), shifts)

    def int_ref(self, node: Node, *inputs: Array) -> Arrays:
        form, kind = self.integers(node), node.outputs[0].type
        matrix = form.a.astype(np.float64).T
        drive = (inputs[0].astype(np.int64).reshape(-1, 1) - node.inputs[0].type.zero_point) * form.b.astype(np.int64)
        memory: Int = inputs[1].astype(np.int64).reshape(-1)
        steps = []
        for driven in drive:
            total: Int = (memory @ matrix).astype(np.int64) + driven  # doubles hold every sum exactly
            memory = np.clip(shift_half_up(total, form.shifts), kind.qmin, kind.qmax)
            steps.append(memory)
        return np.stack(steps)[None].astype(kind.dtype), memory[None].astype(kind.dtype)

    def quant_rule(self) -> QuantRule:
        return QuantRule(state=StateRule((0, 1)), own_widths=True)

    def cost(self, node: Node) -> Cost:
        elements = node.outputs[0].type.size
        return Cost(macs=elements * (self.order + 1), elementwise=elements)

    def to_c(self, node: Node) -> KernelCall:
        u = node.inputs[0].type
        form = self.integers(node)
        params = {"steps": u.shape[1], "order": self.order, "input_offset": -u.zero_point}
        return KernelCall(f"lmu_{KERNEL_SUFFIX[u.dtype]}", params, (*node.inputs, form.a, form.b, form.shifts))

    def unsupported(self, node: Node, form: str) -> UnsupportedOpError:
        return UnsupportedOpError(
            f"a memory of 16 bits with a matrix of 16 bits has no {form} form; with 8 bits it would not forget",
            where=node.name,
            hint="turn it into a filter: --set lmu.form=fir",
        )

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        """The integer arithmetic itself, in double precision, step by step."""
        kind, form = node.outputs[0].type, self.integers(node)
        matrix, drive = b.const(form.a.astype(np.float64).T), b.const(form.b.astype(np.float64))
        half, unit = b.const(2.0 ** (form.shifts - 1.0)), b.const(2.0 ** form.shifts.astype(np.float64))
        low, high = (b.const(np.array(q, np.float64)) for q in (kind.qmin, kind.qmax))

        def step(states: list[str], slices: list[str]) -> tuple[list[str], list[str]]:
            total = b.op("Add", [b.op("MatMul", [states[0], matrix]), b.op("Mul", [slices[0], drive])])
            rounded = b.op("Floor", [b.op("Div", [b.op("Add", [total, half]), unit])])
            memory = b.op("Max", [b.op("Min", [rounded, high]), low])
            return [memory], [memory]

        (last,), (steps,) = b.scan(step, [b.integers(node.inputs[1])], [b.integers(node.inputs[0])], (1, self.order))
        b.result(node, b.real_of(steps, kind), b.real_of(last, kind))


def fir_length(order: int, theta: float, steps: int, tail_db: float) -> int:
    """Taps after which the rest of the impulse response carries less than `tail_db` of its energy; at most `steps`.

    Args:
        order: Numbers in the memory.
        theta: Steps that it holds.
        steps: Longest history that a result can have.
        tail_db: Energy of what is cut off, below that of the whole, in dB.
    """
    energy = (impulse_response(order, theta, max(steps, math.ceil(2 * theta))) ** 2).sum(0)
    tail = 1 - np.cumsum(energy) / energy.sum()
    beyond = np.flatnonzero(tail > 10 ** (-tail_db / 10))
    return min(steps, int(beyond[-1]) + 2 if beyond.size else 1)
