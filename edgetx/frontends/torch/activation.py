"""ATen normalizations, attention and activations."""

from collections.abc import Callable, Sequence

import numpy as np
from torch.fx import Node as FxNode

from edgetx import ops
from edgetx.errors import UnsupportedOpError
from edgetx.frontends.attention import attention
from edgetx.frontends.composites import layer_norm, prelu
from edgetx.frontends.softmax import log_softmax
from edgetx.frontends.torch.arithmetic import mul
from edgetx.frontends.torch.scope import Scope, aten, transpose
from edgetx.ir import Value
from edgetx.ops.attention import HIDDEN


@aten("layer_norm.default", "native_layer_norm.default")
def _layer_norm(
    s: Scope, x: Value, shape: Sequence[int], gamma: Value | None = None, beta: Value | None = None,
    epsilon: float = 1e-5, *_: object,
) -> Value:  # fmt: skip
    gain = gamma or s.const(np.ones(shape), "gamma")
    return layer_norm(s, x, len(shape), gain, beta or s.const(np.zeros(shape), "beta"), epsilon)


@aten("rms_norm.default")
def _rms_norm(
    s: Scope, x: Value, shape: Sequence[int], gamma: Value | None = None, epsilon: float | None = None
) -> Value:
    if len(shape) != 1:
        raise UnsupportedOpError(f"RMS normalization over {len(shape)} axes", hint="normalize the last axis")
    default = float(np.finfo(np.float32).eps)
    return s.op(ops.RmsNorm(default if epsilon is None else epsilon), x, gamma or s.const(np.ones(shape), "gamma"))


@aten("scaled_dot_product_attention.default")
def _attention(
    s: Scope, q: Value, k: Value, v: Value, mask: Value | None = None, dropout: float = 0.0, causal: bool = False,
    scale: float | None = None, enable_gqa: bool = False,
) -> Value:  # fmt: skip
    factor = q.shape[-1] ** -0.5 if scale is None else scale
    added = _added(s, mask)
    if causal:
        added = s.const(np.where(np.tri(q.shape[-2], k.shape[-2], dtype=bool), 0, HIDDEN), "causal")
    return attention(s, q, k, v, factor, added)


def _added(s: Scope, mask: Value | None) -> Value | None:
    """What a mask adds to the scores: one of truths hides the keys that are false."""
    if mask is None or mask.name not in s.builder.consts:
        if mask is not None and not _is_real(s, 3):
            raise UnsupportedOpError("attention with a computed mask", hint="use a constant mask")
        return mask
    data = s.builder.consts[mask.name]
    if not _is_real(s, 3):
        data = np.where(data > 0, 0, HIDDEN)
    return s.const(np.maximum(data, HIDDEN), "mask")


def _is_real(s: Scope, index: int) -> bool:
    """Whether an operand of the traced node is real, rather than a truth."""
    operand = s.node.args[index] if len(s.node.args) > index else s.node.kwargs["attn_mask"]
    assert isinstance(operand, FxNode)
    return bool(operand.meta["val"].is_floating_point())


@aten("softmax.int", "_softmax.default")
def _softmax(s: Scope, x: Value, axis: int, *_: object) -> Value:
    order = [*range(x.type.rank)]
    order.append(order.pop(axis))
    return transpose(s, s.op(ops.Softmax(), transpose(s, x, order)), np.argsort(order).tolist())


@aten("log_softmax.int", "_log_softmax.default")
def _log_softmax(s: Scope, x: Value, axis: int, *_: object) -> Value:
    order = [*range(x.type.rank)]
    order.append(order.pop(axis))
    return transpose(s, log_softmax(s, transpose(s, x, order)), np.argsort(order).tolist())


@aten("gelu.default")
def _gelu(s: Scope, x: Value, approximate: str = "none") -> Value:
    return s.op(ops.Gelu("tanh" if approximate == "tanh" else "none"), x)


