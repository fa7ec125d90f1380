"""ATen ops on complex numbers, which are their real and imaginary parts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgetx import ops
from edgetx.errors import UnsupportedOpError
from edgetx.frontends.composites import along
from edgetx.frontends.torch.scope import HANDLERS, Scope, aten, normal_axis, reshape
from edgetx.ir import Array, Value

PARTWISE = (
    "alias", "cat", "clone", "contiguous", "expand", "flatten", "flip", "index_select", "mean", "movedim", "narrow",
    "neg", "permute", "reshape", "roll", "select", "slice", "split", "split_with_sizes", "squeeze", "stack", "sum", "t",
    "transpose", "unbind", "unflatten", "unsqueeze", "view", "constant_pad_nd", "pad", "getitem", "_unsafe_view",
)  # fmt: skip
"""Ops that do to both parts what they do to real numbers."""
COMPLEX: dict[str, Callable[..., Any]] = {}


@dataclass(frozen=True)
class Complex:
    """Real and imaginary parts of complex numbers."""

    real: Value
    imag: Value


def of_complex(*targets: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register the handler of ATen ops where an operand is complex."""

    def register(handler: Callable[..., Any]) -> Callable[..., Any]:
        COMPLEX.update(dict.fromkeys(targets, handler))
        return handler

    return register


def has_complex(arguments: Any) -> bool:
    """Whether complex numbers are among the arguments of an op."""
    if isinstance(arguments, list | tuple):
        return any(map(has_complex, arguments))
    return isinstance(arguments, Complex)


def call(s: Scope, target: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """The result of an op of which an operand is complex.

    Raises:
        UnsupportedOpError: If it has no meaning in parts.
    """
    if target in COMPLEX:
        return COMPLEX[target](s, *args, **kwargs)
    if target.split(".")[0] not in PARTWISE or target not in HANDLERS:
        raise UnsupportedOpError(f"{target} of complex numbers", hint="work on their parts: torch.view_as_real")
    handler: Callable[..., Any] = HANDLERS[target]
    real, imag = (handler(s, *_parts(args, part), **kwargs) for part in ("real", "imag"))
    return tuple(map(Complex, real, imag)) if isinstance(real, tuple) else Complex(real, imag)


def _parts(arguments: Any, part: str) -> Any:
    if isinstance(arguments, list | tuple):
        return [_parts(a, part) for a in arguments]
    return getattr(arguments, part) if isinstance(arguments, Complex) else arguments


@of_complex("add.Tensor", "sub.Tensor")
def _add(s: Scope, a: Any, b: Any) -> Complex:
    """One of the two may be real."""
    target = str(s.node.target).removeprefix("aten.")
    apply: Callable[..., Value] = HANDLERS[target]  # type: ignore[assignment]
    left, right = (x if isinstance(x, Complex) else Complex(x, x) for x in (a, b))
    real = apply(s, left.real, right.real)
    if not isinstance(b, Complex):
        return Complex(real, left.imag)
    if not isinstance(a, Complex):
        return Complex(real, right.imag if "add" in target else s.op(ops.Neg(), right.imag))
    return Complex(real, apply(s, left.imag, right.imag))


@of_complex("mul.Tensor", "mul.Scalar", "div.Tensor", "div.Scalar")
def _mul(s: Scope, a: Any, b: Any) -> Complex:
    target = str(s.node.target).removeprefix("aten.")
    multiply: Any = HANDLERS[target]
    if isinstance(b, complex):
        b = Complex(s.const(np.array([b.real]), "real"), s.const(np.array([b.imag]), "imag"))
    if not isinstance(b, Complex):
        return Complex(multiply(s, a.real, b), multiply(s, a.imag, b))
    if "div" in target:
        raise UnsupportedOpError("division by complex numbers", hint="multiply by the conjugate, divide by the square")
    if not isinstance(a, Complex):
        return Complex(multiply(s, b.real, a), multiply(s, b.imag, a))
    real = s.op(ops.Sub(), multiply(s, a.real, b.real), multiply(s, a.imag, b.imag))
    return Complex(real, s.op(ops.Add(), multiply(s, a.real, b.imag), multiply(s, a.imag, b.real)))


@of_complex("abs.default")
def _abs(s: Scope, x: Complex) -> Value:
    return s.op(ops.Hypot(), x.real, x.imag)


@of_complex("conj.default", "_conj.default", "resolve_conj.default", "_conj_physical.default")
def _conj(s: Scope, x: Complex) -> Complex:
    return x if "resolve" in str(s.node.target) else Complex(x.real, s.op(ops.Neg(), x.imag))


@of_complex("real.default", "imag.default")
def _part(s: Scope, x: Complex) -> Value:
    return x.real if "real" in str(s.node.target) else x.imag


@of_complex("view_as_real.default")
def _view_as_real(s: Scope, x: Complex) -> Value:
    parts = (reshape(s, part, (*part.shape, 1)) for part in (x.real, x.imag))
    return s.op(ops.Concatenation(x.real.type.rank), *parts)


@aten("view_as_complex.default")
def _view_as_complex(s: Scope, x: Value) -> Any:
    select: Any = HANDLERS["select.int"]
    return Complex(select(s, x, -1, 0), select(s, x, -1, 1))


@aten("complex.default")
def _complex(_: Scope, real: Value, imag: Value) -> Any:
    return Complex(real, imag)


@aten("_fft_r2c.default")
def _transform_real(s: Scope, x: Value, axes: Sequence[int], norm: int, onesided: bool) -> Any:
    axis, n = _only(x, axes)
    matrix = (np.fft.rfft if onesided else np.fft.fft)(np.eye(n)).T * _factor(norm, n)
    return Complex(along(s, x, axis, matrix.real), along(s, x, axis, matrix.imag))


@of_complex("_fft_c2r.default")
def _transform_back(s: Scope, x: Complex, axes: Sequence[int], norm: int, n: int) -> Value:
    axis, bins = _only(x.real, axes)
    of_real, of_imag = (np.fft.irfft(unit * np.eye(bins), n).T * n * _factor(norm, n) for unit in (1, 1j))
    return s.op(ops.Add(), along(s, x.real, axis, of_real), along(s, x.imag, axis, of_imag))


@of_complex("_fft_c2c.default")
def _transform(s: Scope, x: Complex, axes: Sequence[int], norm: int, forward: bool) -> Complex:
    axis, n = _only(x.real, axes)
    matrix = np.fft.fft(np.eye(n)).T * _factor(norm, n)
    turn: Array = matrix if forward else matrix.conj()
    real = s.op(ops.Sub(), along(s, x.real, axis, turn.real), along(s, x.imag, axis, turn.imag))
    imag = s.op(ops.Add(), along(s, x.real, axis, turn.imag), along(s, x.imag, axis, turn.real))
    return Complex(real, imag)


def _only(x: Value, axes: Sequence[int]) -> tuple[int, int]:
    if len(axes) != 1:
        raise UnsupportedOpError(f"a transform over {len(axes)} axes", hint="transform one axis after the other")
    axis = normal_axis(axes[0], x.type.rank)
    return axis, x.shape[axis]


def _factor(norm: int, n: int) -> float:
    """Torch's ways of normalizing: none, by the root of the length, by the length."""
    return (1.0, n**-0.5, 1.0 / n)[norm]
