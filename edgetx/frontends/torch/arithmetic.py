"""ATen arithmetic, reductions and matrix products."""

from collections.abc import Sequence

import numpy as np

from edgetx import ops
from edgetx.errors import UnsupportedOpError
from edgetx.frontends.torch.scope import Scope, aten, normal_axis
from edgetx.ir import Value


def _operand(s: Scope, x: Value | float) -> Value:
    return x if isinstance(x, Value) else s.const(np.array([x]), "scalar")


@aten("add.Tensor", "add_.Tensor", "add.Scalar")
def _add(s: Scope, a: Value | float, b: Value | float, alpha: float = 1) -> Value:
    b = _operand(s, b)
    return s.op(ops.Add(), _operand(s, a), b if alpha == 1 else mul(s, b, alpha))


@aten("sub.Tensor", "sub.Scalar", "sub_.Tensor")
def _sub(s: Scope, a: Value | float, b: Value | float, alpha: float = 1) -> Value:
    b = _operand(s, b)
    return s.op(ops.Sub(), _operand(s, a), b if alpha == 1 else mul(s, b, alpha))


@aten("rsub.Scalar")
def _rsub(s: Scope, a: Value, b: float, alpha: float = 1) -> Value:
    return _sub(s, b, a, alpha)


@aten("mul.Tensor", "mul.Scalar", "mul_.Tensor")
def mul(s: Scope, a: Value | float, b: Value | float) -> Value:
    """Product of two operands, either of which may be a number."""
    return s.op(ops.Mul(), _operand(s, a), _operand(s, b))


@aten("div.Tensor", "div.Scalar", "div_.Tensor")
def _div(s: Scope, a: Value | float, b: Value | float) -> Value:
    divisor = b if not isinstance(b, Value) else s.data(b, "the divisor")
    return s.op(ops.Mul(), _operand(s, a), s.const(np.atleast_1d(1.0 / np.asarray(divisor)), "reciprocal"))


@aten("neg.default")
def _neg(s: Scope, x: Value) -> Value:
    return mul(s, x, -1.0)


@aten("mean.dim", "mean.default")
def _mean(s: Scope, x: Value, axes: Sequence[int] | None = None, keepdim: bool = False, **_: object) -> Value:
    axes = axes or range(x.type.rank)
    return s.op(ops.Mean(tuple(sorted(normal_axis(a, x.type.rank) for a in axes)), keepdim), x)


@aten("linear.default")
def _linear(s: Scope, x: Value, w: Value, b: Value | None = None) -> Value:
    s.data(w, "the weight of linear")
    return s.op(ops.FullyConnected(), x, w, *([b] if b else []))


@aten("addmm.default")
def _addmm(s: Scope, bias: Value, x: Value, w: Value) -> Value:
    return _add(s, _matmul(s, x, w), bias)


@aten("matmul.default", "bmm.default", "mm.default")
def _matmul(s: Scope, a: Value, b: Value) -> Value:
    return s.op(ops.BatchMatmul(), a, b)


@aten("pow.Tensor_Scalar")
def _pow(s: Scope, x: Value, exponent: float) -> Value:
    if exponent == 2:
        return s.op(ops.Square(), x)
    if exponent == 3:
        return mul(s, s.op(ops.Square(), x), x)
    if exponent in (0.5, -0.5):
        return s.op(ops.Sqrt() if exponent > 0 else ops.Rsqrt(), x)
    raise UnsupportedOpError(f"power {exponent}", hint="powers 2, 3, 0.5 and -0.5 are supported")
