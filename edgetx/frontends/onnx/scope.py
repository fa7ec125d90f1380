"""Handlers of ONNX operators: how they are registered, and what they work with."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import onnx

from edgetx import ops
from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.fixedpoint import quantize
from edgetx.frontends.builder_scope import BuilderScope
from edgetx.ir import Array, DType, QuantParams, Value
from edgetx.ops.quant_rule import Bias, QuantRule, Result
from edgetx.quant.restore import restored

Handler = Callable[..., "Value | tuple[Value, ...]"]
HandlerT = TypeVar("HandlerT", bound=Handler)
HANDLERS: dict[str, Handler] = {}

Stored = tuple[DType, QuantParams]
"""Element type and quantization of integers."""


def operator(*names: str) -> Callable[[HandlerT], HandlerT]:
    """Register the handler of operators of the default domain."""

    def register(handler: HandlerT) -> HandlerT:
        HANDLERS.update(dict.fromkeys(names, handler))
        return handler

    return register


@dataclass
class Scope(BuilderScope):
    """What a handler works with.

    Attributes:
        node: The operator in the file.
        opset: Version of the default domain.
        stored: For each result the quantization that the file gives it, or None.
    """

    node: onnx.NodeProto
    opset: int
    stored: Sequence[Stored | None]

    @property
    def attributes(self) -> Mapping[str, Any]:
        """Attributes by name; texts are bytes."""
        return {a.name: onnx.helper.get_attribute_value(a) for a in self.node.attribute}

    def integer(self, name: str, default: int) -> int:
        """An attribute."""
        return int(self.attributes.get(name, default))

    def real(self, name: str, default: float) -> float:
        """An attribute."""
        return float(self.attributes.get(name, default))

    def text(self, name: str, default: str) -> str:
        """An attribute."""
        value = self.attributes.get(name, default)
        return value.decode() if isinstance(value, bytes) else str(value)

    def listed(self, name: str, operand: Value | None = None) -> tuple[int, ...] | None:
        """Integers that were an attribute in older opsets and are an operand in newer ones."""
        if operand is not None:
            return self.integers(operand, name)
        values = self.attributes.get(name)
        return None if values is None else tuple(map(int, np.ravel(values)))

    def result(self, op: ops.Op, *inputs: Value) -> Value:
        """Apply the op that makes the operator's result: in integers if its operands are, else in real numbers.

        Raises:
            ModelError: If an op on integers has a result without quantization.
        """
        activations = [x for x in inputs if x.type.quant and x.name not in self.builder.consts]
        if not activations:
            return self.op(op, *map(self.restored, inputs))
        rule, stored = op.quant_rule(), self.stored[0]
        made = self._made(rule, activations[0])
        operands = [self._integer(x, made if rule.shared else None) for x in inputs]
        return self.requantized(self.op(op, *operands, quant=made), stored or made)

    def joined(self, parts: Sequence[Value]) -> Value:
        """Values one after the other along the first axis."""
        return parts[0] if len(parts) == 1 else self.result(ops.Concatenation(0), *parts)

    @property
    def results(self) -> "Results":
        """A builder of which every op makes a result of the operator."""
        return Results(self)

    def _made(self, rule: QuantRule, first: Value) -> Stored:
        """The quantization in which an op on integers makes its result: the rule's, the operand's or the file's."""
        if isinstance(rule.result, Mapping):
            return "int8", rule.result[8]
        if rule.result is Result.SAME_AS_INPUT:
            return first.type.dtype, first.type.per_tensor
        if self.stored[0] is None:
            raise ModelError(
                f"the result of {self.node.op_type} on integers is not quantized",
                hint="put QuantizeLinear behind every operator, or leave the model in floating point throughout",
            )
        return self.stored[0]

    def moved(self, x: Value, data: Array, axis: int | None, channels: slice | None = None, repeats: int = 1) -> Value:
        """A constant with its elements in another arrangement.

        Args:
            x: The constant.
            data: Its elements, rearranged.
            axis: The axis to which its quantization, if it is per channel, belongs now.
            channels: Those of its channels that `data` holds.
            repeats: How often `data` holds them, one time after the other.
        """
        quant = x.type.quant
        if quant is None:
            return self.const(data, "weight")
        scale = (quant.scale if channels is None else quant.scale[channels]) * repeats
        return self.const(data, "weight", QuantParams(scale, quant.zero_point, axis))

    def bias(self, bias: Value, x: Value, weight: Value, channels: slice | None = None, repeats: int = 1) -> Value:
        """A bias in the accumulator's units, if its operator computes on integers.

        Args:
            bias: The constant.
            x: The operand of the layer.
            weight: Its weight.
            channels: Those of its channels that the layer has.
            repeats: How often it has them.
        """
        real = self.restored(bias)
        data = np.tile(self.data(real, "a bias").ravel()[channels or slice(None)], repeats)
        if weight.type.quant is None or x.type.quant is None:
            return self.const(data, "bias")
        integers, quant = Bias().quantize(data, (x.type, weight.type), x.type)
        return self.const(integers, "bias", quant)

    def requantized(self, x: Value, stored: Stored) -> Value:
        """The value in another quantization."""
        if (x.type.dtype, x.type.quant) == stored:
            return x
        return self.op(ops.Quantize(), x, quant=stored)

    def restored(self, x: Value) -> Value:
        """A constant in real numbers."""
        data = self.builder.consts.get(x.name)
        if data is None or x.type.quant is None:
            return x
        return self.const(restored(data, x.type), "real")

    def real_constant(self, x: Value) -> Value:
        """A constant of integers or truths as real numbers."""
        data = self.builder.consts.get(x.name)
        if data is None or data.dtype.kind == "f":
            return x
        return self.const(data.astype(np.float32), "real")

    def real_only(self, *operands: Value) -> None:
        """Refuse operands that are integers.

        Raises:
            UnsupportedOpError: If one is.
        """
        if any(x.type.quant for x in operands):
            raise UnsupportedOpError(f"{self.node.op_type} of integers")

    def _integer(self, x: Value, shared: Stored | None) -> Value:
        """An operand of an op on integers; real constants are quantized over their range."""
        data = self.builder.consts.get(x.name)
        if data is not None and x.type.is_float:
            peak = max(float(np.abs(data).max()), 1e-30)
            dtype, quant = shared or ("int8", QuantParams((float(np.float32(peak / 127)),)))
            return self.const(quantize(data, quant.scale[0], quant.zero_point, dtype), "int", quant)
        return x if shared is None else self.requantized(x, shared)


@dataclass(frozen=True)
class Results:
    """Applies ops like `Scope.result`, for what is written for all frontends."""

    scope: Scope

    def op(self, op: ops.Op, *inputs: Value) -> Value:
        """Apply an op."""
        return self.scope.result(op, *inputs)

    def const(self, data: Array, suffix: str) -> Value:
        """A constant."""
        return self.scope.const(np.asarray(data, np.float32), suffix)
