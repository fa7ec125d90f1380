"""Natural logarithm."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.fixedpoint import Int, bit_length, quantize_multiplier, requantize, shift_half_up
from edgetx.ir import Array, Arrays, Node
from edgetx.ops.op import KernelCall, OnnxBuilder, TfliteBuilder, register
from edgetx.ops.pointwise import Pointwise

SEGMENT_BITS = 9
LOG2_TABLE = np.rint(np.log2(1 + np.arange(65) / 64) * 65536).astype(np.int32)
"""log2 between 1 and 2 in Q16, at the ends of 64 segments; a chord is off by at most 4.4e-5."""


def log2_q16(v: Int) -> Int:
    """log2(v) in Q16, for v in 1..2**16 − 1."""
    whole = bit_length(v) - 1
    fraction = (v << (15 - whole)) - (1 << 15)
    segment, rest = fraction >> SEGMENT_BITS, fraction & ((1 << SEGMENT_BITS) - 1)
    low, high = LOG2_TABLE[segment].astype(np.int64), LOG2_TABLE[segment + 1].astype(np.int64)
    return np.asarray((whole << 16) + low + shift_half_up((high - low) * rest, SEGMENT_BITS))


@register
@dataclass(frozen=True)
class Log(Pointwise):
    """y = log(x); 0 and below count as the least positive number, in 16 bits as half a step of x."""

    name: ClassVar[str] = "log"
    activation_bits: ClassVar[frozenset[int]] = frozenset({8, 16})
    wide: ClassVar[bool] = True

    def function(self, x: Array) -> Array:
        return np.asarray(np.log(np.maximum(x, np.finfo(np.float32).tiny)))

    def params(self, node: Node) -> dict[str, int]:
        """Parameters of the 16-bit form: y = requantize(log2(2x / step) + input_offset)."""
        x, y = node.inputs[0].type, node.output.type
        mantissa, shift = quantize_multiplier(math.log(2) / 65536 / y.scale)
        offset = round(65536 * math.log2(x.scale / 2))
        return {"input_offset": offset, "mantissa": mantissa, "shift": shift, "output_offset": y.zero_point}

    def int_ref(self, node: Node, *inputs: Array) -> Arrays:
        (x,) = inputs
        if x.dtype != np.int16:
            return super().int_ref(node, x)
        p = self.params(node)
        halves = np.maximum(2 * x.astype(np.int64), 1)
        log2 = log2_q16(halves) + p["input_offset"]
        return (requantize(log2, p["mantissa"], p["shift"], p["output_offset"], -(2**15), 2**15 - 1, "int16"),)

    def to_tflite(self, node: Node, b: TfliteBuilder) -> None:
        if node.output.type.dtype == "int16":
            raise self.unsupported(node, "16-bit TFLite")
        super().to_tflite(node, b)

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        x = node.inputs[0].type
        least = x.scale / 2 if x.dtype == "int16" else float(np.finfo(np.float32).tiny)
        b.result(node, b.op("Log", [b.op("Max", [b.real(node.inputs[0]), b.const(np.array(least, np.float32))])]))

    def to_c(self, node: Node) -> KernelCall:
        x = node.inputs[0]
        if x.type.dtype != "int16":
            return super().to_c(node)
        return KernelCall("log_s16", {"size": x.type.size, **self.params(node)}, (x, LOG2_TABLE), in_place=0)
