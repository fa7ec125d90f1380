"""What QuantizeLinear and DequantizeLinear say about the integers between them."""

from collections.abc import Mapping, Sequence

import numpy as np
import onnx

from edgetx import ops
from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.frontends.onnx.scope import Stored
from edgetx.ir import Array, DType, QuantParams

TRANSPARENT = (
    "Relu",
    "Clip",
    "Reshape",
    "Flatten",
    "Squeeze",
    "Unsqueeze",
    "Transpose",
    "Identity",
    "Dropout",
    "MaxPool",
    "Slice",
    "Gather",
    "Split",
)
"""Operators behind which the quantization of their operand may stand, for they only move, drop or clamp numbers."""
LARGEST_DEPTH = 64


def parameters(node: onnx.NodeProto, consts: Mapping[str, Array], rank: int | None = None) -> Stored:
    """Element type and quantization of the integers of a QuantizeLinear or DequantizeLinear; uint8 counts as int8.

    Raises:
        UnsupportedOpError: If the parameters are computed, or none that the integer contract has.
    """
    scale, zero, along = _declared(node, consts)
    dtype, shift = _stored_type(zero.dtype.name)
    points = set((zero.astype(int) - shift).ravel().tolist())
    if len(points) > 1:
        raise UnsupportedOpError("zero points per channel", hint="quantize weights symmetrically")
    if not (np.isfinite(scale).all() and (scale > 0).all()):
        raise ModelError(
            f"scale {scale.min():g}", hint="calibrate on finite numbers; masks of −∞ have none: use −20 or the like"
        )
    axis = None if len(scale) == 1 else along % max(rank or 1, 1)
    return dtype, QuantParams(tuple(map(float, scale)), points.pop(), axis)


def real_numbers(node: onnx.NodeProto, consts: Mapping[str, Array], data: Array) -> Array:
    """What the integers stand for that a DequantizeLinear reads.

    Raises:
        UnsupportedOpError: If the parameters are computed, or given by blocks.
    """
    scale, zero, axis = _declared(node, consts)
    shape = [1] * data.ndim
    if scale.size > 1:
        shape[axis] = scale.size
    points = np.broadcast_to(zero.astype(np.float64), scale.shape)
    real: Array = ((data - points.reshape(shape)) * scale.reshape(shape)).astype(np.float32)
    return real.reshape(data.shape)


def _declared(node: onnx.NodeProto, consts: Mapping[str, Array]) -> tuple[Array, Array, int]:
    """Scales and zero points, each one or one per channel, and the axis of the channels."""
    names = list(node.input)[1:]
    if not names or any(name and name not in consts for name in names):
        raise UnsupportedOpError("quantization parameters that are computed", hint="quantize statically")
    scale = np.atleast_1d(consts[names[0]]).astype(np.float64)
    zero = np.atleast_1d(consts[names[1]]) if len(names) > 1 and names[1] else np.zeros(1, np.uint8)
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    if attributes.get("block_size", 0) or scale.ndim > 1:
        raise UnsupportedOpError("quantization by blocks", hint="quantize per tensor or per channel")
    return scale, zero, int(attributes.get("axis", 1))


def clamp_of(dtype: DType, quant: QuantParams) -> ops.Relu | ops.Relu6 | None:
    """The activation whose clamp the range of integers is; None if it reaches below zero."""
    info = np.iinfo(dtype)
    if quant.zero_point != info.min:
        return None
    top = (info.max - info.min) * quant.scale[0]
    return ops.Relu6() if abs(top - 6) < quant.scale[0] else ops.Relu()


def integers(data: Array) -> Array:
    """Integers of the file as the contract stores them."""
    dtype, shift = _stored_type(data.dtype.name)
    return (data.astype(np.int64) - shift).astype(dtype)


def _stored_type(name: str) -> tuple[DType, int]:
    match name:
        case "uint8":
            return "int8", 128
        case "int8" | "int16" | "int32":
            known: dict[str, DType] = {"int8": "int8", "int16": "int16", "int32": "int32"}
            return known[name], 0
    raise UnsupportedOpError(f"quantization to {name}", hint="quantize to int8 or uint8")


def quantization_behind(
    name: str, readers: Mapping[str, Sequence[onnx.NodeProto]], consts: Mapping[str, Array], depth: int = 0
) -> Stored | None:
    """The quantization of a real tensor: that of the QuantizeLinear that all its readers come down to."""
    found: set[Stored | None] = set()
    for node in readers.get(name, ()):
        if node.op_type == "QuantizeLinear":
            found.add(parameters(node, consts))
        elif node.op_type in TRANSPARENT and node.input[0] == name and depth < LARGEST_DEPTH:
            found |= {quantization_behind(made, readers, consts, depth + 1) for made in node.output if made in readers}
        else:
            return None
    return found.pop() if len(found) == 1 else None
