"""ONNX activations, normalizations and changes of quantization."""

from collections.abc import Callable

import numpy as np

from edgetx import ops
from edgetx.errors import UnsupportedOpError
from edgetx.frontends import composites, truths
from edgetx.frontends.composites import group_norm, prelu
from edgetx.frontends.onnx.quantization import integers
from edgetx.frontends.onnx.scope import Scope, operator
from edgetx.frontends.softmax import log_softmax
from edgetx.ir import Value

UNARY: dict[str, Callable[[], ops.Op]] = {
    "Abs": ops.Abs, "Atan": ops.Atan, "Erf": ops.Erf, "Exp": ops.Exp, "Floor": ops.Floor, "HardSwish": ops.HardSwish,
    "Log": ops.Log, "Neg": ops.Neg, "Relu": ops.Relu, "Round": ops.Round, "Sigmoid": ops.Logistic, "Sin": ops.Sin,
    "Softplus": ops.Softplus, "Sqrt": ops.Sqrt, "Tanh": ops.Tanh,
}  # fmt: skip


@operator(*UNARY)
def _unary(s: Scope, x: Value) -> Value:
    return s.result(UNARY[s.node.op_type](), x)


@operator("Elu", "Selu", "Celu")
def _elu(s: Scope, x: Value) -> Value:
    """Above zero gamma · x, below gamma · alpha · (exp(x / inner) − 1)."""
    kind = s.node.op_type
    alpha = s.real("alpha", 1.6732632423543772 if kind == "Selu" else 1)
    gamma = s.real("gamma", 1.0507009873554805) if kind == "Selu" else 1.0
    inner = alpha if kind == "Celu" else 1.0
    if (alpha, gamma) == (1, 1):
        return s.result(ops.Elu(), x)
    above = s.result(ops.Mul(), s.result(ops.Relu(), x), s.scalar(gamma))
    low = s.result(ops.Mul(), s.result(ops.Minimum(), x, s.scalar(0)), s.scalar(1 / inner))
    return s.result(ops.Add(), above, s.result(ops.Mul(), s.result(ops.Elu(), low), s.scalar(alpha * gamma)))


@operator("Erfc")
def _complement(s: Scope, x: Value) -> Value:
    """1 − erf(x), which tf2onnx writes although the standard lacks it."""
    return s.op(ops.Sub(), s.scalar(1), s.op(ops.Erf(), s.real_constant(x)))


@operator("Mish")
def _mish(s: Scope, x: Value) -> Value:
    return s.result(ops.Mul(), x, s.result(ops.Tanh(), s.result(ops.Softplus(), x)))


@operator("Swish")
def _swish(s: Scope, x: Value) -> Value:
    inner = x if s.real("alpha", 1) == 1 else s.result(ops.Mul(), x, s.scalar(s.real("alpha", 1)))
    return s.result(ops.Mul(), x, s.result(ops.Logistic(), inner))


@operator("Softsign")
def _softsign(s: Scope, x: Value) -> Value:
    size = s.result(ops.Add(), s.result(ops.Abs(), x), s.scalar(1))
    return s.result(ops.Mul(), x, s.result(ops.Power(-1.0), size))


@operator("ThresholdedRelu")
def _thresholded_relu(s: Scope, x: Value) -> Value:
    return s.result(ops.Mul(), x, truths.compared(s.results, "greater", x, s.scalar(s.real("alpha", 1))))


@operator("LeakyRelu")
def _leaky_relu(s: Scope, x: Value) -> Value:
    return s.result(ops.LeakyRelu(s.real("alpha", 0.01)), x)


@operator("PRelu")
def _prelu(s: Scope, x: Value, slope: Value) -> Value:
    return prelu(s.results, x, slope if slope.type.quant else s.builder.consts.get(slope.name, slope))


@operator("Gelu")
def _gelu(s: Scope, x: Value) -> Value:
    return s.result(ops.Gelu("tanh" if s.text("approximate", "none") == "tanh" else "none"), x)


@operator("HardSigmoid")
def _hard_sigmoid(s: Scope, x: Value) -> Value:
    return sigmoid_line(s, x, s.real("alpha", 0.2), s.real("beta", 0.5))


def sigmoid_line(s: Scope, x: Value, slope: float, middle: float) -> Value:
    """A straight line between 0 and 1."""
    line = s.result(ops.Add(), s.result(ops.Mul(), x, s.scalar(slope)), s.scalar(middle))
    return s.result(ops.Clip(0.0, 1.0), line)


