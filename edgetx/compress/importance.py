"""How much channels matter, by four rules; larger matters more."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from edgetx.ir import Graph
from edgetx.passes.channels import ChannelGroup, is_layer
from edgetx.train.graph import GraphModule
from edgetx.train.graph.module import Rewriter

Importance = Mapping[str, float]
"""By the name of the group."""
Method = Literal["taylor", "magnitude", "activation"]
_BATCH = 128


def importance(graph: Graph, groups: Sequence[ChannelGroup], method: Method, x: Tensor, y: Tensor) -> Importance:
    """Importance of each group.

    `magnitude` is the norm of the weights that make its channels, relative to the mean of their layer; `activation` the
    mean magnitude of what they carry, likewise; `taylor` the mean magnitude, over batches, of the loss's derivative
    with respect to a factor on all of its channels (Molchanov et al., 2019).

    Args:
        graph: A canonical float graph.
        groups: Channels that go together.
        method: The rule.
        x: Model inputs, of training clips.
        y: Their labels.
    """
    return {"taylor": _taylor, "magnitude": _magnitude, "activation": _activation}[method](graph, groups, x, y)


def _magnitude(graph: Graph, groups: Sequence[ChannelGroup], x: Tensor, y: Tensor) -> Importance:
    layers = {node.name: node for node in graph.nodes if is_layer(node, graph)}
    norms = {}
    for name, node in layers.items():
        weight = torch.from_numpy(graph.consts[node.inputs[1].name]).flatten(1).norm(dim=1)
        norms[name] = weight / weight.mean().clamp_min(1e-12)
    return {group.name: _mean_over(group, graph, norms) for group in groups}


def _activation(graph: Graph, groups: Sequence[ChannelGroup], x: Tensor, y: Tensor) -> Importance:
    totals: dict[str, Tensor] = {}

    def observe(name: str, value: Tensor) -> Tensor:
        magnitude = value.abs().flatten(0, -2).sum(0)
        totals[name] = totals.get(name, torch.zeros_like(magnitude)) + magnitude
        return value

    module = GraphModule(graph)
    with torch.no_grad():
        for batch in torch.split(x, _BATCH):
            module.run(batch, observe)
    made = {node.name: totals[node.output.name] for node in graph.nodes if is_layer(node, graph)}
    relative = {name: total / total.mean().clamp_min(1e-12) for name, total in made.items()}
    return {group.name: _mean_over(group, graph, relative) for group in groups}


def _mean_over(group: ChannelGroup, graph: Graph, scores: Mapping[str, Tensor]) -> float:
    """The mean score of the group's channels in the layers that make them."""
    output = {node.name: node.output.name for node in graph.nodes if node.name in group.makers}
    found = [scores[name][list(group.channels[value])] for name, value in output.items() if value in group.channels]
    return float(torch.cat(found).mean())


def _taylor(graph: Graph, groups: Sequence[ChannelGroup], x: Tensor, y: Tensor) -> Importance:
    module, gated = GraphModule(graph), gates(graph, groups)
    total = torch.zeros(len(groups))
    for inputs, labels in zip(torch.split(x, _BATCH), torch.split(y, _BATCH), strict=True):
        factors = torch.ones(len(groups), requires_grad=True)
        loss = F.cross_entropy(module.run(inputs, gated(factors)), labels)
        (gradient,) = torch.autograd.grad(loss, factors)
        total += gradient.abs()
    return dict(zip((group.name for group in groups), total.tolist(), strict=True))


def gates(graph: Graph, groups: Sequence[ChannelGroup]) -> Callable[[Tensor], Rewriter]:
    """A function from one factor per group to what multiplies the channels of each value by their group's factor."""
    places: dict[str, list[tuple[int, int]]] = {}
    for index, group in enumerate(groups):
        for name, channels in group.channels.items():
            places.setdefault(name, []).extend((channel, index) for channel in channels)
    widths = {value.name: value.shape[-1] for value in graph.values if value.name in places}

    def of(factors: Tensor) -> Rewriter:
        masks = {}
        for name, pairs in places.items():
            channels, owners = (torch.tensor(column) for column in zip(*pairs, strict=True))
            masks[name] = torch.ones(widths[name]).index_put((channels,), factors[owners])
        return lambda name, value: value * masks[name] if name in masks else value

    return of
