"""From accumulator to result: the fixed-point multipliers of ops with weights."""

import numpy as np
import numpy.typing as npt

from edgetx.fixedpoint import Int, multiply_by_quantized_multiplier_int64, quantize_multipliers, requantize
from edgetx.ir import Array, Node
from edgetx.ops.activation import Activation, activation_range

Multipliers = tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]


def output_multipliers(node: Node) -> Multipliers:
    """Mantissa and shift of scale(x) · scale(w) / scale(y) for each scale of the second operand w."""
    x, w, y = node.inputs[0].type, node.inputs[1].type.quant, node.output.type
    if w is None:
        raise ValueError(f"{node.name}: {node.inputs[1]} is not quantized")
    return quantize_multipliers([x.scale * s / y.scale for s in w.scale])


def rescale(node: Node, acc: Int, multipliers: Multipliers, activation: Activation = "none") -> Array:
    """The result of `node` from its accumulators, which are 64 bits wide for 16-bit results."""
    out = node.output.type
    low, high = activation_range(activation, out)
    if out.dtype == "int16":
        scaled = multiply_by_quantized_multiplier_int64(acc, *multipliers) + out.zero_point
        return np.clip(scaled, low, high).astype(np.int16)
    return requantize(acc, *multipliers, out.zero_point, low, high)


def rescale_params(node: Node, activation: Activation = "none") -> dict[str, int]:
    """What every kernel that rescales has among its parameters."""
    low, high = activation_range(activation, node.output.type)
    return {"output_offset": node.output.type.zero_point, "low": low, "high": high}
