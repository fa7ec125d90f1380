"""ONNX arithmetic, reductions and matrix products."""

from edgetx import ops
from edgetx.errors import UnsupportedOpError
from edgetx.frontends.onnx.scope import Scope, operator
from edgetx.ir import Value

BINARY: dict[str, type[ops.Op]] = {
    "Add": ops.Add, "Sub": ops.Sub, "Mul": ops.Mul, "Max": ops.Maximum, "Min": ops.Minimum, "Sum": ops.Add,
}  # fmt: skip


@operator(*BINARY)
def _binary(s: Scope, first: Value, *others: Value) -> Value:
    total = first
    for other in others:
        total = s.result(BINARY[s.node.op_type](), total, other)
    return total


@operator("Div")
def _div(s: Scope, a: Value, b: Value) -> Value:
    data = s.builder.consts.get(b.name)
    if data is not None and data.dtype.kind == "f":
        return s.result(ops.Mul(), a, s.const(1 / data, "reciprocal"))
    _float_only(s, a, b)
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


@operator("ReduceMean", "ReduceMax", "ReduceSum", "ReduceMin")
def _reduction(s: Scope, x: Value, axes: Value | None = None) -> Value:
    listed = s.listed("axes", axes)
    over = tuple(sorted(s.axis(a, x.type.rank) for a in (range(x.type.rank) if listed is None else listed)))
    keepdims = bool(s.integer("keepdims", 1))
    if s.node.op_type == "ReduceMean":
        return s.result(ops.Mean(over, keepdims), x)
    if s.node.op_type == "ReduceMax":
        return s.result(ops.ReduceMax(over, keepdims), x)
    _float_only(s, x)
    if s.node.op_type == "ReduceSum":
        mean = ops.Mean(over, keepdims)
        return s.op(ops.Mul(), s.op(mean, x), s.scalar(mean.count(x.type)))
    return s.op(ops.Neg(), s.op(ops.ReduceMax(over, keepdims), s.op(ops.Neg(), x)))


def _float_only(s: Scope, *xs: Value) -> None:
    if any(x.type.quant for x in xs):
        raise UnsupportedOpError(f"{s.node.op_type} of integers")
