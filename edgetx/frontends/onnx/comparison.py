"""ONNX comparisons of what is computed: truths are the real numbers 0 and 1."""

import numpy as np

from edgetx import ops
from edgetx.frontends import truths
from edgetx.frontends.onnx.scope import Scope, operator
from edgetx.ir import Value

RELATIONS = {
    "Greater": "greater", "GreaterOrEqual": "greater_equal", "Less": "less", "LessOrEqual": "less_equal",
}  # fmt: skip


@operator(*RELATIONS)
def _compare(s: Scope, a: Value, b: Value) -> Value:
    s.real_only(a, b)
    return truths.compared(s, RELATIONS[s.node.op_type], *map(s.real_constant, (a, b)))


@operator("Equal")
def _equal(s: Scope, a: Value, b: Value) -> Value:
    s.real_only(a, b)
    return truths.negated(s, truths.different(s, *map(s.real_constant, (a, b))))


@operator("Xor")
def _either(s: Scope, a: Value, b: Value) -> Value:
    return truths.different(s, *map(s.real_constant, (a, b)))


@operator("IsNaN", "IsInf")
def _never(s: Scope, x: Value) -> Value:
    """Integers stand for finite numbers only."""
    return s.const(np.zeros(x.shape, np.float32), "never")


@operator("And", "Or")
def _combine(s: Scope, a: Value, b: Value) -> Value:
    return s.op(ops.Mul() if s.node.op_type == "And" else ops.Maximum(), *map(s.real_constant, (a, b)))


@operator("Not")
def _not(s: Scope, x: Value) -> Value:
    return truths.negated(s, x)


@operator("Where")
def _where(s: Scope, condition: Value, a: Value, b: Value) -> Value:
    s.real_only(a, b)
    return truths.chosen(s, *map(s.real_constant, (condition, a, b)))
