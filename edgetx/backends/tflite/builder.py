"""Collect the tensors, operators and subgraphs of a TFLite file."""

from collections.abc import Mapping, Sequence
from typing import cast

import tflite

import edgetx
from edgetx.backends.tflite.flatbuffer import Flatbuffer
from edgetx.backends.tflite.operators import OPTIONS, operator_version, option_fields
from edgetx.ir import Array, DType, Node, QuantParams, TensorType, Value

SCHEMA_VERSION = 3
LARGEST_DEPRECATED_CODE = 127


class ModelFile:
    """One file: what its subgraphs share."""

    def __init__(self) -> None:
        self.flat = Flatbuffer()
        self.subgraphs: list[SubgraphBuilder] = []
        self._buffers = {self.flat.table("Buffer", {}): 0}
        self._codes: dict[int, int] = {}

    def subgraph(self, consts: Mapping[str, Array]) -> "SubgraphBuilder":
        """Begin a subgraph that may read the constants `consts`."""
        self.subgraphs.append(SubgraphBuilder(self, consts))
        return self.subgraphs[-1]

    def buffer(self, data: Array) -> int:
        """Index of the buffer that holds `data`."""
        offset = self.flat.table("Buffer", {"Data": self.flat.data(data)})
        return self._buffers.setdefault(offset, len(self._buffers))

    def code(self, builtin: str, version: int) -> int:
        """Index of an operator code."""
        number = getattr(tflite.BuiltinOperator, builtin)
        fields = {"BuiltinCode": number, "DeprecatedBuiltinCode": min(number, LARGEST_DEPRECATED_CODE)}
        offset = self.flat.table("OperatorCode", {**fields, "Version": version})
        return self._codes.setdefault(offset, len(self._codes))

    def finish(self) -> bytes:
        """The bytes of the file."""
        subgraphs = [subgraph.finish() for subgraph in self.subgraphs]
        fields = {
            "Version": SCHEMA_VERSION,
            "OperatorCodes": self.flat.offsets(list(self._codes)),
            "Subgraphs": self.flat.offsets(subgraphs),
            "Description": self.flat.string(f"edgetx {edgetx.__version__}"),
            "Buffers": self.flat.offsets(list(self._buffers)),
        }
        return self.flat.finish(self.flat.table("Model", fields))


class SubgraphBuilder:
    """The `TfliteBuilder` of one subgraph.

    What costs more than it tells is left out: names of constants and temporaries, and scales of biases per channel,
    which are those of operand and weight multiplied and which no kernel reads. Equal constants become one tensor.
    """

    def __init__(self, file: ModelFile, consts: Mapping[str, Array]) -> None:
        self._file = file
        self._flat = file.flat
        self._consts = dict(consts)
        self._tensors: list[int] = []
        self._index: dict[str, int] = {}
        self._operators: list[int] = []
        self._temporaries: set[str] = set()
        self._made = 0
        self._inputs: list[int] = []
        self._outputs: list[int] = []

    def inputs(self, values: Sequence[Value]) -> None:
        """Declare what the subgraph takes."""
        self._inputs = [self._tensor(value) for value in values]

    def outputs(self, values: Sequence[Value]) -> None:
        """Declare what the subgraph gives."""
        self._outputs = [self._tensor(value) for value in values]

    def op(
        self,
        node: Node,
        builtin: str,
        inputs: Sequence[Value] | None = None,
        options: Mapping[str, object] | None = None,
        outputs: Sequence[Value] | None = None,
    ) -> None:
        """Write an operator of `node`."""
        self.operator(
            builtin,
            node.inputs if inputs is None else inputs,
            node.outputs if outputs is None else outputs,
            options or {},
        )

    def operator(
        self, builtin: str, inputs: Sequence[Value], outputs: Sequence[Value], options: Mapping[str, object]
    ) -> None:
        """Write an operator."""
        version = operator_version(builtin, [value.type for value in inputs])
        fields: dict[str, object] = {
            "OpcodeIndex": self._file.code(builtin, version),
            "Inputs": self._flat.vector([self._tensor(value) for value in inputs], "int32"),
            "Outputs": self._flat.vector([self._tensor(value) for value in outputs], "int32"),
        }
        if table := OPTIONS.get(builtin):
            fields["BuiltinOptionsType"] = getattr(tflite.BuiltinOptions, table)
            fields["BuiltinOptions"] = self._flat.table(table, option_fields(options, self._flat.string))
        self._operators.append(self._flat.table("Operator", fields))

    def const(self, data: Array, name: str, quant: QuantParams | None = None) -> Value:
        """A constant operand that the graph does not hold."""
        value = self._fresh(TensorType(data.shape, cast(DType, data.dtype.name), quant), name)
        self._consts[value.name] = data
        return value

    def data(self, value: Value) -> Array | None:
        """Contents of a constant operand; None for what is computed."""
        return self._consts.get(value.name)

    def temporary(self, tensor: TensorType, name: str) -> Value:
        """A tensor that only operators of one node touch."""
        value = self._fresh(tensor, name)
        self._temporaries.add(value.name)
        return value

    def finish(self) -> int:
        """Offset of the subgraph."""
        fields = {
            "Tensors": self._flat.offsets(self._tensors),
            "Inputs": self._flat.vector(self._inputs, "int32"),
            "Outputs": self._flat.vector(self._outputs, "int32"),
            "Operators": self._flat.offsets(self._operators),
        }
        return self._flat.table("SubGraph", fields)

    def _fresh(self, tensor: TensorType, name: str) -> Value:
        self._made += 1
        return Value(f"{name}#{self._made}", tensor)

    def _tensor(self, value: Value) -> int:
        if value.name not in self._index:
            self._index[value.name] = self._new_tensor(value)
        return self._index[value.name]

    def _new_tensor(self, value: Value) -> int:
        data = self._consts.get(value.name)
        fields: dict[str, object] = {"Shape": self._flat.vector(value.shape, "int32")}
        if value.type.quant and not _is_bias(value.type):
            fields["Quantization"] = self._quantization(value.type.quant)
        if data is not None:
            fields["Buffer"] = self._file.buffer(data)
        elif value.name not in self._temporaries:
            fields["Name"] = self._flat.string(value.name)
        offset = self._flat.table("Tensor", {**fields, "Type": getattr(tflite.TensorType, value.type.dtype.upper())})
        if data is not None and offset in self._tensors:
            return self._tensors.index(offset)
        self._tensors.append(offset)
        return len(self._tensors) - 1

    def _quantization(self, quant: QuantParams) -> int:
        fields = {
            "Scale": self._flat.vector(quant.scale, "float32"),
            "ZeroPoint": self._flat.vector([quant.zero_point] * len(quant.scale), "int64"),
        }
        axis = {"QuantizedDimension": quant.axis} if quant.axis else {}
        return self._flat.table("QuantizationParameters", {**fields, **axis})


def _is_bias(tensor: TensorType) -> bool:
    return tensor.dtype in ("int32", "int64") and tensor.quant is not None and tensor.quant.axis is not None
