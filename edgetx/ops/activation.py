"""Activations fused into the op that makes their operand."""

from typing import Literal

import numpy as np

from edgetx.ir import Array, TensorType
from edgetx.ops.op import OnnxBuilder

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
        high = min(high, out.zero_point + six_steps(out.scale))
    return low, high


def six_steps(scale: float) -> int:
    """6 / scale to nearest, ties away from zero, in single precision as TFLite has it."""
    return int(np.floor(np.float32(6.0) / np.float32(scale) + np.float32(0.5)))


def onnx_activation(b: OnnxBuilder, y: str, activation: Activation) -> str:
    """The ONNX form: name of the activated tensor."""
    if activation == "none":
        return y
    if activation == "relu":
        return b.op("Relu", [y])
    return b.op("Clip", [y, b.const(np.array(0, np.float32)), b.const(np.array(6, np.float32))])
