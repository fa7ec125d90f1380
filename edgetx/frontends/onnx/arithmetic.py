"""ONNX arithmetic, reductions and matrix products."""

import numpy as np

from edgetx import ops
from edgetx.errors import UnsupportedOpError
from edgetx.frontends import composites
from edgetx.frontends.composites import cumulative_sum
from edgetx.frontends.einsum import einsum
from edgetx.frontends.onnx.scope import Scope, operator
from edgetx.ir import Value

BINARY: dict[str, type[ops.Op]] = {
    "Add": ops.Add, "Sub": ops.Sub, "Mul": ops.Mul, "Max": ops.Maximum, "Min": ops.Minimum, "Sum": ops.Add,
}  # fmt: skip


@operator(*BINARY)
def _binary(s: Scope, *operands: Value) -> Value:
    """Where order means nothing, a constant comes second."""
    total, *others = (composites.finite_mask(s, x) for x in operands)
    for other in others:
        is_swapped = s.node.op_type != "Sub" and total.name in s.builder.consts
        total = s.result(BINARY[s.node.op_type](), *((other, total) if is_swapped else (total, other)))
    return total


@operator("Div")
def _div(s: Scope, a: Value, b: Value) -> Value:
    """Whole numbers are divided without a rest."""
    data = s.builder.consts.get(b.name)
    if a.name in s.whole or b.name in s.whole:
        return composites.truncated_quotient(s, s.real_constant(a), s.real_constant(b))
    if data is not None and data.dtype.kind == "f":
        return s.result(ops.Mul(), a, s.const(1 / data, "reciprocal"))
    s.real_only(a, b)
    return s.result(ops.Mul(), a, s.op(ops.Power(-1.0), b))


@operator("Reciprocal")
def _reciprocal(s: Scope, x: Value) -> Value:
    return s.result(ops.Power(-1.0), x)


@operator("Pow")
def _pow(s: Scope, x: Value, exponent: Value) -> Value:
    data = s.builder.consts.get(exponent.name)
    if data is not None and data.size == 1:
        power = float(data.item())
        return s.result(ops.Square() if power == 2 else ops.Power(power), x)
    s.real_only(x, exponent)
    return composites.power(s, *map(s.real_constant, (x, exponent)))


@operator("Mod")
def _remainder(s: Scope, x: Value, divisor: Value) -> Value:
    """With the sign of the divisor, or of the dividend if `fmod` is set."""
    s.real_only(x, divisor)
    if not s.integer("fmod", 0):
        return composites.remainder(s, x, s.real_constant(divisor), is_whole=x.name in s.whole)
    return composites.truncated_remainder(s, x, s.real_constant(divisor))


@operator("Ceil")
def _ceil(s: Scope, x: Value) -> Value:
    s.real_only(x)
    return composites.ceil(s, x)


@operator("Cos")
def _cosine(s: Scope, x: Value) -> Value:
    s.real_only(x)
    return composites.cosine(s, x)


@operator("Sinh", "Cosh")
def _hyperbolic(s: Scope, x: Value) -> Value:
    s.real_only(x)
    return composites.hyperbolic(s, x, odd=s.node.op_type == "Sinh")


@operator("MatMul")
def matmul(s: Scope, a: Value, b: Value) -> Value:
    """Product of matrices; a constant right operand makes a layer of it."""
    if b.type.rank == 1:
        column = matmul(s, a, s.reshape(b, (b.shape[0], 1)))
        return s.reshape(column, column.shape[:-1])
    if a.type.rank == 1:
        row = matmul(s, s.reshape(a, (1, a.shape[0])), b)
        return s.reshape(row, (*row.shape[:-2], row.shape[-1]))
    weight = s.builder.consts.get(b.name)
    if weight is None or weight.ndim != 2:
        return s.result(ops.BatchMatmul(), a, b)
    axis = None if b.type.quant is None or b.type.quant.axis is None else 1 - b.type.quant.axis
    return s.result(ops.FullyConnected(), a, s.moved(b, weight.T.copy(), axis))


@operator("Gemm")
def gemm(s: Scope, a: Value, b: Value, c: Value | None = None) -> Value:
    """alpha · a b + beta · c, whose operands may be transposed."""
    alpha, beta = s.real("alpha", 1), s.real("beta", 1)
    a = s.transpose(a, (1, 0)) if s.integer("transA", 0) else a
    transposed, data = bool(s.integer("transB", 0)), s.builder.consts.get(b.name)
    if data is not None and (alpha, beta) == (1, 1) and _is_bias(s, c, data.shape[0 if transposed else 1]):
        axis = None if b.type.quant is None or b.type.quant.axis is None else b.type.quant.axis ^ (not transposed)
        w = s.moved(b, data if transposed else data.T.copy(), axis)
        return s.result(ops.FullyConnected(), a, w, *([s.bias(c, a, w)] if c else []))
    s.real_only(*(x for x in (a, b, c) if x is not None))
    y = s.op(ops.BatchMatmul(adj_y=transposed), a, b)
    y = y if alpha == 1 else s.op(ops.Mul(), y, s.scalar(alpha))
    if c is None:
        return y
    return s.op(ops.Add(), y, c if beta == 1 else s.op(ops.Mul(), c, s.scalar(beta)))


