"""TFLite activations and changes of quantization."""

from collections.abc import Callable

import tflite

from edgetx import ops
from edgetx.errors import UnsupportedOpError
from edgetx.fixedpoint import quantize
from edgetx.frontends.composites import prelu
from edgetx.frontends.softmax import log_softmax
from edgetx.frontends.tflite.scope import Scope, builtin
from edgetx.ir import Value

UNARY: dict[str, Callable[[], ops.Op]] = {
    "ABS": ops.Abs, "ELU": ops.Elu, "EXP": ops.Exp, "FLOOR": ops.Floor, "HARD_SWISH": ops.HardSwish,
    "LOG": ops.Log, "LOGISTIC": ops.Logistic, "NEG": ops.Neg, "RELU": ops.Relu, "ROUND": ops.Round,
    "RSQRT": ops.Rsqrt, "SIN": ops.Sin, "SQRT": ops.Sqrt, "SQUARE": ops.Square, "TANH": ops.Tanh,
}  # fmt: skip


@builtin(*UNARY)
def _unary(s: Scope, x: Value) -> Value:
    return s.result(UNARY[s.operator.builtin](), x)


@builtin("RELU6")
def _relu6(s: Scope, x: Value) -> Value:
    if x.type.quant != s.results[0].quant:
        return s.result(ops.Clip(0.0, 6.0), x)
    return s.result(ops.Relu6(), x)


@builtin("RELU_N1_TO_1", "RELU_0_TO_1")
def _clip(s: Scope, x: Value) -> Value:
    return s.result(ops.Clip(-1.0 if s.operator.builtin == "RELU_N1_TO_1" else 0.0, 1.0), x)


@builtin("LOG_SOFTMAX")
def _log_softmax(s: Scope, x: Value) -> Value:
    if x.type.quant:
        raise UnsupportedOpError("LOG_SOFTMAX of integers")
    return log_softmax(s, x)


@builtin("LEAKY_RELU")
def _leaky_relu(s: Scope, x: Value) -> Value:
    return s.result(ops.LeakyRelu(float(s.options(tflite.LeakyReluOptions).Alpha())), x)


@builtin("GELU")
def _gelu(s: Scope, x: Value) -> Value:
    return s.result(ops.Gelu("tanh" if s.options(tflite.GeluOptions).Approximate() else "none"), x)


@builtin("PRELU")
def _prelu(s: Scope, x: Value, alpha: Value) -> Value:
    if not s.is_float:
        raise UnsupportedOpError("PRELU of integers", hint="use LEAKY_RELU, or convert to float TFLite")
    return prelu(s, x, s.builder.consts.get(alpha.name, alpha))


@builtin("SOFTMAX")
def _softmax(s: Scope, x: Value) -> Value:
    kinds = {("int8", "int16"): ops.WideSoftmax, ("int16", "int16"): ops.TableSoftmax}
    kind = kinds.get((x.type.dtype, s.results[0].dtype), ops.Softmax)
    return s.result(kind(float(s.options(tflite.SoftmaxOptions).Beta())), x)


@builtin("L2_NORMALIZATION")
def _l2_normalization(s: Scope, x: Value) -> Value:
    return s.result(ops.L2Normalization(), x)


@builtin("QUANTIZE")
def _quantize(s: Scope, x: Value) -> Value:
    """Between integers a change of quantization; at the border of the model nothing."""
    declared = s.results[0]
    if (x.type.dtype, x.type.quant) == (declared.dtype, declared.quant):
        return x
    if x.type.is_float:
        data = s.data(x, "what is quantized within a float model")
        return s.const(quantize(data, declared.scale, declared.zero_point, declared.dtype), "int", declared.quant)
    return s.result(ops.Quantize(), x)


@builtin("DEQUANTIZE", "DENSIFY")
def _dequantize(_: Scope, x: Value) -> Value:
    """At the border of the model the integers themselves; constants arrive restored and whole."""
    return x
