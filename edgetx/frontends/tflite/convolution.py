"""TFLite operators with weights or windows."""

from typing import Any

import tflite

from edgetx import ops
from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.frontends.tflite.scope import Scope, builtin
from edgetx.ir import Value


def _window(s: Scope, options: Any) -> dict[str, Any]:
    return {
        "stride": (options.StrideH(), options.StrideW()),
        "dilation": (options.DilationHFactor(), options.DilationWFactor()),
        "padding": s.padding(options.Padding()),
        "activation": s.activation(options.FusedActivationFunction()),
    }


@builtin("CONV_2D")
def _conv_2d(s: Scope, x: Value, w: Value, bias: Value | None = None) -> Value:
    s.data(w, "the weight of a convolution")
    conv = ops.Conv2D(**_window(s, s.options(tflite.Conv2DOptions)))
    if w.type.rank == 4 and x.shape[-1] != w.shape[-1]:
        raise UnsupportedOpError(f"convolution in groups: {w.shape[-1]} of {x.shape[-1]} channels")
    return s.result(conv, x, w, *([bias] if bias else []))


@builtin("DEPTHWISE_CONV_2D")
def _depthwise_conv_2d(s: Scope, x: Value, w: Value, bias: Value | None = None) -> Value:
    s.data(w, "the weight of a convolution")
    conv = ops.DepthwiseConv2D(**_window(s, s.options(tflite.DepthwiseConv2DOptions)))
    return s.result(conv, x, w, *([bias] if bias else []))


@builtin("FULLY_CONNECTED")
def _fully_connected(s: Scope, x: Value, w: Value, bias: Value | None = None) -> Value:
    """LiteRT rounds its results once, unlike those of convolutions."""
    options = s.options(tflite.FullyConnectedOptions)
    if options.WeightsFormat():
        raise UnsupportedOpError("fully connected layer with shuffled weights")
    if w.type.rank != 2:
        raise ModelError(f"fully connected layer with a weight {w.shape}")
    activation = s.activation(options.FusedActivationFunction())
    rows = x if x.shape[-1:] == w.shape[1:] else s.reshape(x, (x.type.size // w.shape[1], w.shape[1]))
    if not options.KeepNumDims():
        rows = s.reshape(rows, (rows.type.size // w.shape[1], w.shape[1]))
    if w.name in s.builder.consts:
        layer = ops.FullyConnected(activation, rounding="twice" if s.is_float else "once")
        return s.result(layer, rows, w, *([bias] if bias else []))
    if not s.is_float:
        raise UnsupportedOpError("int8 fully connected layer with a computed weight", hint="use BATCH_MATMUL")
    y = s.op(ops.BatchMatmul(adj_y=True), rows, w)
    return s.activated(s.op(ops.Add(), y, bias) if bias else y, activation)


@builtin("BATCH_MATMUL")
def _batch_matmul(s: Scope, a: Value, b: Value) -> Value:
    options = s.options(tflite.BatchMatMulOptions)
    return s.result(ops.BatchMatmul(bool(options.AdjX()), bool(options.AdjY())), a, b)


@builtin("AVERAGE_POOL_2D", "MAX_POOL_2D")
def _pool(s: Scope, x: Value) -> Value:
    options = s.options(tflite.Pool2DOptions)
    kind = ops.AveragePool2D if s.operator.builtin == "AVERAGE_POOL_2D" else ops.MaxPool2D
    s.same_quantization(x)
    pool = kind(
        (options.FilterHeight(), options.FilterWidth()),
        (options.StrideH(), options.StrideW()),
        s.padding(options.Padding()),
        s.activation(options.FusedActivationFunction()),
    )
    return s.result(pool, x)
