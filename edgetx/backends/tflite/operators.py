"""What the schema says of the operators in use: their options table and the version that first knew the element type.

Versions tell an old interpreter that it is too old. They follow the published rules of the TFLite schema.
"""

from collections.abc import Callable, Mapping, Sequence

import tflite

from edgetx.errors import ModelError
from edgetx.ir import TensorType

OPTIONS = {
    "ADD": "AddOptions",
    "ARG_MAX": "ArgMaxOptions",
    "AVERAGE_POOL_2D": "Pool2DOptions",
    "BATCH_MATMUL": "BatchMatMulOptions",
    "CALL_ONCE": "CallOnceOptions",
    "CAST": "CastOptions",
    "CONCATENATION": "ConcatenationOptions",
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "FULLY_CONNECTED": "FullyConnectedOptions",
    "GATHER": "GatherOptions",
    "L2_NORMALIZATION": "L2NormOptions",
    "LEAKY_RELU": "LeakyReluOptions",
    "MAX_POOL_2D": "Pool2DOptions",
    "MEAN": "ReducerOptions",
    "MUL": "MulOptions",
    "REDUCE_MAX": "ReducerOptions",
    "RESHAPE": "ReshapeOptions",
    "RESIZE_BILINEAR": "ResizeBilinearOptions",
    "SOFTMAX": "SoftmaxOptions",
    "SPLIT": "SplitOptions",
    "STRIDED_SLICE": "StridedSliceOptions",
    "SUB": "SubOptions",
    "SVDF": "SVDFOptions",
    "VAR_HANDLE": "VarHandleOptions",
}
"""Options table of each operator whose kernels read one."""

VERSIONS: Mapping[str, Mapping[str, int]] = {
    "int8": {
        "ADD": 2, "ARG_MAX": 2, "AVERAGE_POOL_2D": 2, "BATCH_MATMUL": 2, "CONCATENATION": 2, "CONV_2D": 3,
        "DEPTHWISE_CONV_2D": 3,
        "GATHER": 2, "L2_NORMALIZATION": 2, "LOGISTIC": 2, "MAXIMUM": 2, "MAX_POOL_2D": 2, "MEAN": 2, "MINIMUM": 2,
        "MUL": 2, "PAD": 2, "REDUCE_MAX": 2, "RELU": 2, "RELU6": 2, "SOFTMAX": 2, "SPLIT": 2, "STRIDED_SLICE": 2,
        "RESIZE_BILINEAR": 3,
        "SUB": 2, "SVDF": 3, "TANH": 2, "TRANSPOSE": 2,
    },
    "int16": {
        "ADD": 3, "AVERAGE_POOL_2D": 3, "BATCH_MATMUL": 3, "CONCATENATION": 3, "CONV_2D": 4, "DEPTHWISE_CONV_2D": 5,
        "GATHER": 4, "LEAKY_RELU": 2, "LOGISTIC": 3, "MAXIMUM": 4, "MAX_POOL_2D": 3, "MEAN": 3, "MINIMUM": 4,
        "MUL": 4, "PAD": 3, "REDUCE_MAX": 3, "RELU": 3, "RELU6": 3, "SOFTMAX": 3, "SPLIT": 4, "SUB": 5, "TANH": 3,
        "RESIZE_BILINEAR": 4,
        "TRANSPOSE": 5,
    },
}  # fmt: skip
"""Version of each operator by element type of its first operand; 1 where nothing is said."""

_ENUMERATIONS = {
    "FusedActivationFunction": tflite.ActivationFunctionType,
    "InDataType": tflite.TensorType,
    "OutDataType": tflite.TensorType,
    "OutputType": tflite.TensorType,
    "Padding": tflite.Padding,
}


def operator_version(builtin: str, inputs: Sequence[TensorType]) -> int:
    """Version of an operator, given its operands."""
    if builtin == "FULLY_CONNECTED":
        return 5 if len(inputs) > 2 else 6
    if not inputs:
        return 1
    version = VERSIONS.get(inputs[0].dtype, {}).get(builtin, 1)
    wide = inputs[0].rank > 4 and builtin in ("PAD", "STRIDED_SLICE", "TRANSPOSE")
    return max(version, 4) if wide else version


def option_fields(options: Mapping[str, object], string: Callable[[str], int]) -> dict[str, object]:
    """Fields of an options table, with names of enumerations as numbers and other texts as offsets.

    Args:
        options: The fields as an op gives them.
        string: Writes a text and returns its offset.

    Raises:
        ModelError: If TFLite has no such name.
    """

    def field(name: str, value: object) -> object:
        if not isinstance(value, str):
            return value
        return _number(name, value) if name in _ENUMERATIONS else string(value)

    return {name: field(name, value) for name, value in options.items()}


def _number(field: str, name: str) -> int:
    number = getattr(_ENUMERATIONS[field], name.upper(), None)
    if number is None:
        raise ModelError(f"TFLite has no {field} '{name}'")
    return int(number)
