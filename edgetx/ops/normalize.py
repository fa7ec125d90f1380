"""Integer row normalization shared by layer_norm and rms_norm.

For a row of n integers d (zero point removed) the normalized value is c_i / sqrt(v), where, in exact integers,
c = n·d − Σd and v = n·Σd² − (Σd)² with centring, and c = n·d, v = n·Σd² without; epsilon is added to v with 8 fraction
bits. The reciprocal of the root is taken once per row by an integer square root and one division, with as many bits as
keep every product within 32 bits (64 for rows of int16). Where v is 0, so is c.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgetx.errors import UnsupportedOpError
from edgetx.fixedpoint import Int, bit_length, quantize, shift_half_up
from edgetx.ir import Array, Node, QuantParams, TensorType, Value
from edgetx.ops.op import KERNEL_SUFFIX, KernelCall

MAX_WIDTH = 2048
EPSILON_BITS = 8
ROOT_BITS = 16
OFFSET_MAX = 1 << 29
"""Far beyond the range of any result, and small enough that sums stay within 32 bits."""


@dataclass(frozen=True)
class NormFormat:
    """Fixed-point formats of one normalization.

    Attributes:
        root_bits: Bits of the reciprocal root.
        normal_bits: Fraction bits of the normalized row; its magnitude is below sqrt(width), so 16 bits hold it.
    """

    root_bits: int
    normal_bits: int

    @classmethod
    def of(cls, x: TensorType) -> "NormFormat":
        """The formats for rows of `x`."""
        width = x.shape[-1]
        if width > MAX_WIDTH:
            raise UnsupportedOpError(f"integer normalization of {width} values, at most {MAX_WIDTH}")
        peak = width * (x.qmax - x.qmin)
        root_bits = ROOT_BITS if x.dtype == "int16" else min(ROOT_BITS, 31 - peak.bit_length())
        return cls(root_bits, 15 - math.ceil(math.log2(math.sqrt(width) + 1)))


def gain_exponent(gamma: Array, x: TensorType, out: TensorType) -> int:
    """The least j for which gamma / (scale(y) · 2**j) fits 16 bits and results, before the last shift, 30 bits.

    A gamma so large that every result saturates is cut, so that the last shift stays one to the right.
    """
    peak = max(float(np.abs(gamma).max()), 1e-30)
    normal_bits = NormFormat.of(x).normal_bits
    result_bits = 8 * out.nbytes // out.size
    return min(max(math.ceil(math.log2(peak / (out.scale * 32767))), normal_bits - (29 - result_bits)), normal_bits)


@dataclass(frozen=True)
class Gain:
    """Gamma: int16, its scale that of the result times a power of two, so that the last step is a shift."""

    def quantize(self, data: Array, inputs: Sequence[TensorType], output: TensorType) -> tuple[Array, QuantParams]:
        """Use all 16 bits."""
        scale = math.ldexp(output.scale, gain_exponent(data, inputs[0], output))
        return quantize(data, scale, 0, "int16"), QuantParams((scale,))


@dataclass(frozen=True)
class Offset:
    """Beta: int32, in units of the product of gamma and the normalized row, within 30 bits like that product."""

    gain: int = 1

    def quantize(self, data: Array, inputs: Sequence[TensorType], output: TensorType) -> tuple[Array, QuantParams]:
        """Scale of gamma times that of the normalized row."""
        scale = math.ldexp(inputs[self.gain].scale, -NormFormat.of(inputs[0]).normal_bits)
        limit = scale * OFFSET_MAX
        return quantize(np.clip(data, -limit, limit), scale, 0, "int32"), QuantParams((scale,))


def epsilon_units(x: TensorType, epsilon: float) -> int:
    """Epsilon in the units of v, with its fraction bits."""
    return round(epsilon * (x.shape[-1] / x.scale) ** 2 * (1 << EPSILON_BITS))


def reciprocal_root(v: Int, bits: int) -> tuple[Int, Int]:
    """1 / sqrt(v) as r · 2**-e with r of `bits` bits, for v in 1..2**62.

    Returns:
        r and e.
    """
    even = (bit_length(v) - 31) // 2 * 2
    mantissa = np.where(even >= 0, v >> np.maximum(even, 0), v << np.maximum(-even, 0))
    root = np.floor(np.sqrt(mantissa)).astype(np.int64)
    return ((1 << 31) // root) >> (ROOT_BITS - bits), even // 2 + 31 - (ROOT_BITS - bits)


def normalize(node: Node, x: Array, gamma: Array, beta: Array, *, center: bool, epsilon: float) -> Array:
    """The integer normalization of the last axis."""
    x_type, out = node.inputs[0].type, node.output.type
    form = NormFormat.of(x_type)
    d = x.astype(np.int64) - x_type.zero_point
    width = d.shape[-1]
    total = d.sum(-1, keepdims=True) if center else np.zeros((*d.shape[:-1], 1), np.int64)
    v = np.maximum(width * (d * d).sum(-1, keepdims=True) - total * total, 1)
    root, exponent = reciprocal_root((v << EPSILON_BITS) + epsilon_units(x_type, epsilon), form.root_bits)
    normal = shift_half_up((width * d - total) * root, exponent - EPSILON_BITS // 2 - form.normal_bits)
    acc = normal * gamma + beta
    y = shift_half_up(acc, output_shift(node)) + out.zero_point
    return np.clip(y, out.qmin, out.qmax).astype(out.dtype)


def output_shift(node: Node) -> int:
    """The shift that takes gamma · normal to the scale of the result."""
    exponent = round(math.log2(node.inputs[1].type.scale / node.output.type.scale))
    return NormFormat.of(node.inputs[0].type).normal_bits - exponent


def norm_call(node: Node, beta: Array | None, *, center: bool, epsilon: float) -> KernelCall:
    """The kernel for either normalization; `beta` replaces an operand that the node lacks."""
    x, out = node.inputs[0].type, node.output.type
    form = NormFormat.of(x)
    params = {
        "rows": x.size // x.shape[-1],
        "width": x.shape[-1],
        "center": int(center),
        "input_offset": -x.zero_point,
        "output_offset": out.zero_point,
        "epsilon": epsilon_units(x, epsilon),
        "root_bits": form.root_bits,
        "normal_bits": form.normal_bits,
        "output_shift": output_shift(node),
    }
    operands: tuple[Value | Array, ...] = node.inputs if beta is None else (*node.inputs, beta)
    return KernelCall(f"layer_norm_{KERNEL_SUFFIX[x.dtype]}", params, operands, in_place=0)
