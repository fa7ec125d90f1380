"""The ops: one class per op with its meaning, quantization, cost and output forms."""

from edgetx.ops.attention import Attention
from edgetx.ops.fully_connected import FullyConnected
from edgetx.ops.gelu import Gelu
from edgetx.ops.layer_norm import LayerNorm
from edgetx.ops.op import REGISTRY, Cost, KernelCall, OnnxBuilder, Op, TfliteBuilder

__all__ = [
    "REGISTRY",
    "Attention",
    "Cost",
    "FullyConnected",
    "Gelu",
    "KernelCall",
    "LayerNorm",
    "OnnxBuilder",
    "Op",
    "TfliteBuilder",
]