@operator("Clip")
def _clip(s: Scope, x: Value, low: Value | None = None, high: Value | None = None) -> Value:
    """Bounds that are computed, as by a maximum, become operands."""
    if x.type.quant and any(b is not None and s.data(b, "a bound").dtype.kind in "iu" for b in (low, high)):
        return _clip_stored(s, x, low, high)
    bounds = [(low, "min", ops.Maximum), (high, "max", ops.Minimum)]
    for bound, _, kind in bounds:
        if bound is not None and bound.name not in s.builder.consts:
            x = s.result(kind(), x, bound)
    least, most = (_bound(s, bound, name) for bound, name, _ in bounds)
    if (least, most) == (0, 6):
        return s.result(ops.Relu6(), x)
    if (least, most) == (0, np.inf):
        return s.result(ops.Relu(), x)
    return x if (least, most) == (-np.inf, np.inf) else s.result(ops.Clip(least, most), x)


def _clip_stored(s: Scope, x: Value, low: Value | None, high: Value | None) -> Value:
    """Between QuantizeLinear and DequantizeLinear the integers themselves are bounded."""
    ends = [None if b is None else int(integers(s.data(b, "a bound")).item()) for b in (low, high)]
    scale, zero, info = x.type.scale, x.type.zero_point, np.iinfo(x.type.dtype)
    least, most = info.min if ends[0] is None else ends[0], info.max if ends[1] is None else ends[1]
    if (least, most) == (info.min, info.max):
        return x
    return s.op(ops.Clip((least - zero) * scale, (most - zero) * scale), x, quant=(x.type.dtype, x.type.quant))


def _bound(s: Scope, bound: Value | None, name: str) -> float:
    infinite = -np.inf if name == "min" else np.inf
    if bound is None:
        number = s.real(name, infinite)
    else:
        number = float(s.builder.consts.get(bound.name, np.array(infinite)).item())
    return number if abs(number) < np.finfo(np.float32).max else infinite


@operator("Softmax")
def _softmax(s: Scope, x: Value) -> Value:
    axis = s.axis(s.integer("axis", -1 if s.opset >= 13 else 1), x.type.rank)
    rest = x.type.rank - 1
    if s.opset < 13 and axis != rest and any(n > 1 for n in x.shape[axis + 1 :]):
        raise UnsupportedOpError("softmax over several axes", hint="export with opset 13 or newer")
    order = [i for i in range(x.type.rank) if i != axis] + [axis]
    y = s.result(ops.Softmax(), s.transpose(x, order))
    return s.transpose(y, np.argsort(order).tolist())


@operator("LogSoftmax")
def _log_softmax(s: Scope, x: Value) -> Value:
    axis = s.axis(s.integer("axis", -1 if s.opset >= 13 else 1), x.type.rank)
    order = [i for i in range(x.type.rank) if i != axis] + [axis]
    if x.type.quant or (s.opset < 13 and axis != x.type.rank - 1):
        raise UnsupportedOpError("LogSoftmax of integers or over several axes", hint="end with the logits")
    return s.transpose(log_softmax(s, s.transpose(x, order)), np.argsort(order).tolist())


@operator("InstanceNormalization", "GroupNormalization")
def _group_norm(s: Scope, x: Value, gamma: Value, beta: Value) -> Value:
    instance = s.node.op_type == "InstanceNormalization"
    groups = x.shape[1] if instance else s.integer("num_groups", 1)
    data = [s.data(s.restored(v), "a parameter of a normalization").ravel() for v in (gamma, beta)]
    if not instance and s.opset < 21 and groups:
        data = [np.repeat(d, x.shape[1] // groups) for d in data]
    return group_norm(s.results, x, groups, s.real("epsilon", 1e-5), *data)


@operator("RMSNormalization")
def _rms_norm(s: Scope, x: Value, gamma: Value) -> Value:
    if s.axis(s.integer("axis", -1), x.type.rank) != x.type.rank - 1:
        raise UnsupportedOpError("normalization over several axes", hint="normalize the last axis")
    return s.result(ops.RmsNorm(s.real("epsilon", 1e-5)), x, gamma)


@operator("LayerNormalization")
def layer_norm(s: Scope, x: Value, gamma: Value, beta: Value | None = None) -> Value:
    """Normalization over the last axes."""
    count = x.type.rank - s.axis(s.integer("axis", -1), x.type.rank)
    shift = beta or s.const(np.zeros_like(s.data(gamma, "the gain")), "beta")
    if count > 1 and (gamma.shape != x.shape[-count:] or shift.shape != gamma.shape):
        raise UnsupportedOpError(f"normalization of {x.shape} with a gain {gamma.shape}")
    return composites.layer_norm(s.results, x, count, gamma, shift, s.real("epsilon", 1e-5))


@operator("QuantizeLinear")
def _quantize(s: Scope, x: Value, *_: Value) -> Value:
    """At the border of the model nothing: it takes and gives integers."""
    stored = s.stored[0]
    if not x.type.quant or stored is None:
        raise UnsupportedOpError("QuantizeLinear within a model in floating point", hint="quantize the whole model")
    return s.requantized(x, stored)


@operator("DequantizeLinear")
def _dequantize(_: Scope, x: Value, *__: Value) -> Value:
    return x
