"""An ONNX file as a checked protobuf message, and its tensors as arrays."""

import math
from collections.abc import Mapping

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import numpy_helper

from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.frontends.builder_scope import MAX_ELEMENTS
from edgetx.frontends.onnx.qoperator import standard_nodes
from edgetx.ir import Array

OLDEST_OPSET, NEWEST_OPSET = 7, 24
QDQ = "quantize with quant_format=QuantFormat.QDQ, or pass the float model"
STANDARD_DOMAINS = ("", "ai.onnx")
HELD: Mapping[str, str] = {"float64": "float32", "float16": "float32", "uint16": "int32", "uint32": "int64"}
"""Element types that are held as others."""


def read_model(content: bytes) -> tuple[onnx.GraphProto, int]:
    """The main graph of a file and the opset of its operators.

    Raises:
        ModelError: If the file is not ONNX, or of an opset that is not known.
    """
    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
    except (DecodeError, ValueError) as problem:
        raise ModelError(f"not an ONNX file: {problem}") from problem
    opsets = [entry.version for entry in model.opset_import if entry.domain in STANDARD_DOMAINS]
    if not model.graph.node or not opsets:
        raise ModelError("not an ONNX file: it has no operators or names no opset")
    if not OLDEST_OPSET <= opsets[0] <= NEWEST_OPSET:
        raise ModelError(
            f"opset {opsets[0]} is not supported", hint=f"export with an opset from {OLDEST_OPSET} to {NEWEST_OPSET}"
        )
    if model.functions:
        raise UnsupportedOpError(
            f"function '{model.functions[0].name}'", hint="export without functions, or inline them"
        )
    nodes = list(standard_nodes(model.graph.node))
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    for node in nodes:
        if node.domain not in STANDARD_DOMAINS or not onnx.defs.has(node.op_type):
            raise UnsupportedOpError(
                f"operator {node.op_type} of domain {_domain(node, model)} is not supported",
                where=node.output[0] if node.output else node.name,
                hint=QDQ if _is_quantized(node) else "export with operators of the standard domain",
            )
    return model.graph, opsets[0]


def tensor_array(tensor: onnx.TensorProto) -> Array:
    """The contents of a tensor in the file.

    Raises:
        ModelError: If they lie in another file, are of an unknown type, or do not fit the shape.
    """
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        raise ModelError("keeps its contents in another file", where=tensor.name, hint="save the model in one file")
    if min(tensor.dims, default=0) < 0 or math.prod(tensor.dims) > MAX_ELEMENTS:
        raise ModelError(f"absurd shape {tuple(tensor.dims)}", where=tensor.name)
    try:
        return held(numpy_helper.to_array(tensor))
    except (ValueError, TypeError, KeyError) as problem:
        raise ModelError(f"damaged: {problem}", where=tensor.name) from problem


def held(data: Array) -> Array:
    """An array in an element type of ours."""
    array = np.asarray(data)
    return array.astype(HELD.get(array.dtype.name, array.dtype))


def _is_quantized(node: onnx.NodeProto) -> bool:
    return node.op_type.startswith(("QLinear", "QAttention"))


def _domain(node: onnx.NodeProto, model: onnx.ModelProto) -> str:
    """The domain of an operator; where the file does not say, those that it imports."""
    foreign = [entry.domain for entry in model.opset_import if entry.domain not in STANDARD_DOMAINS]
    candidates = [node.domain] if node.domain else foreign or ["ai.onnx"]
    return repr(candidates[0]) + (f" (or {len(candidates) - 1} others)" if len(candidates) > 1 else "")
