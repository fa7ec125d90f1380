"""Quantization-aware execution: every activation has the value that the integer graph computes, bit for bit.

The integers come from the integer reference itself, so there is no second definition of rounding. Gradients are those
of the floating-point graph at these values, passed straight through roundings and stopped where a value is clipped.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from edgetx.fixedpoint import quantize
from edgetx.ir import Array, Graph, TensorType
from edgetx.quant import QuantPlan, apply_plan
from edgetx.reference import execute
from edgetx.train.graph.module import GraphModule


class QuantizedGraphModule(GraphModule):
    """A float graph that computes what its integer graph computes.

    Args:
        graph: A canonical float graph of one input, one output and no state.
        plan: Width and parameters of every activation; they stay as they are.

    Raises:
        ModelError: If the graph has states, or more than one input or output.
        UnsupportedOpError: If an op cannot be trained.
        QuantError: If the plan is not one of this graph.
    """

    def __init__(self, graph: Graph, plan: QuantPlan) -> None:
        super().__init__(graph)
        self.plan = plan
        self._use(apply_plan(graph, plan))

    def integer_graph(self) -> Graph:
        """The integer graph with the weights as they are now."""
        return apply_plan(self.trained(), self.plan)

    def forward(self, x: Tensor) -> Tensor:
        """Dequantized outputs for a batch of real inputs: N × (shape without its leading axis of size 1)."""
        integer = self.integer_graph()
        self._use(integer)
        seen = _activations(integer, x.detach().cpu().numpy())

        def rewrite(name: str, value: Tensor) -> Tensor:
            return _exchanged(value, self._types[name], seen[name])

        return self.run(x, rewrite)

    def _constants(self) -> list[Tensor]:
        named = zip(self.graph.consts, self.weights, strict=True)
        return [_exchanged(w, self._types[name], self._integers[name]) for name, w in named]

    def _use(self, integer: Graph) -> None:
        """Compute with the constants and types of an integer graph."""
        self._integers, self._types = integer.consts, {value.name: value.type for value in integer.values}


def _activations(graph: Graph, inputs: Array) -> Mapping[str, Array]:
    """Every activation of the integer graph for each of the inputs, N × its shape."""
    source = graph.inputs[0].type
    seen: dict[str, list[Array]] = {}
    for sample in quantize(inputs, source.scale, source.zero_point, source.dtype):
        execute(
            graph, (sample.reshape(source.shape),), observe=lambda name, data: seen.setdefault(name, []).append(data)
        )
    return {name: np.stack(arrays) for name, arrays in seen.items()}


def _exchanged(value: Tensor, kind: TensorType, integers: Array) -> Tensor:
    """The integers' real values, with the gradient of `value` where it is within their range."""
    quant = kind.quant
    assert quant is not None
    scale: Array = np.asarray(quant.scale, np.float32)
    if quant.axis is not None:
        scale = scale.reshape([-1 if axis == quant.axis else 1 for axis in range(kind.rank)])
    real = torch.from_numpy(np.asarray((integers.astype(np.float64) - quant.zero_point) * scale, np.float32))
    inside = _inside(value, kind)
    exchanged: Tensor = _StraightThrough.apply(value, real.to(value.device), inside)  # type: ignore[no-untyped-call]
    return exchanged


def _inside(value: Tensor, kind: TensorType) -> Tensor:
    """Where a value is not clipped; weights never are, their scales follow them."""
    quant = kind.quant
    assert quant is not None
    if quant.axis is not None or kind.dtype in ("int32", "int64"):
        return torch.ones_like(value, dtype=torch.bool)
    low, high = ((limit - quant.zero_point) * quant.scale[0] for limit in (kind.qmin, kind.qmax))
    half = quant.scale[0] / 2
    return (value >= low - half) & (value <= high + half)


class _StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor, real: Tensor, inside: Tensor) -> Tensor:
        ctx.save_for_backward(inside)
        return real.reshape(value.shape)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (inside,) = ctx.saved_tensors
        return gradients[0] * inside, None, None
