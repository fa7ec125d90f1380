"""Softmax over the last axis."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.errors import UnsupportedOpError
from edgetx.fixedpoint import Int, quantize_multiplier, rounding_doubling_high_mul, rounding_shift_right, saturate
from edgetx.fixedpoint_math import exp_on_negative_values, input_radius, reciprocal
from edgetx.ir import Array, Arrays, Node, QuantParams, TensorType
from edgetx.ir.types import DTYPE_BYTES
from edgetx.ops.op import Cost, KernelCall, OnnxBuilder, Op, TfliteBuilder, register
from edgetx.ops.quant_rule import QuantRule

DIFFERENCE_BITS = 5
"""Integer bits of differences from the row's maximum."""
SUM_BITS = 12
"""Integer bits of sums, which limits the length of rows."""


@register
@dataclass(frozen=True)
class Softmax(Op):
    """y = exp(beta · x) / Σ exp(beta · x); in 8 bits y has scale 1/256 and zero point −128."""

    name: ClassVar[str] = "softmax"
    kernel: ClassVar[str] = "softmax_s8"
    in_place: ClassVar[int | None] = 0

    beta: float = 1.0

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        (x,) = inputs
        return (TensorType(x.shape),)

    def float_ref(self, *inputs: Array) -> Arrays:
        (x,) = inputs
        powers = np.exp(self.beta * (x - x.max(-1, keepdims=True)))
        return ((powers / powers.sum(-1, keepdims=True)).astype(np.float32),)

    def scaling(self, node: Node) -> tuple[int, int, int]:
        """Mantissa and shift that give differences 5 integer bits, and the least difference that counts."""
        x = node.inputs[0].type
        if x.shape[-1] >= 1 << SUM_BITS:
            raise UnsupportedOpError(f"softmax over {x.shape[-1]} values in 8 bits", where=node.name)
        real = float(np.float32(self.beta)) * x.scale * (1 << (31 - DIFFERENCE_BITS))
        mantissa, shift = quantize_multiplier(min(real, 2.0**31 - 1))
        return mantissa, shift, -input_radius(DIFFERENCE_BITS, shift)

    def int_ref(self, node: Node, *inputs: Array) -> Arrays:
        mantissa, shift, least = self.scaling(node)
        x = inputs[0].astype(np.int64)
        difference = x - x.max(-1, keepdims=True)
        counts = difference >= least
        powers = np.where(counts, _powers(np.where(counts, difference, 0), mantissa, shift), 0)
        total = rounding_shift_right(powers, SUM_BITS).sum(-1, keepdims=True)
        factor, excess = reciprocal(total, SUM_BITS)
        out = node.output.type
        bits = 8 * DTYPE_BYTES[out.dtype]
        y = rounding_shift_right(rounding_doubling_high_mul(factor, powers), excess + 31 - bits) + out.qmin
        return (saturate(y, out.dtype),)

    def quant_rule(self) -> QuantRule:
        return QuantRule({8: QuantParams((1 / 256,), -128)})

    def cost(self, node: Node) -> Cost:
        return Cost(elementwise=3 * node.output.type.size)

    def to_tflite(self, node: Node, b: TfliteBuilder) -> None:
        b.op(node, "SOFTMAX", options={"Beta": self.beta})

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        x = b.real(node.inputs[0])
        scaled = x if self.beta == 1 else b.op("Mul", [x, b.const(np.array(self.beta, np.float32))])
        b.result(node, b.op("Softmax", [scaled], {"axis": -1}))

    def to_c(self, node: Node) -> KernelCall:
        x = node.inputs[0]
        mantissa, shift, least = self.scaling(node)
        width = x.shape[-1]
        params = {
            "rows": x.type.size // width,
            "width": width,
            "mantissa": mantissa,
            "shift": shift,
            "least_difference": least,
        }
        table = _powers(-np.arange(min(-least, 255) + 1), mantissa, shift).astype(np.int32)
        if self.kernel == "softmax_s8" and x.type.size >= table.size:  # a word of flash saves a hundred cycles
            params = {"rows": params["rows"], "width": width, "entries": table.size}
            return KernelCall("softmax_table_s8", params, (x, table), in_place=self.in_place)
        return KernelCall(self.kernel, params, node.inputs, "softmax", in_place=self.in_place)


def _powers(difference: Int, mantissa: int, shift: int) -> Int:
    """exp of differences from the row's maximum, without integer bits."""
    scaled = rounding_doubling_high_mul(np.asarray(difference, np.int64) << shift, mantissa)
    return exp_on_negative_values(scaled, DIFFERENCE_BITS)
