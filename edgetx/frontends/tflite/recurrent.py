"""TFLite operators that keep state of their own."""

import math
from collections.abc import Sequence

import numpy as np
import tflite

from edgetx import ops
from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.frontends.tflite.scope import Scope, builtin
from edgetx.frontends.tflite.state import LARGEST_LOOP
from edgetx.ir import Array, QuantParams, TensorType, Value

SVDF_STATE = 4

LSTM_WEIGHTS, LSTM_RECURRENT, LSTM_BIASES = slice(1, 5), slice(5, 9), slice(12, 16)
LSTM_UNSUPPORTED = (*range(9, 12), 16, 17, *range(20, 24))
"""Peepholes, projection and layer normalization."""
LSTM_HIDDEN, LSTM_CELL = 18, 19


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


@builtin("UNIDIRECTIONAL_SEQUENCE_LSTM")
def _lstm(s: Scope, *operands: Value | None) -> Value:
    """Step by step, over a batch of 1; the states are carried from one invocation to the next."""
    options = s.options(tflite.UnidirectionalSequenceLSTMOptions)
    x, steps = operands[0], s.results[0].size // s.results[0].shape[-1]
    if any(i < len(operands) and operands[i] is not None for i in LSTM_UNSUPPORTED):
        raise UnsupportedOpError("LSTM with peepholes, projection or layer normalization")
    if options.FusedActivationFunction() != tflite.ActivationFunctionType.TANH:
        raise UnsupportedOpError("LSTM with another activation than tanh")
    cell_op = ops.LstmCell(float(options.CellClip()) or math.inf)
    if x is None or x.type.rank != 3 or x.type.size != steps * x.shape[-1] or steps > LARGEST_LOOP:
        raise UnsupportedOpError(
            f"LSTM of {steps} steps over a batch", hint=f"{LARGEST_LOOP} steps at most, over a batch of 1"
        )
    weights = [_stacked(s, operands[part]) for part in (LSTM_WEIGHTS, LSTM_RECURRENT, LSTM_BIASES)]
    units = weights[1].shape[-1]
    hidden, cell = s.kept(LSTM_HIDDEN, (1, units)), s.kept(LSTM_CELL, (1, units))
    stored = [] if s.is_float else [(v.type.dtype, v.type.quant) for v in (hidden, cell)]
    rows, outputs = s.reshape(x, (steps, x.shape[-1])), []
    for step in range(steps):
        row = s.slice(rows, 0, step, step + 1)
        hidden, cell = s.builder.ops(cell_op, row, hidden, cell, *weights, name=s.where, quants=stored)
        outputs.append(hidden)
    s.keep(LSTM_HIDDEN, hidden)
    s.keep(LSTM_CELL, cell)
    whole = outputs[0] if steps == 1 else s.op(ops.Concatenation(0), *outputs)
    return s.reshape(whole, s.results[0].shape)


def _stacked(s: Scope, parts: Sequence[Value | None]) -> Value:
    """The weights of the four gates, input, forget, cell and output, as rows of one matrix."""
    gates = [part for part in parts if part is not None]
    if len(gates) != 4:
        raise UnsupportedOpError("LSTM whose input and forget gates are one")
    data = np.concatenate([s.data(gate, "a weight of LSTM") for gate in gates])
    quants = [gate.type.quant for gate in gates]
    if any(quant is None for quant in quants):
        return s.const(data, "weight")
    scale = tuple(gate.type.scale for gate in gates for _ in range(gate.shape[0]))
    return s.const(data, "weight", QuantParams(scale, 0, 0))
