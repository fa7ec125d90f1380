"""ONNX arithmetic, reductions and matrix products."""

import numpy as np

from edgetx import ops
from edgetx.errors import UnsupportedOpError
from edgetx.frontends.composites import cumulative_sum
from edgetx.frontends.onnx.scope import Scope, operator
from edgetx.ir import Value

BINARY: dict[str, type[ops.Op]] = {
    "Add": ops.Add, "Sub": ops.Sub, "Mul": ops.Mul, "Max": ops.Maximum, "Min": ops.Minimum, "Sum": ops.Add,
}  # fmt: skip


@operator(*BINARY)
def _binary(s: Scope, first: Value, *others: Value) -> Value:
    """Where order means nothing, a constant comes second."""
    total = first
    for other in others:
        is_swapped = s.node.op_type != "Sub" and total.name in s.builder.consts
        total = s.result(BINARY[s.node.op_type](), *((other, total) if is_swapped else (total, other)))
    return total


@operator("Div")
def _div(s: Scope, a: Value, b: Value) -> Value:
    data = s.builder.consts.get(b.name)
    if data is not None and data.dtype.kind == "f":
        return s.result(ops.Mul(), a, s.const(1 / data, "reciprocal"))
    s.real_only(a, b)
    return s.result(ops.Mul(), a, s.op(ops.Power(-1.0), b))


@operator("Reciprocal")
def _reciprocal(s: Scope, x: Value) -> Value:
    return s.result(ops.Power(-1.0), x)


@operator("Pow")
def _pow(s: Scope, x: Value, exponent: Value) -> Value:
    data = s.data(exponent, "the exponent of a power")
    if data.size != 1:
        raise UnsupportedOpError("power with several exponents")
    power = float(data.item())
    return s.result(ops.Square() if power == 2 else ops.Power(power), x)


@operator("MatMul")
def matmul(s: Scope, a: Value, b: Value) -> Value:
    """Product of matrices; a constant right operand makes a layer of it."""
    weight = s.builder.consts.get(b.name)
    if weight is None or weight.ndim != 2:
        return s.result(ops.BatchMatmul(), a, b)
    axis = None if b.type.quant is None or b.type.quant.axis is None else 1 - b.type.quant.axis
    return s.result(ops.FullyConnected(), a, s.moved(b, weight.T.copy(), axis))


@operator("Gemm")
def _gemm(s: Scope, a: Value, b: Value, c: Value | None = None) -> Value:
    if (s.real("alpha", 1), s.real("beta", 1), s.integer("transA", 0)) != (1, 1, 0):
        raise UnsupportedOpError("Gemm with alpha, beta or transA")
    weight = s.data(b, "the weight of Gemm")
    transposed = bool(s.integer("transB", 0))
    axis = None if b.type.quant is None or b.type.quant.axis is None else b.type.quant.axis ^ (not transposed)
    w = s.moved(b, weight if transposed else weight.T.copy(), axis)
    return s.result(ops.FullyConnected(), a, w, *([s.bias(c, a, w)] if c else []))


@operator("ReduceMean", "ReduceMax", "ReduceSum", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceSumSquare")
def _reduction(s: Scope, x: Value, axes: Value | None = None) -> Value:
    listed, kind = s.listed("axes", axes), s.node.op_type
    if listed is None and s.integer("noop_with_empty_axes", 0):
        return x
    over = tuple(sorted({s.axis(a, x.type.rank) for a in (listed or range(x.type.rank))}))
    keepdims = bool(s.integer("keepdims", 1))
    if kind == "ReduceMean":
        return s.result(ops.Mean(over, keepdims), x)
    if kind == "ReduceMax":
        return s.result(ops.ReduceMax(over, keepdims), x)
    s.real_only(x)
    if kind == "ReduceMin":
        return s.op(ops.Neg(), s.op(ops.ReduceMax(over, keepdims), s.op(ops.Neg(), x)))
    mean = ops.Mean(over, keepdims)
    before: dict[str, ops.Op] = {"ReduceL1": ops.Abs(), "ReduceL2": ops.Square(), "ReduceSumSquare": ops.Square()}
    y = s.op(mean, s.op(before[kind], x) if kind in before else x)
    total = s.op(ops.Mul(), y, s.scalar(mean.count(x.type)))
    return s.op(ops.Sqrt(), total) if kind == "ReduceL2" else total


@operator("CumSum")
def _cumulative_sum(s: Scope, x: Value, axis: Value) -> Value:
    s.real_only(x)
    along = s.axis(s.integers(axis, "the axis of a sum")[0], x.type.rank)
    exclusive, backwards = (bool(s.integer(name, 0)) for name in ("exclusive", "reverse"))
    return cumulative_sum(s, x, along, exclusive=exclusive, backwards=backwards)


@operator("Sign")
def _sign(s: Scope, x: Value) -> Value:
    s.real_only(x)
    return s.op(ops.Sub(), s.op(ops.Step(), x), s.op(ops.Step(), s.op(ops.Neg(), x)))


@operator("Einsum")
def _einsum(s: Scope, *xs: Value) -> Value:
    """A product of matrices over leading axes that both operands have."""
    s.real_only(*xs)
    left, _, right = s.text("equation", "").replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != 2 or len(xs) != 2 or not right or "." in left or any(len(set(t)) < len(t) for t in terms):
        raise UnsupportedOpError(f"einsum '{left}->{right}'", hint="write it as MatMul, Transpose and Reshape")
    a, b = terms
    shared = [c for c in a if c in b and c in right]
    summed = [c for c in a if c in b and c not in right]
    rows, columns = ([c for c in own if c not in other] for own, other in ((a, b), (b, a)))
    sizes = {c: n for term, x in zip(terms, xs, strict=True) for c, n in zip(term, x.shape, strict=True)}
    if sorted(right) != sorted(shared + rows + columns):
        raise UnsupportedOpError(f"einsum '{left}->{right}'", hint="sum with ReduceSum")

    def size(axes: list[str]) -> int:
        return int(np.prod([sizes[c] for c in axes], dtype=object))

    def matrix(x: Value, term: str, first: list[str], second: list[str]) -> Value:
        moved = s.transpose(x, [term.index(c) for c in (*shared, *first, *second)])
        return s.reshape(moved, (*(sizes[c] for c in shared), size(first), size(second)))

    product = s.op(ops.BatchMatmul(), matrix(xs[0], a, rows, summed), matrix(xs[1], b, summed, columns))
    axes = shared + rows + columns
    return s.transpose(s.reshape(product, [sizes[c] for c in axes]), [axes.index(c) for c in right])


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
