"""TFLite operators with weights or windows."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import tflite

from edgetx import ops
from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.frontends.builder_scope import MAX_ELEMENTS
from edgetx.frontends.tflite.dilation import dilated
from edgetx.frontends.tflite.scope import BEHIND, Scope, builtin
from edgetx.frontends.transposed import phase_kernel, transposed_convolution
from edgetx.ir import QuantParams, Value


def _window(s: Scope, options: Any) -> dict[str, Any]:
    return {
        "stride": (options.StrideH(), options.StrideW()),
        "dilation": (options.DilationHFactor(), options.DilationWFactor()),
        "padding": s.padding(options.Padding()),
    }


@builtin("CONV_2D")
def _conv_2d(s: Scope, x: Value, w: Value, bias: Value | None = None) -> Value:
    s.data(w, "the weight of a convolution")
    options = s.options(tflite.Conv2DOptions)
    conv = ops.Conv2D(**_window(s, options))
    if w.type.rank != 4 or x.type.rank != 4:
        raise ModelError(f"convolution of {x.shape} with a weight {w.shape}")
    if x.name in s.spread:
        conv = replace(conv, **dilated(s, conv, x, (w.shape[1], w.shape[2])))
    groups, rest = divmod(x.shape[-1], w.shape[-1])
    if rest or w.shape[0] % max(groups, 1):
        raise ModelError(f"convolution of {x.shape} with a weight {w.shape}")
    parts = [_group(s, conv, options.FusedActivationFunction(), (x, w, bias), i, groups) for i in range(groups)]
    return parts[0] if groups == 1 else s.result(ops.Concatenation(3), *parts)


def _group(
    s: Scope, conv: ops.Conv2D, activation: int, operands: tuple[Value, Value, Value | None], group: int, groups: int
) -> Value:
    """The convolution of one of several groups of channels."""
    x, w, bias = operands
    if groups > 1:
        inputs, outputs = w.shape[-1], w.shape[0] // groups
        x = s.slice(x, 3, group * inputs, (group + 1) * inputs)
        w = s.rows(w, group * outputs, (group + 1) * outputs)
        bias = bias and s.rows(bias, group * outputs, (group + 1) * outputs)
    return s.clamped(lambda a: replace(conv, activation=a), activation, x, w, *([bias] if bias else []))


@builtin("DEPTHWISE_CONV_2D")
def _depthwise_conv_2d(s: Scope, x: Value, w: Value, bias: Value | None = None) -> Value:
    s.data(w, "the weight of a convolution")
    options = s.options(tflite.DepthwiseConv2DOptions)
    conv = ops.DepthwiseConv2D(**_window(s, options))
    if x.name in s.spread:
        conv = replace(conv, **dilated(s, conv, x, (w.shape[1], w.shape[2])))
    operands = (x, w, *([bias] if bias else []))
    return s.clamped(lambda a: replace(conv, activation=a), options.FusedActivationFunction(), *operands)


@builtin("TRANSPOSE_CONV")
def _transpose_conv(s: Scope, shape: Value, w: Value, x: Value, bias: Value | None = None) -> Value:
    """w [out, height, width, in]; the result has the size that a convolution of it would have come from."""
    options = s.options(tflite.TransposeConvOptions)
    weight, wanted = s.data(w, "the weight of a convolution"), s.integers(shape, "the shape of the result")
    if weight.ndim != 4 or x.type.rank != 4 or len(wanted) != 4:
        raise ModelError(f"transposed convolution of {x.shape} with a weight {weight.shape} to {wanted}")
    stride, size, taps = (options.StrideH(), options.StrideW()), wanted[1:3], weight.shape[1:3]
    if min(*stride, *size) < 1 or math.prod(size) > MAX_ELEMENTS:
        raise ModelError(f"transposed convolution of {x.shape} to {wanted}")
    missing = [max((n - 1) * t + k - m, 0) for n, t, k, m in zip(x.shape[1:3], stride, taps, size, strict=True)]
    same = s.padding(options.Padding()) == "same"
    cut = (missing[0] // 2, missing[1] // 2) if same else (0, 0)
    kernel, repeats = phase_kernel(weight, stride), stride[0] * stride[1]
    held = s.const(kernel, "weight", _repeated(w.type.quant, repeats))
    shift = bias and s.const(np.tile(s.data(bias, "a bias"), repeats), "bias", _repeated(bias.type.quant, repeats))

    def convolve(image: Value) -> Value:
        return s.result(ops.Conv2D(), image, held, *([shift] if shift else []))

    y = transposed_convolution(s, x, (size[0], size[1]), (kernel.shape[1], kernel.shape[2]), stride, cut, convolve)
    code = options.FusedActivationFunction()
    return s.result(BEHIND[code](), y) if code in BEHIND else s.activated(y, s.activation(code))


def _repeated(quant: QuantParams | None, times: int) -> QuantParams | None:
    return quant if quant is None or quant.axis is None else replace(quant, scale=quant.scale * times)


@builtin("FULLY_CONNECTED")
def _fully_connected(s: Scope, x: Value, w: Value, bias: Value | None = None) -> Value:
    """LiteRT rounds its results once, unlike those of convolutions."""
    options = s.options(tflite.FullyConnectedOptions)
    if options.WeightsFormat():
        raise UnsupportedOpError("fully connected layer with shuffled weights")
    if w.type.rank != 2:
        raise ModelError(f"fully connected layer with a weight {w.shape}")
    code = options.FusedActivationFunction()
    rows = x if x.shape[-1:] == w.shape[1:] else s.reshape(x, (x.type.size // w.shape[1], w.shape[1]))
    if not options.KeepNumDims():
        rows = s.reshape(rows, (rows.type.size // w.shape[1], w.shape[1]))
    if w.name in s.builder.consts:
        operands = (rows, w, *([bias] if bias else []))
        return s.clamped(lambda a: ops.FullyConnected(a, rounding="twice" if s.is_float else "once"), code, *operands)
    if not s.is_float:
        raise UnsupportedOpError("int8 fully connected layer with a computed weight", hint="use BATCH_MATMUL")
    y = s.op(ops.BatchMatmul(adj_y=True), rows, w)
    return s.activated(s.op(ops.Add(), y, bias) if bias else y, s.activation(code))


@builtin("BATCH_MATMUL")
def _batch_matmul(s: Scope, a: Value, b: Value) -> Value:
    options = s.options(tflite.BatchMatMulOptions)
    return s.result(ops.BatchMatmul(bool(options.AdjX()), bool(options.AdjY())), a, b)


@builtin("L2_POOL_2D")
def _l2_pool(s: Scope, x: Value) -> Value:
    """The root of the mean of squares."""
    options = s.options(tflite.Pool2DOptions)
    size, stride = (options.FilterHeight(), options.FilterWidth()), (options.StrideH(), options.StrideW())
    mean = s.op(ops.AveragePool2D(size, stride, s.padding(options.Padding())), s.op(ops.Square(), x))
    return s.activated(s.op(ops.Sqrt(), mean), s.activation(options.FusedActivationFunction()))


@builtin("AVERAGE_POOL_2D", "MAX_POOL_2D")
def _pool(s: Scope, x: Value) -> Value:
    options = s.options(tflite.Pool2DOptions)
    kind = ops.AveragePool2D if s.operator.builtin == "AVERAGE_POOL_2D" else ops.MaxPool2D
    s.same_quantization(x)
    size, stride = (options.FilterHeight(), options.FilterWidth()), (options.StrideH(), options.StrideW())
    padding = s.padding(options.Padding())
    return s.clamped(lambda a: kind(size, stride, padding, a), options.FusedActivationFunction(), x)
