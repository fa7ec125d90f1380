"""Leaky integrate-and-fire neurons."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.errors import ModelError
from edgetx.fixedpoint import Int, shift_half_up
from edgetx.ir import Array, Arrays, Node, QuantParams, TensorType
from edgetx.ops.lif_tflite import LifIntegers, write_lif
from edgetx.ops.op import KERNEL_SUFFIX, Cost, KernelCall, OnnxBuilder, TfliteBuilder, register
from edgetx.ops.quant_rule import QuantRule, StateRule
from edgetx.ops.recurrence import Recurrence

SPIKE = 64
"""The integer of a spike: the accumulators of the layers that read it have six bits for fractions of a weight."""
LEAK_BITS = 14
GAIN_MAX, GAIN_MAX_WIDE = (1 << 21) - 1, (1 << 14) - 1
"""Largest gain for x of 8 and of 16 bits: products stay within 30 bits."""
MAX_GAIN_BITS = 24
SHIFT_MAX = 1 << 30
REACHES = tuple(1 << bits for bits in range(13))
CURRENT_MAX = 1 << 29


@register
@dataclass(frozen=True)
class Lif(Recurrence):
    """v ← v + (gain · x + shift − v)/τ; s = 1 and v ← 0 where v ≥ threshold, else s = 0.

    x [1, T, C], gain [C], shift [C] and v₀ [1, C] give s [1, T, C] and the membrane after the last step [1, C]. In
    integers the membrane has 16 bits, saturates `reach` thresholds below 0 and has 2**15 / reach for the threshold;
    the current is rescaled to it and saturates at 2 · τ · reach thresholds, with which any neuron fires. The leak is
    rounded once, to nearest with ties upwards: for τ = 2, v ← (v + x + 1) >> 1.
    """

    name: ClassVar[str] = "lif"

    threshold: float = 1.0
    tau: float = 2.0
    reach: int = 16

    def __post_init__(self) -> None:
        if not self.threshold > 0 or not self.tau >= 1:
            raise ModelError(f"lif with threshold {self.threshold} and tau {self.tau}", hint="above 0, at least 1")
        if self.reach not in REACHES:
            raise ModelError(
                f"lif whose membrane reaches {self.reach} thresholds", hint="a power of two from 1 to 4096"
            )

    def state_shape(self, *inputs: TensorType) -> tuple[int, ...]:
        return (1, inputs[0].shape[-1])

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        x, *affine, v = inputs
        if x.rank != 3 or x.shape[0] != 1 or [t.shape for t in affine] != [x.shape[-1:]] * 2:
            raise ModelError(f"lif of {', '.join(str(t.shape) for t in inputs)}")
        self.check_state(*inputs)
        return TensorType(x.shape), TensorType(v.shape)

    def float_ref(self, *inputs: Array) -> Arrays:
        x, gain, shift, v = inputs
        current = x * gain + shift
        spikes = []
        for step in current.swapaxes(0, 1):
            v = v + (step - v) / np.asarray(self.tau, v.dtype)
            fired = v >= self.threshold
            spikes.append(fired)
            v = np.where(fired, 0, v).astype(np.float32)
        return np.stack(spikes, 1).astype(np.float32), v

    def int_ref(self, node: Node, *inputs: Array) -> Arrays:
        kind = node.outputs[1].type
        current = self.currents(node, *inputs[:-1])
        v: Int = inputs[3].astype(np.int64)
        spikes = []
        for step in current.swapaxes(0, 1):
            v = np.maximum(v + shift_half_up((step - v) * self.leak, LEAK_BITS), kind.qmin)
            fired = v >= self.threshold_units
            spikes.append(fired)
            v = np.where(fired, 0, v)
        return (SPIKE * np.stack(spikes, 1)).astype(np.int8), v.astype(kind.dtype)

    @property
    def current_max(self) -> int:
        """The current at which the membrane, wherever it is, moves by all of its range; products with the leak fit."""
        return min(round(2**16 * self.tau), CURRENT_MAX)

    @property
    def leak(self) -> int:
        """1/τ with 14 fraction bits."""
        return round((1 << LEAK_BITS) / self.tau)

    def currents(self, node: Node, x: Array, gain: Array, shift: Array) -> Int:
        """The input in units of the membrane, rounded to nearest with ties upwards, and saturated."""
        total = (x.astype(np.int64) - node.inputs[0].type.zero_point) * gain + shift
        return np.clip(shift_half_up(total, self.gain_bits(node)), -self.current_max, self.current_max)

    def gain_bits(self, node: Node) -> int:
        """Fraction bits of the gain in units of membrane per step of x."""
        x, gain, _, v = (value.type for value in node.inputs)
        return round(math.log2(v.scale / (x.scale * gain.scale)))

    @property
    def unit(self) -> float:
        """Scale of the membrane."""
        return float(np.float32(self.threshold)) / self.threshold_units

    @property
    def threshold_units(self) -> int:
        """The threshold in units of the membrane."""
        return (1 << 15) // self.reach

    def quant_rule(self) -> QuantRule:
        return QuantRule(
            consts={1: Gain(self.unit), 2: Shift(self.unit)},
            fixed={0: (8, QuantParams((1 / SPIKE,))), 1: (16, QuantParams((self.unit,)))},
            state=StateRule((1,)),
            own_widths=True,
        )

    def cost(self, node: Node) -> Cost:
        return Cost(elementwise=node.outputs[0].type.size)

    def to_c(self, node: Node) -> KernelCall:
        x = node.inputs[0]
        params = {
            "steps": x.shape[1],
            "channels": x.shape[-1],
            "input_offset": -x.type.zero_point,
            "gain_bits": self.gain_bits(node),
            "leak": self.leak,
            "current_max": self.current_max,
            "threshold": self.threshold_units,
        }
        return KernelCall(f"lif_{KERNEL_SUFFIX[x.type.dtype]}", params, node.inputs)

    def to_tflite(self, node: Node, b: TfliteBuilder) -> None:
        """Whole numbers in single precision, step by step."""
        exact = LEAK_BITS + 1 - self.leak.bit_length()
        shift = exact if self.leak << exact == 1 << LEAK_BITS else None
        write_lif(node, LifIntegers(self.gain_bits(node), self.current_max, shift, self.threshold_units, SPIKE), b)

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        """The integer arithmetic itself, in double precision; the membrane step by step."""
        x, gain, shift, v = (b.integers(value) for value in node.inputs)

        def number(value: float) -> str:
            return b.const(np.array(value, np.float64))

        def rounded(total: str, bits: int) -> str:
            return b.op("Floor", [b.op("Div", [b.op("Add", [total, number(2.0**bits / 2)]), number(2.0**bits)])])

        total = rounded(b.op("Add", [b.op("Mul", [x, gain]), shift]), self.gain_bits(node))
        current = b.op("Max", [b.op("Min", [total, number(self.current_max)]), number(-self.current_max)])
        leak, threshold, spike, zero = number(self.leak), number(self.threshold_units), number(SPIKE), number(0)
        lowest = number(node.outputs[1].type.qmin)

        def step(states: list[str], slices: list[str]) -> tuple[list[str], list[str]]:
            change = rounded(b.op("Mul", [b.op("Sub", [slices[0], states[0]]), leak]), LEAK_BITS)
            membrane = b.op("Max", [b.op("Add", [states[0], change]), lowest])
            fired = b.op("GreaterOrEqual", [membrane, threshold])
            return [b.op("Where", [fired, zero, membrane])], [b.op("Where", [fired, spike, zero])]

        (last,), (spikes,) = b.scan(step, [v], [current], node.inputs[3].shape)
        b.result(node, b.real_of(spikes, node.outputs[0].type), b.real_of(last, node.outputs[1].type))


def gain_bits(peak: float, x: TensorType, unit: float) -> int:
    """Fraction bits with which a gain of `peak` keeps the product with any x within 30 bits."""
    limit = GAIN_MAX if x.dtype == "int8" else GAIN_MAX_WIDE
    room = math.log2(limit * unit / (max(peak, 1e-9) * x.scale))
    return min(max(math.floor(room), 0), MAX_GAIN_BITS)


@dataclass(frozen=True)
class Gain:
    """Gain by channel, int32, in units of `unit` per step of x, with as many fraction bits as there is room for."""

    unit: float

    def quantize(self, data: Array, inputs: Sequence[TensorType], output: TensorType) -> tuple[Array, QuantParams]:
        """One scale for all channels."""
        x = inputs[0]
        bits = gain_bits(float(np.abs(data).max()), x, self.unit)
        scale = math.ldexp(self.unit / x.scale, -bits)
        limit = GAIN_MAX if x.dtype == "int8" else GAIN_MAX_WIDE
        return np.clip(np.rint(data / scale), -limit, limit).astype(np.int32), QuantParams((scale,))


@dataclass(frozen=True)
class Shift:
    """Shift by channel, int32, in units of x times gain."""

    unit: float

    def quantize(self, data: Array, inputs: Sequence[TensorType], output: TensorType) -> tuple[Array, QuantParams]:
        """Scale of x times that of the gain."""
        scale = inputs[0].scale * inputs[1].scale
        return np.clip(np.rint(data / scale), -SHIFT_MAX, SHIFT_MAX).astype(np.int32), QuantParams((scale,))
