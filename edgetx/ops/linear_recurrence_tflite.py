"""Recurrences whose states decay, in TFLite's built-ins: none of them has products of 16 bits and sums of 32."""

from edgetx.ir import Node, Value
from edgetx.ops.op import TfliteBuilder
from edgetx.ops.whole_numbers import WholeNumbers

STEP_OPERATORS = 19
LOW_BITS = 8
"""Bits in the lower half of a state."""


def write_linear_recurrence(node: Node, drive: int, decay_bits: int, repeats: int, b: TfliteBuilder) -> None:
    """Write a recurrence, step by step.

    Args:
        node: The recurrence.
        drive: What one step of its input adds to the state, with `decay_bits` fraction bits.
        decay_bits: Fraction bits of the decay.
        repeats: Neighbours that share a decay.
        b: The file.

    Raises:
        UnsupportedOpError: If the clip is long or the input has 16 bits.
    """
    decay, x, start = node.inputs
    writer, steps, size = _Writer(node, b), x.shape[1], start.type.size
    writer.check_steps("a recurrence", steps, STEP_OPERATORS)
    if x.type.dtype != "int8":
        raise writer.refusal(f"a recurrence on {x.type.dtype} is not exact in TFLite's 24 bits")
    rows, table = size // repeats, (1, size // repeats, repeats)
    rates = writer.reshaped(writer.cast(decay), 1, steps, rows, 1)
    inputs = writer.apply("SUB", writer.reshaped(writer.cast(x), 1, steps, *table[1:]), float(x.type.zero_point))
    state, states = writer.reshaped(writer.cast(start), *table), []
    for t in range(steps):
        state = writer.step(state, writer.row(rates, t), writer.row(inputs, t), drive, decay_bits)
        states.append(state)
    all_steps, last = node.outputs
    writer.store(writer.reshaped(writer.rows(states), *all_steps.shape), all_steps)
    writer.store(writer.reshaped(state, *last.shape), last)


class _Writer(WholeNumbers):
    """The arithmetic of a step."""

    def step(self, state: Value, rate: Value, x: Value, drive: int, bits: int) -> Value:
        """(rate · state + drive · x + half) >> bits within 16 bits.

        State and drive are taken apart, so that the sum that is rounded stays below 2^24: its largest terms are rates
        of 15 bits times the 8 lower bits of the state, and as large a product of x.
        """
        high = self.halved(state, LOW_BITS)
        low = self.apply("SUB", state, self.apply("MUL", high, 2.0**LOW_BITS))
        product = self.apply("MUL", high, rate)
        above = self.halved(product, bits - LOW_BITS)
        rest = self.apply("SUB", product, self.apply("MUL", above, 2.0 ** (bits - LOW_BITS)))
        parts = self.apply("ADD", self.apply("MUL", rest, 2.0**LOW_BITS), self.apply("MUL", low, rate))
        parts = self.apply("ADD", parts, self.apply("MUL", x, float(drive & (1 << bits) - 1)))
        whole = self.apply("ADD", above, self.apply("MUL", x, float(drive >> bits)))
        kind = self.node.outputs[0].type
        return self.clipped(self.apply("ADD", whole, self.halved(parts, bits, 0.5)), float(kind.qmin), float(kind.qmax))
