"""Leaky integrate-and-fire neurons in TFLite's built-ins: whole numbers in single precision, where they are exact.

There is no neuron among the built-ins, and none of them shifts integers with 16 bits. But every number of the integer
arithmetic, or of its two halves, has less than 24 bits.
"""

from dataclasses import dataclass

import numpy as np

from edgetx.errors import UnsupportedOpError
from edgetx.ir import Array, Node, TensorType, Value
from edgetx.ops.op import TfliteBuilder

STEPS_MAX = 10
"""Steps written one after the other, as many as TFLite Micro concatenates; a file of more is mostly operators."""
STEP_OPERATORS = 11
LOW_BITS = 11
"""Bits in the lower halves of gain and shift."""


@dataclass(frozen=True)
class LifIntegers:
    """The numbers of a neuron's integer arithmetic.

    Attributes:
        gain_bits: Fraction bits of the gain.
        current_max: Largest current.
        leak_shift: Bits by which the difference to the current is shifted; None if 1/τ is no power of two.
        threshold: The threshold in units of the membrane.
        spike: The integer of a spike.
    """

    gain_bits: int
    current_max: int
    leak_shift: int | None
    threshold: int
    spike: int


def write_lif(node: Node, form: LifIntegers, b: TfliteBuilder) -> None:
    """Write a neuron, step by step.

    Raises:
        UnsupportedOpError: If the clip is long, the leak is no power of two or an operand does not fit.
    """
    x, v = node.inputs[0], node.inputs[3]
    steps = x.shape[1]
    if steps > STEPS_MAX:
        count = STEP_OPERATORS * steps
        reason = f"a spiking neuron takes {STEP_OPERATORS} operators of TFLite per step, {count} for {steps} steps"
        raise _refusal(node, reason, "--stream compiles it hop by hop; or leave TFLite out: --to onnx,c")
    if form.leak_shift is None:
        reason = "a spiking neuron whose tau is no power of two is not exact in TFLite, whose numbers have 24 bits"
        raise _refusal(node, reason, "tau = 2; or leave TFLite out: --to onnx,c")
    if x.type.dtype != "int8" or form.gain_bits < 1:
        reason = f"{x.type.dtype} currents with {form.gain_bits} fraction bits are not exact in TFLite's 24"
        raise _refusal(node, reason, "leave TFLite out: --to onnx,c")
    writer = _Writer(node, form, b)
    current, membrane = writer.current(), writer.cast(v)
    fired = []
    for t in range(steps):
        membrane, spike = writer.step(membrane, writer.row(current, t), form.leak_shift)
        fired.append(spike)
    writer.spikes(fired)
    writer.store(membrane, node.outputs[1])


def _refusal(node: Node, reason: str, hint: str) -> UnsupportedOpError:
    return UnsupportedOpError(reason, where=node.name, hint=hint)


