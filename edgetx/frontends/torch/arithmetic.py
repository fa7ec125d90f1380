"""ATen arithmetic and matrix products."""

import numpy as np

from edgetx import ops
from edgetx.frontends import truths
from edgetx.frontends.torch.scope import Scope, aten
from edgetx.ir import Value

RELATIONS = {"gt": "greater", "ge": "greater_equal", "lt": "less", "le": "less_equal"}


def _operand(s: Scope, x: Value | float) -> Value:
    return x if isinstance(x, Value) else s.const(np.array([x]), "scalar")


@aten("add.Tensor", "add.Scalar")
def _add(s: Scope, a: Value | float, b: Value | float, alpha: float = 1) -> Value:
    b = _operand(s, b)
    return s.op(ops.Add(), _operand(s, a), b if alpha == 1 else mul(s, b, alpha))


@aten("sub.Tensor", "sub.Scalar")
def _sub(s: Scope, a: Value | float, b: Value | float, alpha: float = 1) -> Value:
    b = _operand(s, b)
    return s.op(ops.Sub(), _operand(s, a), b if alpha == 1 else mul(s, b, alpha))


@aten("rsub.Scalar")
def _rsub(s: Scope, a: Value, b: float, alpha: float = 1) -> Value:
    return _sub(s, b, a, alpha)


@aten("mul.Tensor", "mul.Scalar")
def mul(s: Scope, a: Value | float, b: Value | float) -> Value:
    """Product of two operands, either of which may be a number."""
    return s.op(ops.Mul(), _operand(s, a), _operand(s, b))


@aten("div.Tensor", "div.Scalar")
def _div(s: Scope, a: Value | float, b: Value | float) -> Value:
    b = _operand(s, b)
    divisor = s.builder.consts.get(b.name)
    if divisor is not None:
        return mul(s, a, s.const(1.0 / divisor, "reciprocal"))
    return mul(s, a, s.op(ops.Power(-1.0), b, suffix=".reciprocal"))


@aten("reciprocal.default")
def _reciprocal(s: Scope, x: Value) -> Value:
    return s.op(ops.Power(-1.0), x)


@aten("maximum.default", "max.other")
def _maximum(s: Scope, a: Value, b: Value) -> Value:
    return s.op(ops.Maximum(), a, b)


@aten("minimum.default", "min.other")
def _minimum(s: Scope, a: Value, b: Value) -> Value:
    return s.op(ops.Minimum(), a, b)


@aten("neg.default")
def _neg(s: Scope, x: Value) -> Value:
    return mul(s, x, -1.0)


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
    return s.op(ops.Power(exponent), x)


@aten("log1p.default")
def _log1p(s: Scope, x: Value) -> Value:
    return s.op(ops.Log(), _add(s, x, 1.0))


@aten("expm1.default")
def _expm1(s: Scope, x: Value) -> Value:
    return _sub(s, s.op(ops.Exp(), x), 1.0)


@aten("sign.default", "sgn.default")
def _sign(s: Scope, x: Value) -> Value:
    return s.op(ops.Sub(), s.op(ops.Step(), x), s.op(ops.Step(), mul(s, x, -1.0)))


@aten("gt.Scalar", "gt.Tensor", "ge.Scalar", "ge.Tensor", "lt.Scalar", "lt.Tensor", "le.Scalar", "le.Tensor")
def _compare(s: Scope, a: Value, b: Value | float) -> Value:
    relation = RELATIONS[str(s.node.target).removeprefix("aten.")[:2]]
    return truths.compared(s, relation, a, _operand(s, b))


@aten("where.self", "where.ScalarOther", "where.ScalarSelf")
def _where(s: Scope, condition: Value, a: Value | float, b: Value | float) -> Value:
    return truths.chosen(s, condition, _operand(s, a), _operand(s, b))


@aten("logical_not.default", "bitwise_not.default")
def _not(s: Scope, x: Value) -> Value:
    return truths.negated(s, x)


@aten("logical_and.default", "bitwise_and.Tensor")
def _and(s: Scope, a: Value, b: Value) -> Value:
    return s.op(ops.Mul(), a, b)


@aten("logical_or.default", "bitwise_or.Tensor")
def _or(s: Scope, a: Value, b: Value) -> Value:
    return s.op(ops.Maximum(), a, b)
