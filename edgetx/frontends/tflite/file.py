"""A `.tflite` file as plain data, with every index and size checked against the file.

The accessors that the schema's compiler generates trust what they read; here the only place where they are called.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import tflite

from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.frontends.builder_scope import MAX_ELEMENTS, clean_name, damage_reported
from edgetx.frontends.tflite.sparsity import densified
from edgetx.ir import Array

FILE_IDENTIFIER = b"TFL3"
ROOT_BYTES = 8
MAX_AXES = 8
DAMAGED = "damaged TFLite file"
ABSENT = -1
"""Index of an operand that is left out."""

T = TypeVar("T")


def _names(enumeration: type) -> dict[int, str]:
    return {number: name for name, number in vars(enumeration).items() if not name.startswith("_")}


BUILTINS = _names(tflite.BuiltinOperator)
TYPES = _names(tflite.TensorType)


@dataclass(frozen=True)
class Tensor:
    """A tensor of a subgraph.

    Attributes:
        type: Element type in the schema's spelling.
        axis: The quantized axis if there are several scales.
        data: Its contents if it is a constant.
        is_variable: Whether it keeps its contents between invocations.
        open_axes: Axes beyond the first whose size the file leaves open.
    """

    name: str
    shape: tuple[int, ...]
    type: str
    scale: tuple[float, ...] = ()
    zero_point: tuple[int, ...] = ()
    axis: int = 0
    data: bytes | None = field(default=None, repr=False)
    is_variable: bool = False
    open_axes: tuple[int, ...] = ()

    def array(self) -> Array:
        """The contents of a constant.

        Raises:
            ModelError: If their size is not that of the shape.
        """
        data, size = self.data or b"", math.prod(self.shape)
        if self.type == "INT4" and len(data) == (size + 1) // 2:
            nibbles = np.frombuffer(data, np.uint8)[:, None] >> np.array([0, 4]) & 15
            whole: Array = ((nibbles.astype(np.int8) ^ 8) - 8).ravel()[:size].reshape(self.shape)
            return whole
        dtype = np.dtype(self.type.lower())
        if len(data) != size * dtype.itemsize:
            raise ModelError(f"damaged: {len(data)} bytes for {size} elements of {dtype}", where=self.name)
        return np.frombuffer(data, dtype.newbyteorder("<")).astype(dtype).reshape(self.shape)

    def real(self) -> Array:
        """The real numbers that the integers of a constant stand for."""
        shape = [1] * len(self.shape)
        if len(self.scale) > 1:
            shape[self.axis] = len(self.scale)
        scale, zero_point = (np.array(numbers).reshape(shape) for numbers in (self.scale, self.zero_point))
        numbers: Array = ((self.array() - zero_point) * scale).astype(np.float32)
        return numbers


@dataclass(frozen=True)
class Operator:
    """An operator of a subgraph.

    Attributes:
        builtin: Name in the schema, `CUSTOM:name` for custom operators.
        inputs: Tensor indices, `ABSENT` where an operand is left out.
        options: The table of options, not yet given a type.
    """

    builtin: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    intermediates: tuple[int, ...]
    options: Any = field(repr=False)


@dataclass(frozen=True)
class Subgraph:
    """Tensors, and operators in the order in which they run."""

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def read_file(content: bytes) -> tuple[Subgraph, ...]:
    """The subgraphs of a file, the main one first.

    Raises:
        ModelError: If the file is not TFLite, or damaged.
        UnsupportedOpError: If it uses features of the format that no microcontroller runtime has.
    """
    if len(content) < ROOT_BYTES or content[4:8] != FILE_IDENTIFIER:
        raise ModelError("not a TFLite file", hint="a file written by the TensorFlow Lite converter begins with TFL3")
    with damage_reported(DAMAGED):
        return _Reader(content).subgraphs()


def has_integer_weights(content: bytes) -> bool:
    """Whether any constant of a file has integers of 8 bits."""
    return any(t.type == "INT8" and t.data is not None for subgraph in read_file(content) for t in subgraph.tensors)


class _Reader:
    def __init__(self, content: bytes) -> None:
        self.content = content
        self.model = tflite.Model.GetRootAs(content)

    def subgraphs(self) -> tuple[Subgraph, ...]:
        m = self.model
        self.codes = self._all(m.OperatorCodesLength(), m.OperatorCodes, _code)
        self.buffers = self._all(m.BuffersLength(), m.Buffers, self._buffer)
        subgraphs = self._all(m.SubgraphsLength(), m.Subgraphs, self._subgraph)
        if not subgraphs:
            raise ModelError("damaged TFLite file: it has no subgraph")
        return subgraphs

    def _all(self, length: int, get: Callable[[int], Any], read: Callable[[Any], T]) -> tuple[T, ...]:
        """Every element of a vector, none of which takes less than four bytes in the file."""
        if 4 * length > len(self.content):
            raise ModelError(f"damaged TFLite file: a list of {length} elements")
        return tuple(read(get(index)) for index in range(length))

    def _integers(self, vector: Any, length: int) -> tuple[int, ...]:
        return tuple(map(int, vector)) if length else ()

    def _buffer(self, buffer: Any) -> bytes | None:
        if buffer.Offset() > 1:
            raise UnsupportedOpError("keeps its weights behind the flatbuffer, as files above 2 GB do")
        return buffer.DataAsNumpy().tobytes() if buffer.DataLength() else None

    def _subgraph(self, graph: Any) -> Subgraph:
        tensors = self._all(graph.TensorsLength(), graph.Tensors, self._tensor)
        operators = self._all(graph.OperatorsLength(), graph.Operators, self._operator)
        inputs = self._integers(graph.InputsAsNumpy(), graph.InputsLength())
        outputs = self._integers(graph.OutputsAsNumpy(), graph.OutputsLength())
        used = {index for op in operators for index in (*op.inputs, *op.intermediates) if index != ABSENT}
        made = {index for op in operators for index in op.outputs}
        for index in used | made | set(inputs) | set(outputs):
            if not 0 <= index < len(tensors):
                raise ModelError(f"damaged TFLite file: tensor {index} of {len(tensors)}")
        return Subgraph(tensors, operators, inputs, outputs)

    def _tensor(self, tensor: Any) -> Tensor:
        name = clean_name((tensor.Name() or b"").decode(errors="replace")) or "tensor"
        shape = self._integers(tensor.ShapeAsNumpy(), tensor.ShapeLength())
        if len(shape) > MAX_AXES or min(shape, default=1) < 0 or math.prod(shape) > MAX_ELEMENTS:
            raise ModelError(f"absurd shape {shape}", where=name)
        if not 0 <= tensor.Buffer() < max(len(self.buffers), 1):
            raise ModelError(f"damaged TFLite file: buffer {tensor.Buffer()} of {len(self.buffers)}", where=name)
        data = self.buffers[tensor.Buffer()] if self.buffers else None
        if tensor.Type() not in TYPES:
            raise ModelError(f"unknown element type {tensor.Type()}", where=name)
        signature = self._integers(tensor.ShapeSignatureAsNumpy(), tensor.ShapeSignatureLength())
        open_axes = tuple(axis for axis, n in enumerate(signature) if axis and n < 0)
        quantization = self._quantization(tensor.Quantization())
        kind = TYPES[tensor.Type()]
        if tensor.Sparsity() is not None:
            values = np.frombuffer(data or b"", np.dtype(kind.lower()))
            data = densified(tensor.Sparsity(), values, shape).tobytes()
        return Tensor(name, shape, kind, *quantization, data, tensor.IsVariable(), open_axes)

    def _quantization(self, quant: Any) -> tuple[tuple[float, ...], tuple[int, ...], int]:
        if quant is None or not quant.ScaleLength():
            return (), (), 0
        scale = tuple(map(float, quant.ScaleAsNumpy()))
        if not all(math.isfinite(number) and number >= 0 for number in scale):
            raise ModelError(f"scale {scale[0]}", hint="the converter has made no sense of this tensor; try int8")
        zero_point = self._integers(quant.ZeroPointAsNumpy(), quant.ZeroPointLength())
        return scale, zero_point or (0,) * len(scale), quant.QuantizedDimension()

    def _operator(self, operator: Any) -> Operator:
        if not 0 <= operator.OpcodeIndex() < len(self.codes):
            raise ModelError(f"damaged TFLite file: operator code {operator.OpcodeIndex()} of {len(self.codes)}")
        return Operator(
            self.codes[operator.OpcodeIndex()],
            self._integers(operator.InputsAsNumpy(), operator.InputsLength()),
            self._integers(operator.OutputsAsNumpy(), operator.OutputsLength()),
            self._integers(operator.IntermediatesAsNumpy(), operator.IntermediatesLength()),
            operator.BuiltinOptions(),
        )


def _code(code: Any) -> str:
    """The operator's name; files older than the 128th builtin fill in the deprecated field only."""
    number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    if number == tflite.BuiltinOperator.CUSTOM:
        return f"CUSTOM:{(code.CustomCode() or b'').decode(errors='replace')}"
    if number not in BUILTINS:
        raise UnsupportedOpError(f"operator {number} of a newer TFLite than known here")
    return BUILTINS[number]
