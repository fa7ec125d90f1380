"""Softmax attention as one op."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.errors import ModelError
from edgetx.fixedpoint import (
    INT32_MAX,
    Int,
    bit_length,
    integer_matmul,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    shift_half_up,
)
from edgetx.ir import Array, Arrays, Node, TensorType
from edgetx.ops.op import Cost, KernelCall, OnnxBuilder, Op, register
from edgetx.ops.quant_rule import QuantRule

EXP2_COEFFICIENTS = (32767, 22665, 7579, 1298)
"""Q15 coefficients c of 2**-f ≈ c0 − f·(c1 − f·(c2 − f·c3)) on [0, 1]; minimax
with the value at 1 held at one half, within 7.4e-5."""


Span = tuple[int, int]
"""How many keys before and after its own place a query sees."""
HIDDEN = -1e9
"""What a mask adds to a score to hide a key; a single-precision number."""
HIDES = -90.0
"""What is added to a score and leaves a key no weight that single precision can tell from none."""
WEIGHTLESS = 16
"""Octaves below the largest score from which on a weight is 0."""
MARGIN = 1 + 2**-30
"""Keeps what doubles round off from the bounds of 31 and 32 bits."""


@dataclass(frozen=True)
class AttentionFormat:
    """Fixed-point formats of one attention; see `Attention` for the arithmetic."""

    difference_max: int
    score_mantissa: int
    score_shift: int
    weight_shift: int
    output_mantissa: int
    output_shift: int

    @classmethod
    def of(cls, node: Node) -> "AttentionFormat":
        """Formats from the scales of operands and result."""
        q, k, v = (value.type for value in node.inputs)
        assert isinstance(node.op, Attention)
        head_size = q.shape[-1] // node.op.heads
        octaves = min(q.scale * k.scale * node.op.scale / math.log(2), WEIGHTLESS)
        reach = 2 * 128 * 128 * head_size
        largest = min(math.floor(WEIGHTLESS / octaves), reach)
        weight_shift = max(0, (node.op.seen(k.shape[-2]) - 1).bit_length() - 8)
        farthest = octaves * (largest + 1) * MARGIN
        # a product has 31 bits; 32 hold it and the 16 places of a weight with what else a kernel shifts it by
        score_shift = max(math.floor(math.log2(min(2**15 / farthest, 2**16 / (farthest + 16 + weight_shift)))), 0)
        score_mantissa = min(math.floor(octaves * 2 ** (16 + score_shift)), INT32_MAX)
        mantissa, shift = quantize_multiplier(v.scale / node.output.type.scale)
        return cls(
            difference_max=min(((WEIGHTLESS << 16 + score_shift) - 1) // max(score_mantissa, 1), reach),
            score_mantissa=score_mantissa,
            score_shift=score_shift,
            weight_shift=weight_shift,
            output_mantissa=mantissa,
            output_shift=shift,
        )


@register
@dataclass(frozen=True)
class Attention(Op):
    """y = softmax(scale · q kᵀ) v per head; q [1, S, heads·d], k and v [1, T, heads·d], y like q.

    In integers, row by row, without ever storing the S × T map: differences of each score from the row's maximum become
    powers of two in Q16; 2**-fraction is a cubic in Q15; the weights stay unnormalized until the weighted sum of v is
    complete, which is then divided by their sum through one 16-bit reciprocal per row.

    Attributes:
        heads: Number of heads.
        scale: Factor of the scores.
        span: The keys that a query sees; None for all.
        first: Place of the first query among the keys.
    """

    name: ClassVar[str] = "attention"

    heads: int
    scale: float
    span: Span | None = None
    first: int = 0

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        q, k, v = inputs
        if k.shape != v.shape or q.shape[-1] != k.shape[-1] or q.shape[-1] % self.heads:
            raise ModelError(f"attention with {self.heads} heads over q {q.shape}, k {k.shape}, v {v.shape}")
        return (TensorType(q.shape),)

    def visible(self, queries: int, keys: int) -> Array | None:
        """Which keys each query sees, queries × keys; None if all see all."""
        if self.span is None:
            return None
        offset = np.arange(keys) - np.arange(queries)[:, None] - self.first
        return np.asarray((offset >= -self.span[0]) & (offset <= self.span[1]))

    def seen(self, keys: int) -> int:
        """Keys that a query sees at most, out of so many."""
        return keys if self.span is None else sum(self.span) + 1

    def split_heads(self, x: Array) -> Array:
        """[1, S, heads·d] to [heads, S, d]."""
        return np.moveaxis(x.reshape(x.shape[-2], self.heads, -1), 1, 0)

    def merge_heads(self, x: Array) -> Array:
        """[heads, S, d] to [1, S, heads·d]."""
        return np.moveaxis(x, 0, 1).reshape(1, x.shape[1], -1)

    def float_ref(self, *inputs: Array) -> Arrays:
        q, k, v = map(self.split_heads, inputs)
        scores = q @ np.swapaxes(k, -1, -2) * self.scale
        if (visible := self.visible(*scores.shape[1:])) is not None:
            scores = np.where(visible, scores, -np.inf)
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        return (self.merge_heads(weights @ v).astype(np.float32),)

    def int_ref(self, node: Node, *inputs: Array) -> Arrays:
        form = AttentionFormat.of(node)
        out = node.output.type
        q, k, v = (self.split_heads(x.astype(np.int64)) for x in inputs)
        scores = integer_matmul(q, np.swapaxes(k, -1, -2))
        if (visible := self.visible(*scores.shape[1:])) is not None:
            scores = np.where(visible, scores, -(2**31))
        difference = scores.max(-1, keepdims=True) - scores
        octaves = np.minimum(difference, form.difference_max) * form.score_mantissa >> form.score_shift
        weights = np.where(difference > form.difference_max, 0, exp2_negative(octaves, form.weight_shift))
        mantissa, shift = row_multiplier(weights.sum(-1, keepdims=True), form)
        y = multiply_by_quantized_multiplier(integer_matmul(weights, v), mantissa, shift) + out.zero_point
        return (self.merge_heads(np.clip(y, out.qmin, out.qmax).astype(np.int8)),)

    def quant_rule(self) -> QuantRule:
        return QuantRule(symmetric=(0, 1, 2))

    def cost(self, node: Node) -> Cost:
        scores = node.inputs[0].shape[-2] * min(self.seen(keys := node.inputs[1].shape[-2]), keys)
        return Cost(macs=2 * scores * node.output.shape[-1], elementwise=scores * self.heads + node.output.type.size)

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        q, k, v = map(b.real, node.inputs)
        size = node.output.shape[-1] // self.heads

        def split(x: str, length: int, perm: list[int]) -> str:
            shape = b.const(np.array([length, self.heads, size], np.int64))
            return b.op("Transpose", [b.op("Reshape", [x, shape])], {"perm": perm})

        length, keys = node.inputs[0].shape[-2], node.inputs[1].shape[-2]
        scores = b.op("MatMul", [split(q, length, [1, 0, 2]), split(k, keys, [1, 2, 0])])
        scaled = b.op("Mul", [scores, b.const(np.array(self.scale, np.float32))])
        if (visible := self.visible(length, keys)) is not None:
            scaled = b.op("Add", [scaled, b.const(np.where(visible, 0, HIDDEN).astype(np.float32))])
        y = b.op("MatMul", [b.op("Softmax", [scaled], {"axis": -1}), split(v, keys, [1, 0, 2])])
        merged = b.op("Transpose", [y], {"perm": [1, 0, 2]})
        b.result(node, b.op("Reshape", [merged, b.const(np.array(node.output.shape, np.int64))]))

    def to_c(self, node: Node) -> KernelCall:
        form = AttentionFormat.of(node)
        q, k, _ = node.inputs
        everywhere = self.first + max(q.shape[-2], k.shape[-2])
        params = {
            "query_length": q.shape[-2],
            "key_length": k.shape[-2],
            "heads": self.heads,
            "head_size": q.shape[-1] // self.heads,
            "look_back": everywhere if self.span is None else self.span[0],
            "look_ahead": everywhere if self.span is None else self.span[1],
            "first": self.first,
            **vars(form),
            "output_offset": node.output.type.zero_point,
        }
        return KernelCall("attention_s8", params, node.inputs, scratch_bytes=4 * k.shape[-2], in_place=0)


def span_of(visible: Array) -> Span | None:
    """The span of a square mask, queries × keys; None if it is not a band around the diagonal."""
    if visible.ndim != 2 or visible.shape[0] != visible.shape[1] or not visible.any():
        return None
    offset = np.arange(len(visible)) - np.arange(len(visible))[:, None]
    before, after = int(max(0, -offset[visible].min())), int(max(0, offset[visible].max()))
    return (before, after) if (visible == ((offset >= -before) & (offset <= after))).all() else None


def visible_keys(mask: Array) -> Array | None:
    """Which keys each query sees, queries × keys, by what is added to the scores; None if that does anything else.

    Args:
        mask: [..., queries, keys], the same for every head.
    """
    if mask.ndim < 2 or not mask.size:
        return None
    maps = mask.reshape(-1, *mask.shape[-2:])
    visible = np.asarray(maps[0] > HIDES)
    return visible if (maps == maps[0]).all() and not maps[0][visible].any() else None


def exp2_negative(octaves: Int, shift: int = 0) -> Int:
    """2**(-x - shift) in Q15 for x in Q16, 0 <= x + shift < 31; rounded once."""
    c0, c1, c2, c3 = EXP2_COEFFICIENTS
    fraction = octaves & 0xFFFF
    inner = c2 - (fraction * c3 >> 16)
    middle = c1 - (fraction * inner >> 16)
    return shift_half_up(c0 - (fraction * middle >> 16), (octaves >> 16) + shift)


def row_multiplier(total: Int, form: AttentionFormat) -> tuple[Int, Int]:
    """Mantissa and shift of output_scale / total, by one division of 31 by 16 bits."""
    normal = 32 - bit_length(total)
    reciprocal = (1 << 31) // ((total << normal) >> 16)
    mantissa = np.minimum(form.output_mantissa * reciprocal >> 16, INT32_MAX)
    return mantissa, np.maximum(form.output_shift + normal - 31, -31)