def _is_bias(s: Scope, c: Value | None, outputs: int) -> bool:
    """Whether a summand is a constant number for each output."""
    return c is None or (c.name in s.builder.consts and c.type.size == outputs)


@operator("ReduceMean", "ReduceMax", "ReduceSum", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceSumSquare")
def _reduction(s: Scope, x: Value, axes: Value | None = None) -> Value:
    listed, kind = s.listed("axes", axes), s.node.op_type
    if listed is None and s.integer("noop_with_empty_axes", 0):
        return x
    over = tuple(sorted({s.axis(a, x.type.rank) for a in (listed or range(x.type.rank))}))
    keepdims = bool(s.integer("keepdims", 1))
    if kind in ("ReduceMean", "ReduceMax"):
        return _reduced(s, ops.Mean if kind == "ReduceMean" else ops.ReduceMax, x, over, keepdims=keepdims)
    s.real_only(x)
    if kind == "ReduceMin":
        return s.op(ops.Neg(), s.op(ops.ReduceMax(over, keepdims), s.op(ops.Neg(), x)))
    before: dict[str, ops.Op] = {"ReduceL1": ops.Abs(), "ReduceL2": ops.Square(), "ReduceSumSquare": ops.Square()}
    total = composites.total(s, s.op(before[kind], x) if kind in before else x, over, keepdims=keepdims)
    return s.op(ops.Sqrt(), total) if kind == "ReduceL2" else total


def _reduced(s: Scope, op: type[ops.Mean | ops.ReduceMax], x: Value, over: tuple[int, ...], *, keepdims: bool) -> Value:
    """Integers are rounded once, so that axes that are no neighbours are brought together."""
    if not x.type.quant or over == tuple(range(over[0], over[-1] + 1)):
        return s.result(op(over, keepdims), x)
    kept = [axis for axis in range(x.type.rank) if axis not in over]
    last = s.transpose(x, [*kept, *over])
    y = s.result(op(tuple(range(len(kept), x.type.rank)), False), last)
    return s.reshape(y, [1 if axis in over else n for axis, n in enumerate(x.shape)]) if keepdims else y


@operator("ReduceProd")
def _product(s: Scope, x: Value, axes: Value | None = None) -> Value:
    s.real_only(x)
    over = s.listed("axes", axes)
    if over is None or len(over) != 1:
        raise UnsupportedOpError("a product over several axes", hint="multiply along one axis")
    return composites.product(s, x, s.axis(over[0], x.type.rank), keepdims=bool(s.integer("keepdims", 1)))


@operator("LRN")
def _local_response_norm(s: Scope, x: Value) -> Value:
    s.real_only(x)
    size = s.integer("size", 1)
    band = ((size - 1) // 2, size // 2, s.real("alpha", 1e-4) / max(size, 1))
    return composites.local_response_norm(s, x, 1, band, s.real("bias", 1), s.real("beta", 0.75))


@operator("CumSum")
def _cumulative_sum(s: Scope, x: Value, axis: Value) -> Value:
    s.real_only(x)
    along = s.axis(s.integers(axis, "the axis of a sum")[0], x.type.rank)
    exclusive, backwards = (bool(s.integer(name, 0)) for name in ("exclusive", "reverse"))
    return cumulative_sum(s, x, along, exclusive=exclusive, backwards=backwards)


@operator("Sign")
def _sign(s: Scope, x: Value) -> Value:
    s.real_only(x)
    return composites.sign(s, x)


@operator("Einsum")
def _einsum(s: Scope, *xs: Value) -> Value:
    s.real_only(*xs)
    return einsum(s, s.text("equation", ""), [s.restored(x) for x in xs])


@operator("LpNormalization")
def _lp_normalization(s: Scope, x: Value) -> Value:
    axis = s.axis(s.integer("axis", -1), x.type.rank)
    if s.integer("p", 2) != 2 or axis != x.type.rank - 1:
        raise UnsupportedOpError("normalization other than by the root of squares along the last axis")
    return s.result(ops.L2Normalization(), x)


@operator("MatMulInteger")
def _matmul_integer(s: Scope, a: Value, b: Value, _: Value | None = None, zero: Value | None = None) -> Value:
    """Of a file that quantizes as it runs: the real product, whose scale is multiplied in behind it."""
    return matmul(s, a, _centred(s, b, zero))


def _centred(s: Scope, weight: Value, zero: Value | None) -> Value:
    """Stored integers of a weight less their zero point."""
    data = s.data(weight, "the weight of a product of integers").astype(np.float32)
    return s.const(data if zero is None else data - s.data(zero, "a zero point"), "weight")
