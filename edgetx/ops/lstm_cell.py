"""One step of a long short-term memory."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx import fixedpoint16
from edgetx.errors import ModelError, QuantError
from edgetx.fixedpoint import (
    Int,
    integer_matmul,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    quantize_multipliers,
    rounding_shift_right,
    saturate,
)
from edgetx.ir import Array, Arrays, Node, TensorType, Value
from edgetx.ops.logistic import sigmoid
from edgetx.ops.multiplier import Multipliers
from edgetx.ops.op import Cost, KernelCall, Op, register

GATE_BITS = 3
"""Integer bits of the sums at the gates, which are 16 bits wide."""
GATES = 4


@register
@dataclass(frozen=True)
class LstmCell(Op):
    """h' = o · tanh(c'), c' = f · c + i · g, clipped at ±cell_clip.

    The gates i, f, g, o are rows of W x + R h + b in this order: x [1, in], h [1, n], c [1, n], W [4 n, in],
    R [4 n, n], b [4 n]. In integers x and h are int8, and c is int16 with a power of two as its scale (Hochreiter &
    Schmidhuber 1997; the arithmetic is TFLite's).
    """

    name: ClassVar[str] = "lstm_cell"
    activation_bits: ClassVar[frozenset[int]] = frozenset({8, 16})

    cell_clip: float = math.inf

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        x, h, c, w, r, b = inputs
        units = h.shape[-1]
        shapes = (c.shape, w.shape, r.shape, b.shape)
        if shapes != (h.shape, (GATES * units, x.shape[-1]), (GATES * units, units), (GATES * units,)):
            raise ModelError(f"lstm_cell of {', '.join(str(t.shape) for t in inputs)}")
        return TensorType(h.shape), TensorType(c.shape)

    def float_ref(self, *inputs: Array) -> Arrays:
        x, h, c, w, r, b = inputs
        i, f, g, o = np.split(x @ w.T + h @ r.T + b, GATES, -1)
        cell = np.clip(sigmoid(f) * c + sigmoid(i) * np.tanh(g), -self.cell_clip, self.cell_clip)
        return (sigmoid(o) * np.tanh(cell)).astype(np.float32), cell.astype(np.float32)

    def int_ref(self, node: Node, *inputs: Array) -> Arrays:
        x, h, c, w, r, b = (array.astype(np.int64) for array in inputs)
        out, bits = node.outputs[0].type, self.cell_bits(node)
        from_x = integer_matmul(x - node.inputs[0].type.zero_point, w.T) + b
        from_h = integer_matmul(h - node.inputs[1].type.zero_point, r.T)
        gates = saturate(multiply_by_quantized_multiplier(from_x, *gate_multipliers(node, 0, 3)), "int16")
        gates = saturate(gates + multiply_by_quantized_multiplier(from_h, *gate_multipliers(node, 1, 4)), "int16")
        i, f, g, o = np.split(gates, GATES, -1)
        kept = rounding_shift_right(fixedpoint16.logistic(f, GATE_BITS) * c, 15)
        fresh = fixedpoint16.logistic(i, GATE_BITS) * fixedpoint16.tanh(g, GATE_BITS)
        limit = self.cell_limit(node)
        cell = saturate(np.clip(kept + rounding_shift_right(fresh, 15 + bits), -limit, limit), "int16")
        product: Int = fixedpoint16.logistic(o, GATE_BITS) * fixedpoint16.tanh(cell, bits)
        hidden = multiply_by_quantized_multiplier(product, *self.hidden_multiplier(node)) + out.zero_point
        return saturate(hidden, "int8"), cell

    def cell_bits(self, node: Node) -> int:
        """Integer bits of c.

        Raises:
            QuantError: If its scale is not a power of two, or too fine or coarse for the arithmetic.
        """
        bits = round(float(np.log2(node.inputs[2].type.scale))) + 15
        if node.inputs[2].type.scale != 2.0 ** (bits - 15) or not 0 <= bits <= 4:
            raise QuantError(f"scale {node.inputs[2].type.scale} of the cell", where=node.name)
        return bits

    def cell_limit(self, node: Node) -> int:
        """The magnitude at which c' is clipped; beyond what 16 bits hold if it is not."""
        return int(min(self.cell_clip / node.inputs[2].type.scale, 2.0**15))

    def hidden_multiplier(self, node: Node) -> tuple[int, int]:
        """Mantissa and shift from the product of two numbers without integer bits to h'."""
        return quantize_multiplier(2.0**-30 / node.outputs[0].type.scale)

    def cost(self, node: Node) -> Cost:
        return Cost(macs=node.inputs[3].type.size + node.inputs[4].type.size, elementwise=10 * node.inputs[2].type.size)

    def to_c(self, node: Node) -> KernelCall:
        x, h, *_ = node.inputs
        mantissa, shift = self.hidden_multiplier(node)
        params = {
            "inputs": x.shape[-1],
            "units": h.shape[-1],
            "input_offset": -x.type.zero_point,
            "hidden_offset": -h.type.zero_point,
            "cell_limit": self.cell_limit(node),
            "cell_bits": self.cell_bits(node),
            "mantissa": mantissa,
            "shift": shift,
            "output_offset": node.outputs[0].type.zero_point,
        }
        multipliers = (*gate_multipliers(node, 0, 3), *gate_multipliers(node, 1, 4))
        operands: tuple[Value | Array, ...] = (*node.inputs, *multipliers)
        return KernelCall("lstm_cell_s8", params, operands)


def gate_multipliers(node: Node, operand: int, weight: int) -> Multipliers:
    """Mantissas and shifts of scale(operand) · scale(weight) in units of the gates, one for each row."""
    scale, quant = node.inputs[operand].type.scale, node.inputs[weight].type.quant
    assert quant is not None
    rows = node.inputs[weight].shape[0]
    scales = quant.scale * rows if quant.axis is None else quant.scale
    unit = 2.0 ** (GATE_BITS - 15)
    return quantize_multipliers([float(np.float32(scale) * np.float32(s)) / unit for s in scales])