@aten("hardtanh.default")
def _hardtanh(s: Scope, x: Value, low: float = -1.0, high: float = 1.0) -> Value:
    return _clamp(s, x, low, high)


@aten("clamp.default", "clamp_min.default")
def _clamp(s: Scope, x: Value, low: float | None = None, high: float | None = None) -> Value:
    least, most = -np.inf if low is None else low, np.inf if high is None else high
    if (least, most) == (0, 6):
        return s.op(ops.Relu6(), x)
    return s.op(ops.Relu() if (least, most) == (0, np.inf) else ops.Clip(least, most), x)


@aten("clamp_max.default")
def _clamp_max(s: Scope, x: Value, high: float) -> Value:
    return _clamp(s, x, None, high)


@aten("clamp.Tensor", "clamp_min.Tensor", "clamp_max.Tensor")
def _clamp_by(s: Scope, x: Value, low: Value | None = None, high: Value | None = None) -> Value:
    if "clamp_max" in str(s.node.target):
        low, high = None, low
    x = x if low is None else s.op(ops.Maximum(), x, low)
    return x if high is None else s.op(ops.Minimum(), x, high)


@aten("elu.default")
def _elu(s: Scope, x: Value, alpha: float = 1, scale: float = 1, input_scale: float = 1) -> Value:
    """alpha and scale differ below zero only by a factor, which scaled-exponential units make use of."""
    if input_scale != 1:
        raise UnsupportedOpError(f"ELU with an input scale of {input_scale}")
    if (alpha, scale) == (1, 1):
        return s.op(ops.Elu(), x)
    above = mul(s, s.op(ops.Relu(), x, suffix=".above"), scale)
    return s.op(
        ops.Add(), above, mul(s, s.op(ops.Elu(), s.op(ops.Minimum(), x, s.const(np.zeros(1), "zero"))), alpha * scale)
    )


@aten("leaky_relu.default")
def _leaky_relu(s: Scope, x: Value, slope: float = 0.01) -> Value:
    return s.op(ops.LeakyRelu(slope), x)


@aten("prelu.default", "_prelu_kernel.default")
def _prelu(s: Scope, x: Value, slope: Value) -> Value:
    """One slope, or one for each index of the second axis."""
    slopes = s.data(slope, "the slope")
    return prelu(s, x, slopes.reshape(-1, *[1] * (x.type.rank - 2)))


@aten("softplus.default")
def _softplus(s: Scope, x: Value, beta: float = 1, *_: object) -> Value:
    """Beyond torch's third operand both are straight lines, to the last bit of single precision."""
    if beta == 1:
        return s.op(ops.Softplus(), x)
    return mul(s, s.op(ops.Softplus(), mul(s, x, beta)), 1 / beta)


@aten("log_sigmoid.default")
def _log_sigmoid(s: Scope, x: Value) -> Value:
    return mul(s, s.op(ops.Softplus(), mul(s, x, -1.0), suffix=".softplus"), -1.0)


def _unary(op: Callable[[], ops.Op], *targets: str) -> None:
    @aten(*targets)
    def handler(s: Scope, x: Value, *_: object) -> Value:
        return s.op(op(), x)


_unary(ops.Relu, "relu.default")
_unary(ops.Relu6, "relu6.default")
_unary(ops.Silu, "silu.default")
_unary(ops.HardSwish, "hardswish.default")
_unary(ops.Logistic, "sigmoid.default")
_unary(ops.Tanh, "tanh.default")
_unary(ops.Exp, "exp.default")
_unary(ops.Sqrt, "sqrt.default")
_unary(ops.Rsqrt, "rsqrt.default")
_unary(ops.Erf, "erf.default")
_unary(ops.Abs, "abs.default")
_unary(ops.Log, "log.default")
_unary(ops.Square, "square.default")
_unary(ops.Sin, "sin.default")
_unary(ops.Atan, "atan.default")
_unary(ops.Floor, "floor.default")
_unary(ops.Round, "round.default")