class _Writer:
    """Operators on float32 tensors that hold whole numbers."""

    def __init__(self, node: Node, form: LifIntegers, b: TfliteBuilder) -> None:
        self.node, self.form, self.b = node, form, b

    def current(self) -> Value:
        """The input in units of the membrane: (x · gain + shift + half) >> bits, in two halves of gain and shift."""
        x, gain, shift, _ = self.node.inputs
        bits, limit = self.form.gain_bits, float(self.form.current_max)
        low = min(LOW_BITS, bits)
        mask = (1 << low) - 1
        factors, offsets = self._integers(gain), self._integers(shift)
        offsets = offsets - x.type.zero_point * factors + (1 << bits - 1)
        reals = self.cast(x)

        def part(factor: Array, offset: Array) -> Value:
            return self._apply("ADD", self._apply("MUL", reals, factor), offset)

        carried = self._halved(part(factors & mask, offsets & mask), low)
        whole = self._apply("ADD", part(factors >> low, offsets >> low), carried)
        rounded = whole if bits == low else self._halved(whole, bits - low)
        return self._apply("MAXIMUM", self._apply("MINIMUM", rounded, limit), -limit)

    def row(self, current: Value, t: int) -> Value:
        """One step of the currents, 1 × channels."""
        _, steps, channels = current.shape
        y = self._temporary((1, channels))
        if steps == 1:
            self.b.op(self.node, "RESHAPE", [current, self._indices(1, channels)], outputs=[y])
        else:
            ends = [self._indices(0, t, 0), self._indices(1, t + 1, channels), self._indices(1, 1, 1)]
            self.b.op(self.node, "STRIDED_SLICE", [current, *ends], {"ShrinkAxisMask": 2}, [y])
        return y

    def step(self, membrane: Value, current: Value, leak_shift: int) -> tuple[Value, Value]:
        """The membrane after a step, and 1 where it has fired."""
        change = self._apply("SUB", current, membrane)
        if leak_shift:
            change = self._halved(change, leak_shift, 0.5)
        lowest = float(self.node.outputs[1].type.qmin)
        moved = self._apply("MAXIMUM", self._apply("ADD", membrane, change), lowest)
        above = self._apply("SUB", moved, float(self.form.threshold - 1))
        fired = self._apply("MINIMUM", self._apply("RELU", above), 1.0)
        return self._apply("SUB", moved, self._apply("MUL", moved, fired)), fired

    def spikes(self, fired: list[Value]) -> None:
        """The first result, from what has fired at each step."""
        result = self.node.outputs[0]
        steps, clip = self._temporary((len(fired), result.shape[-1])), self._temporary(result.shape)
        if len(fired) > 1:
            self.b.op(self.node, "CONCATENATION", fired, {"Axis": 0, "FusedActivationFunction": "none"}, [steps])
        else:
            (steps,) = fired
        scaled = self._apply("MUL", steps, float(self.form.spike))
        self.b.op(self.node, "RESHAPE", [scaled, self._indices(*result.shape)], outputs=[clip])
        self.store(clip, result)

    def cast(self, value: Value) -> Value:
        """The integers of an operand."""
        y = self._temporary(value.shape)
        types = {"InDataType": value.type.dtype, "OutDataType": "float32"}
        self.b.op(self.node, "CAST", [value], types, [y])
        return y

    def store(self, numbers: Value, result: Value) -> None:
        """Give a result of the node its integers."""
        types = {"InDataType": "float32", "OutDataType": result.type.dtype}
        self.b.op(self.node, "CAST", [numbers], types, [result])

    def _apply(self, builtin: str, a: Value, by: Value | Array | float | None = None) -> Value:
        y = self._temporary(a.shape)
        operands = [a] if by is None else [a, by if isinstance(by, Value) else self._number(by)]
        options = {"FusedActivationFunction": "none"} if builtin in ("ADD", "MUL", "SUB") else {}
        self.b.op(self.node, builtin, operands, options, [y])
        return y

    def _halved(self, value: Value, bits: int, half: float = 0.0) -> Value:
        """value / 2**bits + half, rounded down."""
        scaled = self._apply("MUL", value, 2.0**-bits)
        return self._apply("FLOOR", self._apply("ADD", scaled, half) if half else scaled)

    def _integers(self, value: Value) -> Array:
        data = self.b.data(value)
        if data is None:
            raise _refusal(self.node, "a spiking neuron with a computed gain", "leave TFLite out: --to onnx,c")
        return data.astype(np.int64)

    def _temporary(self, shape: tuple[int, ...]) -> Value:
        return self.b.temporary(TensorType(shape, "float32"), f"{self.node.name}.part")

    def _number(self, data: Array | float) -> Value:
        return self.b.const(np.asarray(data, np.float32), f"{self.node.name}.number")

    def _indices(self, *data: int) -> Value:
        return self.b.const(np.array(data, np.int32), f"{self.node.name}.indices")
