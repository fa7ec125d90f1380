"""Scales with which TFLite Micro and LiteRT multiply alike."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np

from edgetx.fixedpoint import quantize_multiplier
from edgetx.ir import Graph, Node
from edgetx.ops import Mul, Op
from edgetx.ops.quant_rule import Result

if TYPE_CHECKING:
    from edgetx.quant.plan import TensorPlan

CANDIDATES = 1 << 14
"""Scales tried; about one in 128 will do."""


def with_agreeing_factors(graph: Graph, tensors: Mapping[str, "TensorPlan"]) -> dict[str, "TensorPlan"]:
    """The plan with the scales of constant factors raised by a few units in the last place where that is needed.

    LiteRT takes the ratio of the scales of a MUL in single precision, TFLite Micro in double. The multipliers
    that follow differ in their last bits, and then some results in one step. A constant is free in its scale, as is a
    product of activations that no op ties to others: one is taken for which both ratios give the same multiplier.
    """
    agreed = dict(tensors)
    for node in graph.nodes:
        if isinstance(node.op, Mul) and (free := _free_scale(graph, node)) is not None:
            agreed[free] = _agreeing(node, free, agreed)
    return agreed


def _free_scale(graph: Graph, node: Node) -> str | None:
    """The constant factor of a MUL, else its result if that may be quantized on its own."""
    factor = next((v.name for v in node.inputs if v.name in graph.consts), None)
    y = node.output
    rules = [cast(Op, user.op).quant_rule() for user in graph.users(y)]
    tied = graph.is_result(y) or any(rule.shared or rule.result is Result.SAME_AS_INPUT for rule in rules)
    return factor or (None if tied else y.name)


def _agreeing(node: Node, free: str, tensors: Mapping[str, "TensorPlan"]) -> "TensorPlan":
    plans = (replace(tensors[free], scale=scale) for scale in _candidates(tensors[free].scale))
    return next((plan for plan in plans if _agree(node, {**tensors, free: plan})), tensors[free])


def _candidates(scale: float) -> Iterator[float]:
    value = np.float32(scale)
    for _ in range(CANDIDATES):
        yield float(value)
        value = np.nextafter(value, np.float32(np.inf))


def _agree(node: Node, tensors: Mapping[str, "TensorPlan"]) -> bool:
    x, y, z = (tensors[value.name].scale for value in (*node.inputs, node.output))
    single = np.float32(x) * np.float32(y) / np.float32(z)
    return quantize_multiplier(float(single)) == quantize_multiplier(x * y / z)
