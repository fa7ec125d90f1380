"""Collect ONNX nodes and initializers, with quantization between them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx.helper import make_node, make_tensor_value_info, np_dtype_to_tensor_dtype

from edgetx.errors import UnsupportedOpError
from edgetx.fixedpoint import dequantize
from edgetx.ir import Array, DType, Node, QuantParams, State, TensorType, Value
from edgetx.ops.op import ScanStep

ACTIVATION_DTYPES = ("int8", "uint8", "int16")
"""What QuantizeLinear can make."""
CONST_DTYPES = ("int8", "uint8", "int32")
"""Constants that every DequantizeLinear can read; others are written as real numbers."""


class QdqBuilder:
    """The `OnnxBuilder` of one file; every value has a stored form and, where an op reads it, a real-valued one.

    Args:
        consts: Constants of the graph; one is written when the first op reads it.

    Attributes:
        scope: Prefix of the names of what `op` and `const` write.
    """

    def __init__(self, consts: Mapping[str, Array]) -> None:
        self.scope = ""
        self._consts = consts
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []
        self._nodes: list[onnx.NodeProto] = []
        self._initializers: list[onnx.TensorProto] = []
        self._taken: set[str] = set()
        self._stored: dict[str, str] = {}
        self._real: dict[str, str] = {}
        self._quants: dict[tuple[DType, QuantParams], list[str]] = {}

    def op(self, op_type: str, inputs: Sequence[str], attributes: Mapping[str, object] | None = None) -> str:
        """Write a node with one result and return the name of the result."""
        result = self._fresh(f"{self.scope}:{op_type}")
        return self._write(op_type, inputs, result, attributes)

    def const(self, data: Array) -> str:
        """Name of a new initializer."""
        return self._initializer(f"{self.scope}:const", data)

    def real(self, value: Value) -> str:
        """Name of the real-valued form of an operand."""
        if value.name not in self._real:
            self._real[value.name] = self._make_real(value, self._fresh(f"{value.name}:real"))
        return self._real[value.name]

    def result(self, node: Node, *names: str) -> None:
        """Say which real-valued tensors are the results of `node`."""
        for value, name in zip(node.outputs, names, strict=True):
            self._store(value, name)

    def integers(self, value: Value) -> str:
        """Name of the stored integers less their zero point, in double precision."""
        if value.name in self._consts:
            return self.const(self._consts[value.name].astype(np.float64) - _zero_point(value.type))
        wide = self.op("Cast", [self._stored_form(value)], {"to": onnx.TensorProto.DOUBLE})
        return self.op("Sub", [wide, self.const(np.array(_zero_point(value.type), np.float64))])

    def real_of(self, integers: str, tensor: TensorType) -> str:
        """The real-valued form of integers in double precision, less the zero point of their type."""
        real = self.op("Mul", [integers, self.const(np.array(tensor.scale, np.float64))])
        return self.op("Cast", [real], {"to": onnx.TensorProto.FLOAT})

    def scan(
        self, step: ScanStep, states: Sequence[str], slices: Sequence[str], shape: Sequence[int]
    ) -> tuple[list[str], list[str]]:
        """Write a loop over the second axis as a Scan; its body reads constants from around it."""
        around, self._nodes = self._nodes, []
        names = [
            [self._fresh(f"{self.scope}:{kind}") for _ in given]
            for kind, given in (("state", states), ("slice", slices))
        ]
        new, results = (
            [self._write("Identity", [name], self._fresh(f"{name}:out")) for name in made] for made in step(*names)
        )
        taken = [make_tensor_value_info(name, onnx.TensorProto.DOUBLE, None) for group in names for name in group]
        given = [make_tensor_value_info(name, onnx.TensorProto.DOUBLE, shape) for name in (*new, *results)]
        body = onnx.helper.make_graph(self._nodes, self._fresh(f"{self.scope}:step"), taken, given)
        self._nodes = around
        outputs = [self._fresh(f"{self.scope}:Scan") for _ in given]
        attributes: dict[str, Any] = {
            "body": body,
            "num_scan_inputs": len(slices),
            "scan_input_axes": [1] * len(slices),
            "scan_output_axes": [1] * len(results),
        }
        self._nodes.append(make_node("Scan", [*states, *slices], outputs, outputs[0], **attributes))
        return outputs[: len(states)], outputs[len(states) :]

    def input(self, value: Value) -> None:
        """Declare an input of real numbers."""
        self._inputs.append(_info(self._fresh(value.name), _real_type(value.type)))
        self._store(value, value.name)

    def output(self, value: Value) -> None:
        """Declare an output of real numbers."""
        name = self._fresh(value.name)
        self._outputs.append(_info(name, _real_type(value.type)))
        if value.type.quant:
            self._make_real(value, name)
        else:
            self._write("Identity", [self._stored_form(value)], name)

    def state_input(self, state: State) -> None:
        """Declare the input that brings a state in; its initializer makes it optional."""
        name = self._initializer(f"{state.name}_in", state.init)
        self._inputs.append(_info(name, state.read.type))
        self._stored[state.read.name] = name

    def state_output(self, state: State) -> None:
        """Declare the output that takes a state out."""
        name = self._fresh(f"{state.name}_out")
        self._outputs.append(_info(name, state.write.type))
        self._write("Identity", [self._stored_form(state.write)], name)

    def graph(self, name: str) -> onnx.GraphProto:
        """What was written."""
        return onnx.helper.make_graph(self._nodes, name, self._inputs, self._outputs, self._initializers)

    def _store(self, value: Value, real: str) -> None:
        """Write the stored form of a value whose real-valued form is `real`."""
        self._stored[value.name] = real
        if value.type.quant is None:
            return
        if value.type.dtype not in ACTIVATION_DTYPES:
            raise UnsupportedOpError(f"ONNX cannot quantize to {value.type.dtype}", where=value.name)
        name = self._fresh(f"{value.name}:{value.type.dtype}")
        operands = [real, *self._parameters(value.type.dtype, value.type.quant)]
        self._stored[value.name] = self._write("QuantizeLinear", operands, name, _axis(value.type.quant))

    def _stored_form(self, value: Value) -> str:
        if value.name not in self._stored:
            self._stored[value.name] = self._initializer(value.name, self._consts[value.name])
        return self._stored[value.name]

    def _make_real(self, value: Value, name: str) -> str:
        """Write a real-valued form called `name`, or find that the stored form is one."""
        quant, dtype = value.type.quant, value.type.dtype
        if quant is None:
            return self._stored_form(value)
        if value.name in self._consts and dtype not in CONST_DTYPES:
            return self._initializer(name, _dequantized(self._consts[value.name], quant))
        operands = [self._stored_form(value), *self._parameters(dtype, quant)]
        return self._write("DequantizeLinear", operands, name, _axis(quant))

    def _parameters(self, dtype: DType, quant: QuantParams) -> list[str]:
        """Scale and zero point, written once for all values that share them.

        32-bit constants have no zero point; ONNX Runtime computes in integers only where all others have one.
        """
        if (dtype, quant) not in self._quants:
            scale = np.array(quant.scale if quant.axis is not None else quant.scale[0], np.float32)
            names = [self._initializer("scale", scale)]
            if dtype != "int32":
                names.append(self._initializer("zero_point", np.full(scale.shape, quant.zero_point, dtype)))
            self._quants[dtype, quant] = names
        return self._quants[dtype, quant]

    def _initializer(self, name: str, data: Array) -> str:
        name = self._fresh(name)
        self._initializers.append(onnx.numpy_helper.from_array(np.asarray(data), name))
        return name

    def _write(
        self, op_type: str, inputs: Sequence[str], result: str, attributes: Mapping[str, object] | None = None
    ) -> str:
        self._nodes.append(make_node(op_type, inputs, [result], result, **dict[str, Any](attributes or {})))
        return result

    def _fresh(self, base: str) -> str:
        name, count = base, 1
        while name in self._taken:
            count += 1
            name = f"{base}_{count}"
        self._taken.add(name)
        return name


def _info(name: str, tensor_type: TensorType) -> onnx.ValueInfoProto:
    return make_tensor_value_info(name, np_dtype_to_tensor_dtype(np.dtype(tensor_type.dtype)), tensor_type.shape)


def _real_type(tensor_type: TensorType) -> TensorType:
    return tensor_type.with_quant("float32", None) if tensor_type.quant else tensor_type


def _zero_point(tensor_type: TensorType) -> int:
    return tensor_type.quant.zero_point if tensor_type.quant else 0


def _axis(quant: QuantParams) -> Mapping[str, object]:
    return {} if quant.axis is None else {"axis": quant.axis}


def _dequantized(data: Array, quant: QuantParams) -> Array:
    shape = [1] * data.ndim
    if quant.axis is not None:
        shape[quant.axis] = -1
    return dequantize(data, np.reshape(quant.scale, shape), quant.zero_point)
