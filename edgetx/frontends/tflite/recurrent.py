"""TFLite operators that keep state of their own."""

import numpy as np
import tflite

from edgetx import ops
from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.frontends.tflite.scope import Scope, builtin
from edgetx.ir import Array, QuantParams, TensorType, Value

SVDF_STATE = 4


@builtin("SVDF")
def _svdf(s: Scope, x: Value, feature: Value, time: Value, bias: Value | None, _: None) -> Value:
    """A layer whose results are kept for a while, and a depthwise convolution over them.

    Filters are numbered unit by unit. They are kept as an image of memory × rank × units, so that a window over all of
    memory and rank gives one number per unit.
    """
    options = s.options(tflite.SVDFOptions)
    rank, (filters, memory) = max(options.Rank(), 1), time.shape
    units = filters // rank
    if units * rank != filters or feature.shape[0] != filters:
        raise ModelError(f"SVDF of rank {rank} with weights {feature.shape} and {time.shape}")
    by_rank = s.data(feature, "a weight of SVDF").reshape(units, rank, -1).swapaxes(0, 1).reshape(filters, -1)
    over_time = s.data(time, "a weight of SVDF").reshape(units, rank, memory).transpose(2, 1, 0)[None]
    kept = s.kept(SVDF_STATE, (1, memory, rank, units))
    if kept.type.dtype == "int16":
        raise UnsupportedOpError("SVDF with a state of 16 bits")
    stored = None if kept.type.is_float else (kept.type.dtype, kept.type.quant)
    fresh = s.op(ops.FullyConnected(), x, _weight(s, by_rank, 0, feature, x.type, kept.type), quant=stored)
    column = s.reshape(fresh, (1, 1, rank, units))
    whole = s.op(ops.Concatenation(1), s.slice(kept, 1, 1, memory), column) if memory > 1 else column
    s.keep(SVDF_STATE, whole)
    window = ops.DepthwiseConv2D(activation=s.activation(options.FusedActivationFunction()))
    weight = _weight(s, over_time, 3, time, kept.type, s.results[0])
    return s.reshape(s.result(window, whole, weight, *([bias] if bias else [])), (1, units))


def _weight(s: Scope, data: Array, axis: int, weight: Value, x: TensorType, y: TensorType) -> Value:
    """The weight, with a scale from which the multiplier comes out as TFLite computes it: in single precision."""
    if weight.type.quant is None:
        return s.const(data, "weight")
    multiplier = np.float32(x.scale) * np.float32(weight.type.scale) / np.float32(y.scale)
    scale = float(multiplier) * y.scale / x.scale
    return s.const(data, "weight", QuantParams((scale,) * data.shape[axis], 0, axis))
