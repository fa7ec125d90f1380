"""Arithmetic of whole numbers in TFLite's built-ins: in single precision, where numbers of 24 bits are exact.

None of the built-ins shifts integers with 16 bits, but every number of some integer arithmetic, or of its halves, has
less than 24 bits.
"""

from collections.abc import Sequence

import numpy as np

from edgetx.errors import UnsupportedOpError
from edgetx.ir import Array, Node, TensorType, Value
from edgetx.ops.op import TfliteBuilder

STEPS_MAX = 10
"""Steps written one after the other, as many as TFLite Micro concatenates; a file of more is mostly operators."""
LEAVE_OUT = "leave TFLite out: --to onnx,c"


class WholeNumbers:
    """Operators on float32 tensors that hold whole numbers.

    Args:
        node: The node that they compute.
        b: The file.
    """

    def __init__(self, node: Node, b: TfliteBuilder) -> None:
        self.node, self.b = node, b

    def check_steps(self, what: str, steps: int, operators: int) -> None:
        """Compare a number of steps, each of so many operators, with what can be written.

        Raises:
            UnsupportedOpError: If there are too many.
        """
        if steps > STEPS_MAX:
            reason = f"{what} takes {operators} operators of TFLite per step, {operators * steps} for {steps} steps"
            raise self.refusal(reason, f"--stream compiles it hop by hop; or {LEAVE_OUT}")

    def refusal(self, reason: str, hint: str = LEAVE_OUT) -> UnsupportedOpError:
        """The error for what is not exact or too long."""
        return UnsupportedOpError(reason, where=self.node.name, hint=hint)

    def cast(self, value: Value) -> Value:
        """The integers of an operand."""
        y = self.temporary(value.shape)
        types = {"InDataType": value.type.dtype, "OutDataType": "float32"}
        self.b.op(self.node, "CAST", [value], types, [y])
        return y

    def store(self, numbers: Value, result: Value) -> None:
        """Give a result of the node its integers."""
        types = {"InDataType": "float32", "OutDataType": result.type.dtype}
        self.b.op(self.node, "CAST", [numbers], types, [result])

    def apply(self, builtin: str, a: Value, by: Value | Array | float | None = None) -> Value:
        """A function of one operand or two, the second no larger than the first."""
        y = self.temporary(a.shape)
        operands = [a] if by is None else [a, by if isinstance(by, Value) else self.number(by)]
        options = {"FusedActivationFunction": "none"} if builtin in ("ADD", "MUL", "SUB") else {}
        self.b.op(self.node, builtin, operands, options, [y])
        return y

    def clipped(self, value: Value, low: float, high: float) -> Value:
        """The value within bounds."""
        return self.apply("MAXIMUM", self.apply("MINIMUM", value, high), low)

    def halved(self, value: Value, bits: int, half: float = 0.0) -> Value:
        """value / 2**bits + half, rounded down."""
        scaled = self.apply("MUL", value, 2.0**-bits)
        return self.apply("FLOOR", self.apply("ADD", scaled, half) if half else scaled)

    def reshaped(self, value: Value, *shape: int) -> Value:
        """The value in another shape."""
        y = self.temporary(shape)
        self.b.op(self.node, "RESHAPE", [value, self.indices(*shape)], outputs=[y])
        return y

    def row(self, value: Value, t: int) -> Value:
        """One step of a value 1 × steps × …, without the axis of steps."""
        _, steps, *rest = value.shape
        if steps == 1:
            return self.reshaped(value, 1, *rest)
        y = self.temporary((1, *rest))
        bounds = [(0, t, *[0] * len(rest)), (1, t + 1, *rest), (1,) * (2 + len(rest))]
        self.b.op(
            self.node, "STRIDED_SLICE", [value, *(self.indices(*ends) for ends in bounds)], {"ShrinkAxisMask": 2}, [y]
        )
        return y

    def rows(self, steps: Sequence[Value]) -> Value:
        """Steps, 1 × …, one after the other."""
        if len(steps) == 1:
            return steps[0]
        y = self.temporary((len(steps), *steps[0].shape[1:]))
        self.b.op(self.node, "CONCATENATION", list(steps), {"Axis": 0, "FusedActivationFunction": "none"}, [y])
        return y

    def temporary(self, shape: tuple[int, ...]) -> Value:
        """A tensor for a result in between."""
        return self.b.temporary(TensorType(shape, "float32"), f"{self.node.name}.part")

    def number(self, data: Array | float) -> Value:
        """A constant."""
        return self.b.const(np.asarray(data, np.float32), f"{self.node.name}.number")

    def indices(self, *data: int) -> Value:
        """A constant shape or place."""
        return self.b.const(np.array(data, np.int32), f"{self.node.name}.indices")
