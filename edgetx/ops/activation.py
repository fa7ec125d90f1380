"""Activations fused into the op that makes their operand."""

from typing import Literal

import numpy as np

from edgetx.ir import Array, TensorType

Activation = Literal["none", "relu", "relu6"]


def apply_activation(x: Array, activation: Activation) -> Array:
    """The activation in floating point."""
    if activation == "none":
        return x
    return np.clip(x, 0.0, 6.0 if activation == "relu6" else np.inf).astype(x.dtype)


def activation_range(activation: Activation, out: TensorType) -> tuple[int, int]:
    """The integers between which a result of type `out` is clamped."""
    low, high = out.qmin, out.qmax
    if activation == "none":
        return low, high
    low = max(low, out.zero_point)
    if activation == "relu6":
        high = min(high, out.zero_point + round(6.0 / out.scale))
    return low, high
