"""Handlers of ONNX operators: how they are registered, and what they work with."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import onnx

from edgetx import ops
from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.fixedpoint import quantize
from edgetx.frontends.builder_scope import WIDTHS, BuilderScope
from edgetx.ir import Array, DType, QuantParams, Value
from edgetx.ops.quant_rule import Bias, QuantRule, Result, Weight
from edgetx.quant.restore import restored

Handler = Callable[..., "Value | tuple[Value, ...]"]
HandlerT = TypeVar("HandlerT", bound=Handler)
HANDLERS: dict[str, Handler] = {}
"""Handlers by name of the operator; of another domain than the default one with the domain before it."""
MICROSOFT = "com.microsoft"

Stored = tuple[DType, QuantParams]
"""Element type and quantization of integers."""


def operator(*names: str, domain: str = "") -> Callable[[HandlerT], HandlerT]:
    """Register the handler of operators."""

    def register(handler: HandlerT) -> HandlerT:
        HANDLERS.update((f"{domain}.{name}".lstrip("."), handler) for name in names)
        return handler

    return register


def handler_name(node: onnx.NodeProto) -> str:
    """The name under which the handler of an operator is registered."""
    return f"{MICROSOFT}.{node.op_type}" if node.domain == MICROSOFT else node.op_type


@dataclass
class Scope(BuilderScope):
    """What a handler works with.

    Attributes:
        node: The operator in the file.
        opset: Version of the default domain.
        stored: For each result the quantization that the file gives it, or None.
        whole: Names of computed values that are truths or whole numbers.
    """

    node: onnx.NodeProto
    opset: int
    stored: Sequence[Stored | None]
    whole: Collection[str] = ()

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
        self._refuse_widths(op, activations, made)
        operands: list[Value] = []
        for index, x in enumerate(inputs):
            own = rule.consts.get(index)
            if own is None or x.name not in self.builder.consts:
                operands.append(self._integer(x, made if rule.shared else None))
            elif isinstance(own, Weight | Bias) and x.type.quant is not None:
                operands.append(x)
            else:
                types = [v.type for v in operands]
                real = self.data(self.restored(x), "a parameter")
                integers, quant = own.quantize(real, types, activations[0].type.with_quant(*made))
                operands.append(self.const(integers, "int", quant))
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
            bits = WIDTHS[first.type.dtype]
            if bits not in rule.result:
                raise UnsupportedOpError(f"{self.node.op_type} in {bits} bits")
            return first.type.dtype, rule.result[bits]
        if rule.result is Result.SAME_AS_INPUT:
            return first.type.dtype, first.type.per_tensor
        if self.stored[0] is None:
            raise ModelError(
                f"the result of {self.node.op_type} on integers is not quantized",
                hint="put QuantizeLinear behind every operator, or leave the model in floating point throughout",
            )
        return self.stored[0]

    def _refuse_widths(self, op: ops.Op, activations: Sequence[Value], made: Stored) -> None:
        """Refuse operands and results of widths for which no kernel is."""
        widths = {x.type.dtype for x in activations} | {made[0]}
        if len(widths) > 1 and op.name != "quantize":
            raise UnsupportedOpError(f"{self.node.op_type} of {' and '.join(sorted(widths))}", hint="use one width")

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
        if quant.zero_point:
            raise UnsupportedOpError(
                f"weights with zero point {quant.zero_point}", hint="quantize weights symmetrically"
            )
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
        if x.type.quant is not None and x.type.quant.axis is not None:
            x = self.restored(x)  # a scale for each channel is for weights
        data = self.builder.consts.get(x.name)
        if data is not None and x.type.is_float:
            peak = max(float(np.abs(data).max()), 1e-30)
            dtype, quant = shared or ("int8", QuantParams((float(np.float32(peak / 127)),)))
            return self.const(quantize(data, quant.scale[0], quant.zero_point, dtype), "int", quant)
        if data is None and x.type.quant is None:
            raise UnsupportedOpError(f"{self.node.op_type} of integers and real numbers", hint="quantize both")
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

    def known(self, value: Value) -> Array | None:
        """The data of a constant; None of what is computed."""
        return self.scope.known(value)
