"""The IR in torch: differentiable, in floating point or with the integer graph's own values."""

from edgetx.train.graph.fake_quant import QuantizedGraphModule
from edgetx.train.graph.module import GraphModule

__all__ = ["GraphModule", "QuantizedGraphModule"]
