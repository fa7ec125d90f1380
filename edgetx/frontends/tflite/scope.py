"""Handlers of TFLite operators: how they are registered, and what they work with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

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

Handler = Callable[..., "Value | tuple[Value, ...] | None"]
HandlerT = TypeVar("HandlerT", bound=Handler)
HANDLERS: dict[str, Handler] = {}

DTYPES: dict[str, DType] = {
    "FLOAT32": "float32", "INT8": "int8", "INT16": "int16", "INT32": "int32", "INT64": "int64", "UINT8": "uint8",
    "BOOL": "bool",
}  # fmt: skip

ACTIVATIONS: dict[int, Activation] = {
    tflite.ActivationFunctionType.NONE: "none",
    tflite.ActivationFunctionType.RELU: "relu",
    tflite.ActivationFunctionType.RELU6: "relu6",
}
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
    """

    operator: Operator
    results: tuple[TensorType, ...]
    variables: Variables
    tensors: Mapping[int, Tensor]

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
                f"fused activation {code}", where=self.where, hint="none, RELU and RELU6 are known"
            )
        return ACTIVATIONS[code]

    def padding(self, code: int) -> Padding:
        """The padding of that code."""
        if code not in PADDINGS:
            raise ModelError(f"damaged TFLite file: padding {code}", where=self.where)
        return PADDINGS[code]

    def result(self, op: ops.Op, *inputs: Value, index: int = 0) -> Value:
        """Apply the op that makes a result of the operator, quantized as the file says."""
        declared = self.results[index]
        return self.op(op, *inputs, quant=None if declared.is_float else (declared.dtype, declared.quant))

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
