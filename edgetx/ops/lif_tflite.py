"""Leaky integrate-and-fire neurons in TFLite's built-ins: there is no neuron among them."""

from dataclasses import dataclass

import numpy as np

from edgetx.ir import Array, Node, Value
from edgetx.ops.op import TfliteBuilder
from edgetx.ops.whole_numbers import LEAVE_OUT, WholeNumbers

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
    writer = _Writer(node, form, b)
    writer.check_steps("a spiking neuron", x.shape[1], STEP_OPERATORS)
    if form.leak_shift is None:
        reason = "a spiking neuron whose tau is no power of two is not exact in TFLite, whose numbers have 24 bits"
        raise writer.refusal(reason, f"tau = 2; or {LEAVE_OUT}")
    if x.type.dtype != "int8" or form.gain_bits < 1:
        reason = f"{x.type.dtype} currents with {form.gain_bits} fraction bits are not exact in TFLite's 24"
        raise writer.refusal(reason)
    current, membrane = writer.current(), writer.cast(v)
    fired = []
    for t in range(x.shape[1]):
        membrane, spike = writer.step(membrane, writer.row(current, t), form.leak_shift)
        fired.append(spike)
    spikes = node.outputs[0]
    scaled = writer.apply("MUL", writer.rows(fired), float(form.spike))
    writer.store(writer.reshaped(scaled, *spikes.shape), spikes)
    writer.store(membrane, node.outputs[1])


class _Writer(WholeNumbers):
    """The arithmetic of a neuron."""

    def __init__(self, node: Node, form: LifIntegers, b: TfliteBuilder) -> None:
        super().__init__(node, b)
        self.form = form

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
            return self.apply("ADD", self.apply("MUL", reals, factor), offset)

        carried = self.halved(part(factors & mask, offsets & mask), low)
        whole = self.apply("ADD", part(factors >> low, offsets >> low), carried)
        return self.clipped(whole if bits == low else self.halved(whole, bits - low), -limit, limit)

    def step(self, membrane: Value, current: Value, leak_shift: int) -> tuple[Value, Value]:
        """The membrane after a step, and 1 where it has fired."""
        change = self.apply("SUB", current, membrane)
        if leak_shift:
            change = self.halved(change, leak_shift, 0.5)
        lowest = float(self.node.outputs[1].type.qmin)
        moved = self.apply("MAXIMUM", self.apply("ADD", membrane, change), lowest)
        above = self.apply("SUB", moved, float(self.form.threshold - 1))
        fired = self.apply("MINIMUM", self.apply("RELU", above), 1.0)
        return self.apply("SUB", moved, self.apply("MUL", moved, fired)), fired

    def _integers(self, value: Value) -> Array:
        data = self.b.data(value)
        if data is None:
            raise self.refusal("a spiking neuron with a computed gain")
        return data.astype(np.int64)
