"""Tensors of an ONNX file as arrays."""

import math
from collections.abc import Mapping

import numpy as np
import onnx
from onnx import numpy_helper

from edgetx.errors import ModelError
from edgetx.frontends.builder_scope import MAX_ELEMENTS
from edgetx.ir import Array

HELD: Mapping[str, str] = {
    "float64": "float32", "float16": "float32", "bfloat16": "float32", "uint16": "int32", "uint32": "int64",
    "int4": "int8", "int2": "int8", "uint4": "uint8", "uint2": "uint8",
}  # fmt: skip
"""Element types that are held as others."""


def tensor_array(tensor: onnx.TensorProto) -> Array:
    """The contents of a tensor in the file.

    Raises:
        ModelError: If they lie in another file, are of an unknown type, or do not fit the shape.
    """
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        raise ModelError("keeps its contents in another file", where=tensor.name, hint="save the model in one file")
    refuse_absurd(tensor)
    try:
        return held(numpy_helper.to_array(tensor))
    except (ValueError, TypeError, KeyError) as problem:
        raise ModelError(f"damaged: {problem}", where=tensor.name) from problem


def held(data: Array) -> Array:
    """An array in an element type of ours."""
    array = np.asarray(data)
    return array.astype(HELD.get(array.dtype.name, array.dtype))


def refuse_absurd(tensor: onnx.TensorProto) -> None:
    """Refuse a tensor that no device of ours could hold."""
    if min(tensor.dims, default=0) < 0 or math.prod(tensor.dims) > MAX_ELEMENTS:
        raise ModelError(f"absurd shape {tuple(tensor.dims)}", where=tensor.name)
