"""Clamp only what can leave the range."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from edgetx.ir import Graph, Node, Value
from edgetx.ops import (
    AveragePool2D,
    Clip,
    Concatenation,
    Gather,
    Logistic,
    MaxPool2D,
    Mean,
    ReduceMax,
    Relu,
    Relu6,
    Reshape,
    Softmax,
    StridedSlice,
    Tanh,
    Transpose,
)
from edgetx.passes.base import Rule

Bounds = tuple[float, float]

UNBOUNDED: Bounds = (-math.inf, math.inf)
WITHIN = (AveragePool2D, Concatenation, Gather, MaxPool2D, Mean, ReduceMax, Reshape, StridedSlice, Transpose)
"""Ops whose results lie between the least and the largest of their operands."""
LARGEST_DEPTH = 64


@dataclass(frozen=True)
class DropClamp(Rule):
    """Drop a clamp whose operand lies within its bounds already.

    Given:   %b = logistic(%a)    %c = relu(%b)
    Result:  %b, read in place of %c
    """

    name: ClassVar[str] = "drop-clamp"

    def rewrite(self, node: Node, graph: Graph) -> Graph | str:
        if not isinstance(node.op, Relu | Relu6 | Clip):
            return "not a clamp"
        low, high = _clamped(node.op, UNBOUNDED)
        least, most = bounds(graph, node.inputs[0])
        if least < low or most > high:
            return f"what comes before lies between {least} and {most}"
        return graph.rewrite(remove=[node], replace_values={node.output.name: node.inputs[0]})


def bounds(graph: Graph, value: Value, depth: int = LARGEST_DEPTH) -> Bounds:
    """Two numbers between which every element lies."""
    if (data := graph.const(value)) is not None:
        return float(data.min(initial=0)), float(data.max(initial=0))
    node = graph.producer(value)
    if node is None or not depth:
        return UNBOUNDED
    if isinstance(node.op, Logistic | Softmax):
        return 0.0, 1.0
    if isinstance(node.op, Tanh):
        return -1.0, 1.0
    if isinstance(node.op, Relu | Relu6 | Clip):
        return _clamped(node.op, bounds(graph, node.inputs[0], depth - 1))
    if isinstance(node.op, WITHIN) and getattr(node.op, "activation", "none") == "none":
        return _around([bounds(graph, x, depth - 1) for x in node.inputs])
    return {"relu": (0.0, math.inf), "relu6": (0.0, 6.0)}.get(getattr(node.op, "activation", "none"), UNBOUNDED)


def _clamped(op: Relu | Relu6 | Clip, inner: Bounds) -> Bounds:
    low, high = (op.low, op.high) if isinstance(op, Clip) else (0.0, 6.0 if isinstance(op, Relu6) else math.inf)
    return min(max(inner[0], low), high), min(max(inner[1], low), high)


def _around(parts: Sequence[Bounds]) -> Bounds:
    return min(low for low, _ in parts), max(high for _, high in parts)
