"""Hard swish."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.fixedpoint import Int, quantize_multiplier, rounding_shift_right, saturate, shift_half_up
from edgetx.ir import Array, Node
from edgetx.ops.op import OnnxBuilder, TfliteBuilder, register
from edgetx.ops.pointwise import INT8_VALUES, Pointwise


@register
@dataclass(frozen=True)
class HardSwish(Pointwise):
    """y = x · min(max(x + 3, 0), 6) / 6 (Howard et al. 2019)."""

    name: ClassVar[str] = "hard_swish"

    def function(self, x: Array) -> Array:
        return np.asarray(x * np.clip(x + 3, 0, 6) / 6)

    def is_builtin(self, node: Node) -> bool:
        """Whether TFLite's kernel takes the scales; it refuses results that are 128 times finer than operands."""
        return node.inputs[0].type.scale < 128 * node.output.type.scale

    def table(self, node: Node) -> Array:
        """The results in the 16-bit arithmetic of TFLite's reference kernel, exact where that does not apply."""
        if not self.is_builtin(node):
            return super().table(node)
        x, y = node.inputs[0].type, node.output.type
        fine = np.float32(1 / 128) * np.float32(x.scale)
        out_mantissa, out_shift = _multiplier(fine / np.float32(y.scale))
        gate_mantissa, gate_shift = _multiplier(fine / np.float32(3 / 32768))
        d = (INT8_VALUES.astype(np.int64) - x.zero_point) << 7
        gate = saturate(d << max(0, gate_shift - 1), "int16")
        gate = saturate(_high_mul(gate, gate_mantissa) << min(max(0, gate_shift), 1), "int16")
        gate = (rounding_shift_right(gate, max(0, -gate_shift)) + (1 << 15)) >> 1
        product = gate * _high_mul(d, out_mantissa)
        truncated = np.sign(product) * (np.abs(product) >> 15)
        return saturate(rounding_shift_right(truncated, -out_shift) + y.zero_point, "int8")

    def to_tflite(self, node: Node, b: TfliteBuilder) -> None:
        if self.is_builtin(node):
            b.op(node, "HARD_SWISH")
        else:
            super().to_tflite(node, b)

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        b.result(node, b.op("HardSwish", [b.real(node.inputs[0])]))


def _multiplier(real: np.float32) -> tuple[int, int]:
    """A 16-bit mantissa and a shift."""
    mantissa, shift = quantize_multiplier(float(real))
    return min((mantissa + (1 << 15)) >> 16, 0x7FFF), shift


def _high_mul(a: Int, b: int) -> Int:
    """(a · b) / 2**15 to nearest, ties upwards."""
    return shift_half_up(np.asarray(a, np.int64) * b, 15)
