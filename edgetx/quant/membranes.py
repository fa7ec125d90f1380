"""Ranges of spiking neurons: how far membranes reach below zero, and which currents are worth telling apart."""

from collections.abc import Iterable
from dataclasses import replace
from typing import cast

import numpy as np

from edgetx.fixedpoint import dequantize, quantize
from edgetx.ir import Array, Arrays, Graph, Node, Value
from edgetx.ops import Lif, Op
from edgetx.ops.lif import REACHES
from edgetx.ops.quant_rule import Result
from edgetx.quant.calibrate import Ranges
from edgetx.quant.plan import tensor_plan
from edgetx.reference import execute

SHARES = (1.0, 0.8, 0.65, 0.5, 0.4, 0.3)
"""Parts of the observed range of a current, at either end, that are tried."""


def with_reach(graph: Graph, ranges: Ranges) -> Graph:
    """The graph with neurons whose membranes hold what calibration saw; those that need no more keep their reach.

    Normalized currents stay within some thresholds of zero. Others may press a membrane hundreds of thresholds down,
    and how long it stays silent then depends on how far.

    Args:
        graph: A float graph.
        ranges: What calibration saw of its values.
    """
    nodes = tuple(_reaching(node, ranges) for node in graph.nodes)
    return replace(graph, nodes=nodes) if nodes != graph.nodes else graph


def _reaching(node: Node, ranges: Ranges) -> Node:
    if not isinstance(node.op, Lif) or node.outputs[1].name not in ranges:
        return node
    depth = -ranges[node.outputs[1].name][0] / node.op.threshold
    reach = next((reach for reach in REACHES if reach >= max(depth, node.op.reach)), REACHES[-1])
    return replace(node, op=replace(node.op, reach=reach)) if reach != node.op.reach else node


def with_telling_currents(graph: Graph, ranges: Ranges, samples: Iterable[Arrays]) -> Ranges:
    """Ranges with those of currents that only neurons read chosen for their spikes, not for themselves.

    A current that fires from any membrane need not be told from a larger one. With a range that ends there, the steps
    of eight bits become finer, and fewer spikes differ from those of the float model: the range is the one, of the
    observed range cut at either end, with the fewest that differ.

    Args:
        graph: A float graph.
        ranges: What calibration saw of its values.
        samples: Inputs on which to compare spikes.
    """
    neurons = [node for node in graph.nodes if isinstance(node.op, Lif) and _is_read_by_one(graph, node.inputs[0])]
    currents: dict[str, list[Array]] = {node.name: [] for node in neurons}
    for inputs in samples if neurons else ():
        seen: dict[str, Array] = {}
        execute(graph, inputs, observe=seen.__setitem__)
        for node in neurons:
            currents[node.name].append(seen[node.inputs[0].name])
    chosen = dict(ranges)
    for node in neurons:
        best = _telling(graph, node, np.concatenate(currents[node.name]), ranges[node.inputs[0].name])
        chosen.update(dict.fromkeys(_moved_from(graph, node.inputs[0]), best))
    return chosen


def _telling(graph: Graph, node: Node, x: Array, planned: tuple[float, float]) -> tuple[float, float]:
    """The range of a current, clips × steps × channels, with the fewest spikes that differ."""
    gain, shift = (cast(Array, graph.const(value)) for value in node.inputs[1:3])
    wanted = _spikes(cast(Lif, node.op), x, gain, shift)
    low, high = min(0.0, float(x.min())), max(0.0, float(x.max()))
    candidates = [planned, *((a * low, b * high) for a in SHARES for b in SHARES)]

    def differing(candidate: tuple[float, float]) -> int:
        plan = tensor_plan(*candidate, 8, symmetric=False)
        told = dequantize(quantize(x, plan.scale, plan.zero_point, "int8"), plan.scale, plan.zero_point)
        return int((_spikes(cast(Lif, node.op), told, gain, shift) != wanted).sum())

    return min(candidates, key=differing)


def _spikes(op: Lif, x: Array, gain: Array, shift: Array) -> Array:
    """Spikes of many clips at once, each from a membrane of zero."""
    return op.float_ref(x, gain, shift, np.zeros_like(x[:, 0]))[0]


def _is_read_by_one(graph: Graph, value: Value) -> bool:
    return graph.const(value) is None and graph.has_one_use(value) and value not in graph.inputs


def _moved_from(graph: Graph, value: Value) -> Iterable[str]:
    """A value and what it is a reshaped form of: all have one range."""
    yield value.name
    node = graph.producer(value)
    while node is not None and cast(Op, node.op).quant_rule().result is Result.SAME_AS_INPUT:
        (value, *_) = node.inputs
        yield value.name
        node = graph.producer(value)
