"""Softmax of 16-bit rows, by two tables."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.errors import UnsupportedOpError
from edgetx.fixedpoint import Int, multiply_by_quantized_multiplier, quantize_multiplier
from edgetx.ir import Array, Node, QuantParams
from edgetx.ops.op import KernelCall, register
from edgetx.ops.quant_rule import QuantRule
from edgetx.ops.softmax import Softmax

STEPS = 512
LEAST = 10.0
"""exp(-10) is the least power that counts."""
RANGE = 65535
LONGEST = 1 << 16


@register
@dataclass(frozen=True)
class TableSoftmax(Softmax):
    """y = exp(beta · x) / Σ exp(beta · x) of int16 rows; y has scale 1/32768 and zero point 0.

    exp over [−10, 0] and 1 / (1 + s) over [0, 1] are tables of 513 entries with straight lines between, as in TFLite.
    """

    name: ClassVar[str] = "table_softmax"
    activation_bits: ClassVar[frozenset[int]] = frozenset({16})

    def int_ref(self, node: Node, *inputs: Array) -> tuple[Array, ...]:
        x = inputs[0].astype(np.int64)
        scaled = multiply_by_quantized_multiplier(x - x.max(-1, keepdims=True), *self.multiplier(node))
        powers = _looked_up(exp_table(), np.clip(scaled + 32767, -32768, 32767))
        total = powers.sum(-1, keepdims=True)
        headroom = 32 - np.floor(np.log2(total.astype(np.float64))).astype(np.int64) - 1
        shifted = ((total << (headroom - 1)) + (1 << 13)) >> 14
        factor = _looked_up(reciprocal_table(), np.clip(shifted - (1 << 15) - (1 << 16), -32768, 32767))
        shift = 31 - headroom
        y = (powers * factor + (np.int64(1) << (shift - 1))) >> shift
        return (np.clip(y, 0, 32767).astype(np.int16),)

    def multiplier(self, node: Node) -> tuple[int, int]:
        """Mantissa and shift that bring differences of 10 to 65535 steps."""
        x = node.inputs[0].type
        if x.shape[-1] >= LONGEST:
            raise UnsupportedOpError(f"softmax over {x.shape[-1]} values in 16 bits", where=node.name)
        return quantize_multiplier(x.scale * float(np.float32(self.beta)) / (LEAST / RANGE))

    def quant_rule(self) -> QuantRule:
        return QuantRule({16: QuantParams((1 / 32768,))})

    def to_c(self, node: Node) -> KernelCall:
        x = node.inputs[0]
        mantissa, shift = self.multiplier(node)
        width = x.shape[-1]
        params = {"rows": x.type.size // width, "width": width, "mantissa": mantissa, "shift": shift}
        tables = exp_table().astype(np.int16), reciprocal_table().astype(np.int16)
        return KernelCall("softmax_s16", params, (x, *tables), "softmax_s16", in_place=0)


def exp_table() -> Int:
    """exp over [−10, 0]."""
    return _table(LEAST / RANGE, 32767, np.exp)


def reciprocal_table() -> Int:
    """1 / (1 + s) over [0, 1]."""
    return _table(1.0 / RANGE, -32768, lambda s: 1 / (1 + s))


def _table(step: float, zero: int, function: Callable[[Array], Array]) -> Int:
    """TFLite's table of 16 bits: samples, corrected by half the error in the middle between two."""
    low, high = (np.float32(step) * np.float32(end - zero) for end in (-32768, 32767))
    width = (high - low) / np.float32(STEPS)
    at = np.asarray(low + np.arange(STEPS + 1, dtype=np.float32) * width)
    value = function(at) * np.float32(32768)
    middle = _rounded(function(at[:-1] + width / np.float32(2)) * np.float32(32768))
    sample = _rounded(value)
    between = _rounded((value[1:] + sample[:-1]) / np.float32(2))
    entries = np.append(sample[:-1] - _rounded((between - middle) / np.float32(2)), sample[-1])
    table: Int = np.clip(entries, -32768, 32767).astype(np.int64)
    return table


def _rounded(x: Array) -> Array:
    """To nearest, ties away from zero."""
    return np.asarray(np.trunc(x + np.copysign(np.float32(0.5), x)))


def _looked_up(table: Int, value: Int) -> Int:
    index, offset = 256 + (value >> 7), value & 127
    found: Int = table[index] + (((table[index + 1] - table[index]) * offset + 64) >> 7)
    return found
