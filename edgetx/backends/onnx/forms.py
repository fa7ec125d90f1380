"""Other forms of a written file, to look inside it: integers at the border, every tensor visible, every op alone."""

import onnx
from google.protobuf.message import DecodeError
from onnx.helper import make_tensor_value_info

from edgetx.errors import ModelError

FED = ":fed"
"""Ending of the inputs that `isolated_form` adds."""


def integer_form(model: bytes) -> bytes:
    """The file without its outermost quantization: it takes and gives the integers behind the real numbers."""
    proto = _parsed(model)
    dtypes = _dtypes(proto)
    quantizers = {node.input[0]: node for node in _nodes(proto, "QuantizeLinear")}
    dequantizers = {node.output[0]: node for node in _nodes(proto, "DequantizeLinear")}
    for info in proto.graph.input:
        if node := quantizers.get(info.name):
            _move(info, node.output[0], dtypes[node.input[2]])
            proto.graph.node.remove(node)
    for info in proto.graph.output:
        if node := dequantizers.get(info.name):
            _move(info, node.input[0], dtypes[node.input[2]])
            proto.graph.node.remove(node)
    return bytes(proto.SerializeToString())


def observed_form(model: bytes) -> bytes:
    """The file with the result of every QuantizeLinear as an output, before its own."""
    proto = _parsed(model)
    dtypes = _dtypes(proto)
    visible = [make_tensor_value_info(q.output[0], dtypes[q.input[2]], None) for q in _nodes(proto, "QuantizeLinear")]
    outputs = [*visible, *proto.graph.output]
    del proto.graph.output[:]
    proto.graph.output.extend(outputs)
    return bytes(proto.SerializeToString())


def isolated_form(model: bytes) -> bytes:
    """The file with every result of a QuantizeLinear cut: its readers read an extra input `<result>:fed` instead."""
    proto = _parsed(model)
    dtypes = _dtypes(proto)
    for quantizer in _nodes(proto, "QuantizeLinear"):
        name = quantizer.output[0]
        proto.graph.input.append(make_tensor_value_info(name + FED, dtypes[quantizer.input[2]], None))
        for node in proto.graph.node:
            node.input[:] = [name + FED if operand == name else operand for operand in node.input]
    return bytes(proto.SerializeToString())


def value_name(tensor: str) -> str:
    """The graph's name of what a QuantizeLinear made."""
    return tensor.removesuffix(FED).rpartition(":")[0]


def _parsed(model: bytes) -> onnx.ModelProto:
    try:
        return onnx.load_from_string(model)
    except DecodeError as problem:
        raise ModelError(f"not an ONNX file: {problem}") from problem


def _nodes(proto: onnx.ModelProto, op_type: str) -> list[onnx.NodeProto]:
    return [node for node in proto.graph.node if node.op_type == op_type]


def _dtypes(proto: onnx.ModelProto) -> dict[str, int]:
    return {tensor.name: tensor.data_type for tensor in proto.graph.initializer}


def _move(info: onnx.ValueInfoProto, name: str, dtype: int) -> None:
    """Make an input or output stand for another tensor of the same shape."""
    info.name = name
    info.type.tensor_type.elem_type = dtype
