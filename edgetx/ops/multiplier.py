"""From accumulator to result: the fixed-point multipliers of ops with weights."""

import numpy as np
import numpy.typing as npt

from edgetx.fixedpoint import quantize_multipliers
from edgetx.ir import Node

Multipliers = tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]


def output_multipliers(node: Node, channels: int | None = None) -> Multipliers:
    """Mantissa and shift of scale(x) · scale(w) / scale(y) for each output channel.

    A weight with one scale is computed as TFLite does it, with a product of single-precision scales.

    Args:
        node: A node whose operands start with x and the weight.
        channels: Number of output channels, if not the size of the result's last axis.
    """
    x, w = node.inputs[0].type, node.inputs[1].type.quant
    if w is None:
        raise ValueError(f"{node.name}: the weight is not quantized")
    y = node.output.type
    count = y.shape[-1] if channels is None else channels
    if len(w.scale) == 1:
        product = float(np.float32(x.scale) * np.float32(w.scale[0]))
        mantissa, shift = quantize_multipliers([product / y.scale])
        return np.repeat(mantissa, count), np.repeat(shift, count)
    return quantize_multipliers([x.scale * s / y.scale for s in w.scale])
