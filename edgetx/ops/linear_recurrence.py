"""A state that decays by its own rate at every step."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.fixedpoint import Int, shift_half_up
from edgetx.ir import Array, Arrays, Node, QuantParams, TensorType
from edgetx.ops.linear_recurrence_tflite import write_linear_recurrence
from edgetx.ops.op import KERNEL_SUFFIX, Cost, KernelCall, OnnxBuilder, TfliteBuilder, register
from edgetx.ops.quant_rule import QuantRule, StateRule
from edgetx.ops.recurrence import Recurrence

DECAY_BITS = 15
DECAY = QuantParams((2.0**-DECAY_BITS,))
DRIVE_MAX = 1 << 30


@register
@dataclass(frozen=True)
class LinearRecurrence(Recurrence):
    """s[t] = decay[t] · s[t−1] + x[t], element by element.

    x [1, T, …] and s₀ [1, …] give s [1, T, …] and s[T−1] [1, …]; decay has the shape of x, or 1 instead of its last
    axes. Selective state spaces and gated linear attention are this between products with one step each. In integers
    the state has 16 bits, decay 15 fraction bits; sums have 32 bits and are rounded once, ties upwards.
    """

    name: ClassVar[str] = "linear_recurrence"

    def state_shape(self, *inputs: TensorType) -> tuple[int, ...]:
        x = inputs[1]
        return (1, *x.shape[2:])

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        decay, x, _ = inputs
        if x.rank < 3 or x.shape[0] != 1 or decay.shape[:2] != x.shape[:2] or _repeats(decay, x) is None:
            raise ModelError(f"linear_recurrence of {x.shape} with a decay {decay.shape}")
        self.check_state(*inputs)
        return TensorType(x.shape), TensorType((1, *x.shape[2:]))

    def float_ref(self, *inputs: Array) -> Arrays:
        decay, x, state = inputs
        steps = []
        for rate, driven in zip(decay.swapaxes(0, 1), x.swapaxes(0, 1), strict=True):
            state = rate * state + driven
            steps.append(state)
        return np.stack(steps, 1), state

    def int_ref(self, node: Node, *inputs: Array) -> Arrays:
        kind = node.outputs[0].type
        decay, x, state = (array.astype(np.int64) for array in inputs)
        driven = (x - node.inputs[1].type.zero_point) * self.drive(node)
        steps = []
        for rate, drive in zip(decay.swapaxes(0, 1), driven.swapaxes(0, 1), strict=True):
            total: Int = rate * state + drive
            state = np.clip(shift_half_up(total, DECAY_BITS), kind.qmin, kind.qmax)
            steps.append(state)
        return np.stack(steps, 1).astype(kind.dtype), state.astype(kind.dtype)

    def drive(self, node: Node) -> int:
        """What one step of x adds to the state, in its units with 15 fraction bits."""
        x = node.inputs[1].type
        ratio = x.scale / node.outputs[0].type.scale * 2**DECAY_BITS
        peak = max(x.qmax - x.zero_point, x.zero_point - x.qmin)
        return int(min(round(ratio), DRIVE_MAX // peak))  # beyond that every x saturates the state

    def quant_rule(self) -> QuantRule:
        return QuantRule(fixed_operands={0: (16, DECAY)}, state=StateRule((0, 1)), own_widths=True)

    def cost(self, node: Node) -> Cost:
        elements = node.outputs[0].type.size
        return Cost(macs=2 * elements, elementwise=elements)

    def to_c(self, node: Node) -> KernelCall:
        x, state = node.inputs[1].type, node.inputs[2].type
        params = {
            "steps": x.shape[1],
            "size": state.size,
            "repeats": self.repeats(node),
            "input_offset": -x.zero_point,
            "drive": self.drive(node),
        }
        return KernelCall(f"linear_recurrence_{KERNEL_SUFFIX[x.dtype]}", params, node.inputs)

    def to_tflite(self, node: Node, b: TfliteBuilder) -> None:
        """Whole numbers in single precision, step by step."""
        write_linear_recurrence(node, self.drive(node), DECAY_BITS, self.repeats(node), b)

    def repeats(self, node: Node) -> int:
        """How many neighbours share a decay.

        Raises:
            UnsupportedOpError: If the decay is not what the integer arithmetic takes.
        """
        decay, x = node.inputs[0].type, node.inputs[1].type
        repeats = _repeats(decay, x)
        if repeats is None or decay.dtype != "int16" or decay.scale != DECAY.scale[0]:
            raise UnsupportedOpError("decay with other than 15 fraction bits", where=node.name)
        return repeats

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        """The integer arithmetic itself, in double precision, step by step."""
        kind = node.outputs[0].type
        number = {
            name: b.const(np.array(value, np.float64))
            for name, value in (
                ("drive", self.drive(node)), ("half", 2.0 ** (DECAY_BITS - 1)), ("unit", 2.0**DECAY_BITS),
                ("low", kind.qmin), ("high", kind.qmax),
            )
        }  # fmt: skip
        decay, x, state = map(b.integers, node.inputs)
        driven = b.op("Add", [b.op("Mul", [x, number["drive"]]), number["half"]])

        def step(states: list[str], slices: list[str]) -> tuple[list[str], list[str]]:
            total = b.op("Add", [b.op("Mul", [slices[0], states[0]]), slices[1]])
            rounded = b.op("Floor", [b.op("Div", [total, number["unit"]])])
            new = b.op("Max", [b.op("Min", [rounded, number["high"]]), number["low"]])
            return [new], [new]

        (last,), (steps,) = b.scan(step, [state], [decay, driven], node.inputs[2].shape)
        b.result(node, b.real_of(steps, kind), b.real_of(last, kind))


def _repeats(decay: TensorType, x: TensorType) -> int | None:
    """How many neighbours share a decay; None if it is not repeated along the last axes only."""
    if decay.rank != x.rank:
        return None
    kept = next((axis for axis in range(x.rank, 0, -1) if decay.shape[axis - 1] != 1), 2)
    return math.prod(x.shape[kept:]) if decay.shape[:kept] == x.shape[:kept] else None
