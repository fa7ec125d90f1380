"""Handlers of TFLite operators: how they are registered, and what they work with."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import tflite

from edgetx import ops
from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.frontends.builder_scope import BuilderScope
from edgetx.frontends.tflite.file import Operator, Tensor
from edgetx.frontends.tflite.variables import Variables
from edgetx.ir import DType, QuantParams, TensorType, Value
from edgetx.ops.activation import Activation
from edgetx.ops.window import Padding

if TYPE_CHECKING:
    from edgetx.frontends.tflite.dilation import Spread

Handler = Callable[..., "Value | tuple[Value | str | None, ...] | None"]
"""Gives results; of variables, which pass through loops, the name."""
HandlerT = TypeVar("HandlerT", bound=Handler)
HANDLERS: dict[str, Handler] = {}

DTYPES: dict[str, DType] = {
    "FLOAT32": "float32", "FLOAT64": "float32", "INT8": "int8", "INT16": "int16", "INT32": "int32", "INT64": "int64",
    "UINT8": "uint8", "BOOL": "bool", "COMPLEX64": "float32", "INT4": "int8",
}  # fmt: skip

ACTIVATIONS: dict[int, Activation] = {
    tflite.ActivationFunctionType.NONE: "none",
    tflite.ActivationFunctionType.RELU: "relu",
    tflite.ActivationFunctionType.RELU6: "relu6",
}
BEHIND: dict[int, Callable[[], ops.Op]] = {
    tflite.ActivationFunctionType.RELU_N1_TO_1: lambda: ops.Clip(-1.0, 1.0),
}
"""Fused activations that are clamps of integers, too, but not of any kernel here."""
PADDINGS: dict[int, Padding] = {tflite.Padding.SAME: "same", tflite.Padding.VALID: "valid"}


def builtin(*names: str) -> Callable[[HandlerT], HandlerT]:
    """Register the handler of operators, named as in the schema."""

    def register(handler: HandlerT) -> HandlerT:
        HANDLERS.update(dict.fromkeys(names, handler))
        return handler

    return register


def tensor_type(tensor: Tensor) -> TensorType:
    """The type of a tensor of the file.

    Raises:
        UnsupportedOpError: If the element type or the quantization has no place in the integer contract.
    """
    if tensor.type not in DTYPES:
        raise UnsupportedOpError(f"element type {tensor.type.lower()}", where=tensor.name)
    return TensorType(tensor.shape, DTYPES[tensor.type], _quantization(tensor))


def _quantization(tensor: Tensor) -> QuantParams | None:
    if not tensor.scale or tensor.type in ("FLOAT32", "BOOL"):
        return None
    if len(tensor.scale) == 1:
        return QuantParams(tensor.scale, tensor.zero_point[0])
    if any(tensor.zero_point):
        raise UnsupportedOpError("zero points per channel", where=tensor.name, hint="quantize weights symmetrically")
    return QuantParams(tensor.scale, 0, tensor.axis)


@dataclass
class Scope(BuilderScope):
    """What a handler works with.

    Attributes:
        operator: The operator in the file.
        results: Types of its results as the file declares them.
        variables: The resource variables.
        tensors: The operands in the file, by position.
        spread: Values between space to batch and batch to space, by name.
        call: Imports another subgraph with these operands; a variable is its name.
    """

    operator: Operator
    results: tuple[TensorType, ...]
    variables: Variables
    tensors: Mapping[int, Tensor]
    spread: "dict[str, Spread]"
    call: "Callable[[int, Sequence[Value | str | None]], list[Value | str | None]]"

    @property
    def is_float(self) -> bool:
        """Whether the operator computes in floating point."""
        return self.results[0].is_float

    def options(self, kind: type[Any]) -> Any:
        """The table of options.

        Args:
            kind: Class of the table in the schema.

        Raises:
            ModelError: If the operator has none.
        """
        table, options = self.operator.options, kind()
        if table is None:
            raise ModelError(f"damaged TFLite file: {self.operator.builtin} without options", where=self.where)
        options.Init(table.Bytes, table.Pos)
        return options

    def activation(self, code: int) -> Activation:
        """The fused activation of that code.

        Raises:
            UnsupportedOpError: If it is one that no kernel clamps to.
        """
        if code not in ACTIVATIONS:
            raise UnsupportedOpError(
                f"fused activation {code}", where=self.where, hint="none, RELU, RELU6 and RELU_N1_TO_1 are known"
            )
        return ACTIVATIONS[code]

    def clamped(self, op: Callable[[Activation], ops.Op], code: int, *inputs: Value) -> Value:
        """Apply the op with the fused activation of that code; what it cannot fuse is an op behind it.

        Raises:
            UnsupportedOpError: If there is no such op either.
        """
        if code in BEHIND:
            return self.result(BEHIND[code](), self.result(op("none"), *inputs))
        return self.result(op(self.activation(code)), *inputs)

    def padding(self, code: int) -> Padding:
        """The padding of that code."""
        if code not in PADDINGS:
            raise ModelError(f"damaged TFLite file: padding {code}", where=self.where)
        return PADDINGS[code]

    def result(self, op: ops.Op, *inputs: Value, index: int = 0) -> Value:
        """Apply the op that makes a result of the operator, quantized as the file says.

        Whole numbers that are computed without being quantized, such as indices, are real numbers here.
        """
        declared = self.results[index]
        return self.op(op, *inputs, quant=(declared.dtype, declared.quant) if declared.quant else None)

    def rows(self, x: Value, begin: int, end: int) -> Value:
        """A constant's elements from `begin` up to `end` along its first axis, with their quantization."""
        quant = x.type.quant
        if quant is not None and quant.axis == 0:
            quant = replace(quant, scale=quant.scale[begin:end])
        return self.const(self.data(x, "a weight")[begin:end], "rows", quant)

    def axes(self, listed: Value, rank: int) -> tuple[int, ...]:
        """The axes of a reduction, counted from the front."""
        return tuple(sorted({self.axis(axis, rank) for axis in self.integers(listed, "the axes of a reduction")}))

    def kept(self, operand: int, shape: tuple[int, ...]) -> Value:
        """What an operand that keeps its contents holds, in the given shape; after reset that is 0.0."""
        tensor = self.tensors[operand]
        declared = tensor_type(tensor)
        zero = declared.zero_point if declared.quant else 0
        return self.variables.read(self._kept_name(operand), (np.full(shape, zero, declared.dtype), declared.quant))

    def keep(self, operand: int, value: Value) -> None:
        """Change what such an operand holds."""
        self.variables.assign(self._kept_name(operand), value)

    def _kept_name(self, operand: int) -> str:
        return f"{self.tensors[operand].name}.{self.operator.inputs[operand]}"

    def same_quantization(self, *inputs: Value) -> None:
        """Check that operands and result are quantized alike, as TFLite's kernels of this operator take for granted.

        Raises:
            ModelError: If they are not.
        """
        if any(x.type.quant != self.results[0].quant for x in inputs):
            raise ModelError(f"{self.operator.builtin} between different quantizations", where=self.where)

    def activated(self, x: Value, activation: Activation) -> Value:
        """The value clamped by an operator of its own."""
        if activation == "none":
            return x
        return self.result(ops.Relu() if activation == "relu" else ops.Relu6(), x)
