"""Sums of products over named axes, as matrix products, products and sums."""

from collections.abc import Sequence

import numpy as np

from edgetx import ops
from edgetx.errors import UnsupportedOpError
from edgetx.frontends.builder import Builder
from edgetx.frontends.builder_scope import MAX_ELEMENTS
from edgetx.frontends.composites import total
from edgetx.ir import Value

HINT = "write it as MatMul, Transpose and Reshape"
OWN = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""Names of the axes that an ellipsis stands for; equations with upper case are not written by anybody."""


def einsum(s: Builder, equation: str, xs: Sequence[Value]) -> Value:
    """The operands one after the other; an axis is summed with the last operand that has it.

    Raises:
        UnsupportedOpError: If an operand has an axis twice, or the equation does not fit the operands.
    """
    terms, result = _parsed(equation, xs)
    x, term = xs[0], terms[0]
    for i, (y, other) in enumerate(zip(xs[1:], terms[1:], strict=True), 1):
        kept = set(result).union(*terms[i + 1 :])
        x, term = _contracted(s, x, term, y, other, kept)
    x, term = _summed(s, x, term, set(result))
    return _ordered(s, x, term, result)


def _parsed(equation: str, xs: Sequence[Value]) -> tuple[list[str], str]:
    """Axes of each operand and of the result, an ellipsis written out."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(xs):
        raise UnsupportedOpError(f"einsum '{equation}' of {len(xs)} operands")
    counts = [x.type.rank - len(t.replace("...", "")) for t, x in zip(terms, xs, strict=True)]
    terms = [t.replace("...", OWN[len(OWN) - n :]) if "..." in t else t for t, n in zip(terms, counts, strict=True)]
    most = max((n for t, n in zip(left.split(","), counts, strict=True) if "..." in t), default=0)
    joined = "".join(terms)
    if not arrow:
        right = "..." * bool(most) + "".join(sorted(c for c in set(joined) if joined.count(c) == 1 and c.islower()))
    result = right.replace("...", OWN[len(OWN) - most :] if most else "")
    fits = all(len(t) == x.type.rank and len(set(t)) == len(t) for t, x in zip(terms, xs, strict=True))
    if not fits or not set(result) <= set(joined) or len(set(result)) < len(result):
        raise UnsupportedOpError(f"einsum '{equation}' of {', '.join(str(x.shape) for x in xs)}", hint=HINT)
    return terms, result


def _contracted(s: Builder, x: Value, a: str, y: Value, b: str, kept: set[str]) -> tuple[Value, str]:
    """The product of two operands, summed over what neither the result nor a further operand has."""
    x, a = _summed(s, x, a, kept | set(b))
    y, b = _summed(s, y, b, kept | set(a))
    summed = [c for c in a if c in b and c not in kept]
    if not summed:
        return _multiplied(s, x, a, y, b)
    shared = [c for c in a if c in b and c in kept]
    rows, columns = [c for c in a if c not in b], [c for c in b if c not in a]
    product = s.op(ops.BatchMatmul(), _matrix(s, x, a, shared, rows, summed), _matrix(s, y, b, shared, summed, columns))
    sizes = dict(zip(b, y.shape, strict=True)) | dict(zip(a, x.shape, strict=True))
    axes = shared + rows + columns
    return _reshaped(s, product, [sizes[c] for c in axes]), "".join(axes)


def _multiplied(s: Builder, x: Value, a: str, y: Value, b: str) -> tuple[Value, str]:
    """Element by element, each operand repeated along the axes of the other."""
    axes = a + "".join(c for c in b if c not in a)
    aligned = []
    for value, term in ((x, a), (y, b)):
        sizes = dict(zip(term, value.shape, strict=True))
        ordered = _ordered(s, value, term, "".join(c for c in axes if c in term))
        aligned.append(_reshaped(s, ordered, [sizes.get(c, 1) for c in axes]))
    if np.prod(np.broadcast_shapes(*(v.shape for v in aligned)), dtype=object) > MAX_ELEMENTS:
        raise UnsupportedOpError("einsum with an absurdly large result")
    return s.op(ops.Mul(), *aligned), axes


def _matrix(s: Builder, x: Value, term: str, shared: list[str], first: list[str], second: list[str]) -> Value:
    sizes = dict(zip(term, x.shape, strict=True))
    moved = _ordered(s, x, term, "".join((*shared, *first, *second)))
    parts = (first, second)
    return _reshaped(s, moved, [*(sizes[c] for c in shared), *(int(np.prod([sizes[c] for c in p])) for p in parts)])


def _summed(s: Builder, x: Value, term: str, kept: set[str]) -> tuple[Value, str]:
    """Summed over the axes that nobody needs any more."""
    axes = tuple(i for i, c in enumerate(term) if c not in kept)
    if not axes:
        return x, term
    return total(s, x, axes), "".join(c for c in term if c in kept)


def _ordered(s: Builder, x: Value, term: str, wanted: str) -> Value:
    order = [term.index(c) for c in wanted]
    return x if order == sorted(order) else s.op(ops.Transpose(tuple(order)), x)


def _reshaped(s: Builder, x: Value, shape: Sequence[int]) -> Value:
    return x if tuple(shape) == x.shape else s.op(ops.Reshape(tuple(shape)), x)
