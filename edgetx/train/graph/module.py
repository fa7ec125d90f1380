"""A float graph as a torch module: its constants are the parameters."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from edgetx.errors import ModelError
from edgetx.ir import Graph, Node
from edgetx.ops import Op
from edgetx.train.graph.functions import torch_function

Rewriter = Callable[[str, Tensor], Tensor]
"""Gives the tensor that stands for a value in what follows, from its name and contents."""


class GraphModule(nn.Module):
    """Executes a stateless float graph of one input and one output on batches, differentiably.

    Args:
        graph: A float graph.
        fixed: Names of constants that are not trained.

    Raises:
        ModelError: If the graph has states, or more than one input or output.
        UnsupportedOpError: If an op cannot be trained.
    """

    def __init__(self, graph: Graph, fixed: Sequence[str] = ()) -> None:
        super().__init__()
        if graph.states or len(graph.inputs) != 1 or len(graph.outputs) != 1:
            hint = "train the clip model, before it is turned into a stream"
            what = "only graphs of one input, one output and no state are trained"
            raise ModelError(what, where=graph.name, hint=hint)
        self.graph = graph
        self.fixed = frozenset(fixed)
        self.weights = nn.ParameterList(
            nn.Parameter(torch.from_numpy(data.copy()), requires_grad=name not in self.fixed)
            for name, data in graph.consts.items()
        )
        self._functions = [(node, torch_function(cast(Op, node.op))) for node in graph.nodes]

    def forward(self, x: Tensor) -> Tensor:
        """The graph's output for a batch of inputs: N × (shape without its leading axis of size 1)."""
        return self.run(x, lambda name, value: value)

    def run(self, x: Tensor, rewrite: Rewriter) -> Tensor:
        """As `forward`, with every activation replaced by what `rewrite` makes of its name and batch of contents."""
        values: dict[str, Tensor] = dict(zip(self.graph.consts, self._constants(), strict=True))
        source = self.graph.inputs[0]
        values[source.name] = rewrite(source.name, x.reshape(-1, *source.shape))
        for node, function in self._functions:
            results = self._call(node, function, [values[value.name] for value in node.inputs])
            for value, result in zip(node.outputs, results, strict=True):
                values[value.name] = rewrite(value.name, result)
        output = self.graph.outputs[0]
        return values[output.name].reshape(len(x), *output.shape[1:])

    def _constants(self) -> Sequence[Tensor]:
        """The constants as the nodes see them, in the graph's order."""
        return list(self.weights)

    def _call(
        self, node: Node, function: Callable[..., tuple[Tensor, ...]], operands: Sequence[Tensor]
    ) -> tuple[Tensor, ...]:
        axes = tuple(None if value.name in self.graph.consts else 0 for value in node.inputs)
        if all(axis is None for axis in axes):
            raise ModelError("a node of constants only; fold constants first", where=node.name)
        return torch.vmap(function, in_dims=axes)(*operands)

    def trained(self) -> Graph:
        """The graph with the constants as they are now."""
        arrays = (weight.detach().cpu().numpy().astype(np.float32) for weight in self.weights)
        return replace(self.graph, consts=dict(zip(self.graph.consts, arrays, strict=True)))
