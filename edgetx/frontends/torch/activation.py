"""ATen normalizations, attention and activations."""

from collections.abc import Callable, Sequence

import numpy as np

from edgetx import ops
from edgetx.errors import UnsupportedOpError
from edgetx.frontends.torch.scope import Scope, aten, normal_axis
from edgetx.ir import Value


@aten("layer_norm.default")
def _layer_norm(
    s: Scope, x: Value, shape: Sequence[int], gamma: Value | None = None, beta: Value | None = None,
    epsilon: float = 1e-5, *_: object,
) -> Value:  # fmt: skip
    if len(shape) != 1:
        raise UnsupportedOpError(f"layer normalization over {len(shape)} axes", hint="normalize the last axis")
    gain = gamma or s.const(np.ones(shape), "gamma")
    return s.op(ops.LayerNorm(epsilon), x, gain, beta or s.const(np.zeros(shape), "beta"))


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
    if mask is not None or causal or enable_gqa:
        raise UnsupportedOpError("masked or grouped attention", hint="use full self-attention")
    factor = q.shape[-1] ** -0.5 if scale is None else scale
    scores = s.op(ops.BatchMatmul(adj_y=True), q, k, suffix=".scores")
    scaled = s.op(ops.Mul(), scores, s.const(np.array([factor]), "scale"), suffix=".scaled")
    return s.op(ops.BatchMatmul(), s.op(ops.Softmax(), scaled, suffix=".weights"), v)


@aten("softmax.int", "_softmax.default")
def _softmax(s: Scope, x: Value, axis: int, *_: object) -> Value:
    if normal_axis(axis, x.type.rank) != x.type.rank - 1:
        raise UnsupportedOpError(f"softmax over axis {axis}", hint="softmax over the last axis")
    return s.op(ops.Softmax(), x)


@aten("gelu.default")
def _gelu(s: Scope, x: Value, approximate: str = "none") -> Value:
    return s.op(ops.Gelu("tanh" if approximate == "tanh" else "none"), x)


@aten("hardtanh.default", "hardtanh_.default", "clamp.default")
def _clamp(s: Scope, x: Value, low: float | None = -1.0, high: float | None = 1.0) -> Value:
    if (low, high) == (0.0, 6.0):
        return s.op(ops.Relu6(), x)
    if low == 0.0 and high is None:
        return s.op(ops.Relu(), x)
    raise UnsupportedOpError(f"clamp to [{low}, {high}]", hint="ReLU and ReLU6 are supported")


def _unary(op: Callable[[], ops.Op], *targets: str) -> None:
    @aten(*targets)
    def handler(s: Scope, x: Value, *_: object) -> Value:
        return s.op(op(), x)


_unary(ops.Relu, "relu.default", "relu_.default")
_unary(ops.Relu6, "relu6.default")
_unary(ops.Silu, "silu.default", "silu_.default")
_unary(ops.HardSwish, "hardswish.default", "hardswish_.default")
_unary(ops.Logistic, "sigmoid.default", "sigmoid_.default")
_unary(ops.Tanh, "tanh.default", "tanh_.default")
_unary(ops.Exp, "exp.default")
_unary(ops.Sqrt, "sqrt.default")
_unary(ops.Rsqrt, "rsqrt.default")
_unary(ops.Erf, "erf.default")
_unary(ops.Square, "square.default")
