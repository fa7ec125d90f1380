"""ATen arithmetic and matrix products."""

from collections.abc import Sequence

import numpy as np

from edgetx import ops
from edgetx.frontends import composites, truths
from edgetx.frontends.einsum import einsum
from edgetx.frontends.torch.scope import Scope, aten, reshape
from edgetx.ir import Value

RELATIONS = {"gt": "greater", "ge": "greater_equal", "lt": "less", "le": "less_equal"}


def _operand(s: Scope, x: Value | float) -> Value:
    return x if isinstance(x, Value) else s.const(np.array([x]), "scalar")


@aten("add.Tensor", "add.Scalar")
def _add(s: Scope, a: Value | float, b: Value | float, alpha: float = 1) -> Value:
    a, b = (composites.finite_mask(s, _operand(s, x)) for x in (a, b))
    return s.op(ops.Add(), a, b if alpha == 1 else mul(s, b, alpha))


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


@aten("matmul.default", "bmm.default", "mm.default", "mv.default", "dot.default")
def _matmul(s: Scope, a: Value, b: Value) -> Value:
    """Vectors count as a row before, and as a column behind a matrix."""
    if b.type.rank == 1:
        b = reshape(s, b, (b.shape[0], 1))
    if a.type.rank == 1:
        a = reshape(s, a, (1, a.shape[0]))
    return reshape(s, s.op(ops.BatchMatmul(), a, b), s.shape)


@aten("_trilinear.default")
def _trilinear(
    s: Scope, a: Value, b: Value, c: Value, of_a: Sequence[int], of_b: Sequence[int], of_c: Sequence[int],
    summed: Sequence[int], *_: object,
) -> Value:  # fmt: skip
    """A product of three over common axes, of which each lists those that it lacks."""
    names = "abcdefghijklmnopqrstuvwxyz"[: a.type.rank + len(of_a)]
    terms = ["".join(n for i, n in enumerate(names) if i not in lacking) for lacking in (of_a, of_b, of_c)]
    left = "".join(n for i, n in enumerate(names) if i not in summed)
    return reshape(s, einsum(s, f"{','.join(terms)}->{left}", [a, b, c]), s.shape)


@aten("pow.Tensor_Scalar")
def _pow(s: Scope, x: Value, exponent: float) -> Value:
    if exponent == 2:
        return s.op(ops.Square(), x)
    if exponent == 3:
        return mul(s, s.op(ops.Square(), x), x)
    if exponent in (0.5, -0.5):
        return s.op(ops.Sqrt() if exponent > 0 else ops.Rsqrt(), x)
    return s.op(ops.Power(exponent), x)


@aten("pow.Tensor_Tensor", "pow.Scalar")
def _pow_by(s: Scope, x: Value | float, exponent: Value) -> Value:
    return composites.power(s, _operand(s, x), exponent)


@aten("remainder.Scalar", "remainder.Tensor")
def _remainder(s: Scope, x: Value, divisor: Value | float) -> Value:
    return composites.remainder(s, x, _operand(s, divisor), is_whole=_is_whole(s))


def _is_whole(s: Scope) -> bool:
    """Whether the result has a type of whole numbers."""
    return not s.node.meta["val"].is_floating_point()


@aten("fmod.Scalar", "fmod.Tensor")
def _fmod(s: Scope, x: Value, divisor: Value | float) -> Value:
    return composites.truncated_remainder(s, x, _operand(s, divisor))


@aten("ceil.default")
def _ceil(s: Scope, x: Value) -> Value:
    return composites.ceil(s, x)


@aten("trunc.default", "fix.default")
def _trunc(s: Scope, x: Value) -> Value:
    return s.op(ops.Mul(), composites.sign(s, x), s.op(ops.Floor(), s.op(ops.Abs(), x)))


@aten("frac.default")
def _frac(s: Scope, x: Value) -> Value:
    return s.op(ops.Sub(), x, _trunc(s, x))


@aten("cos.default")
def _cosine(s: Scope, x: Value) -> Value:
    return composites.cosine(s, x)


@aten("sinh.default", "cosh.default")
def _hyperbolic(s: Scope, x: Value) -> Value:
    return composites.hyperbolic(s, x, odd="sinh" in str(s.node.target))


@aten("log1p.default")
def _log1p(s: Scope, x: Value) -> Value:
    return s.op(ops.Log(), _add(s, x, 1.0))


@aten("expm1.default")
def _expm1(s: Scope, x: Value) -> Value:
    return _sub(s, s.op(ops.Exp(), x), 1.0)


@aten("sign.default", "sgn.default")
def _sign(s: Scope, x: Value) -> Value:
    return composites.sign(s, x)


@aten("eq.Scalar", "eq.Tensor", "ne.Scalar", "ne.Tensor")
def _equal(s: Scope, a: Value, b: Value | float) -> Value:
    """Infinity equals nothing that integers stand for."""
    is_unequal = ".ne" in str(s.node.target)
    if isinstance(b, float | int) and not np.isfinite(b):
        return s.const(np.full(a.shape, is_unequal), "known")
    differ = truths.different(s, a, _operand(s, b))
    return differ if is_unequal else truths.negated(s, differ)


@aten("isnan.default", "isinf.default")
def _never(s: Scope, x: Value) -> Value:
    return s.const(np.zeros(x.shape), "never")


@aten("log2.default", "log10.default")
def _log_to(s: Scope, x: Value) -> Value:
    return mul(s, s.op(ops.Log(), x), 1 / np.log(2 if "log2" in str(s.node.target) else 10))


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
