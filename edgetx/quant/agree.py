"""Scales with which TFLite Micro and LiteRT multiply alike."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from edgetx.fixedpoint import quantize_multiplier
from edgetx.ir import Graph, Node
from edgetx.ops import Mul

if TYPE_CHECKING:
    from edgetx.quant.plan import TensorPlan

CANDIDATES = 1 << 14
"""Scales tried; about one in 128 will do."""


def with_agreeing_factors(graph: Graph, tensors: Mapping[str, "TensorPlan"]) -> dict[str, "TensorPlan"]:
    """The plan with the scales of constant factors raised by a few units in the last place where that is needed.

    LiteRT takes the ratio of the scales of a MUL in single precision, TFLite Micro in double. The multipliers
    that follow differ in their last bits, and then some results in one step. A constant is free in its scale: one is
    taken for which both ratios give the same multiplier.
    """
    agreed = dict(tensors)
    for node in graph.nodes:
        found = next((v for v in node.inputs if v.name in graph.consts), None)
        if isinstance(node.op, Mul) and found is not None:
            agreed[found.name] = _agreeing(node, found.name, agreed)
    return agreed


def _agreeing(node: Node, factor: str, tensors: Mapping[str, "TensorPlan"]) -> "TensorPlan":
    plans = (replace(tensors[factor], scale=scale) for scale in _candidates(tensors[factor].scale))
    return next((plan for plan in plans if _agree(node, {**tensors, factor: plan})), tensors[factor])


def _candidates(scale: float) -> Iterator[float]:
    value = np.float32(scale)
    for _ in range(CANDIDATES):
        yield float(value)
        value = np.nextafter(value, np.float32(np.inf))


def _agree(node: Node, tensors: Mapping[str, "TensorPlan"]) -> bool:
    x, y, z = (tensors[value.name].scale for value in (*node.inputs, node.output))
    single = np.float32(x) * np.float32(y) / np.float32(z)
    return quantize_multiplier(float(single)) == quantize_multiplier(x * y / z)
