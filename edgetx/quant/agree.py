"""Scales with which TFLite Micro and LiteRT multiply alike."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edgetx.ir import Graph, Node
from edgetx.ops import BatchMatmul, Mul

if TYPE_CHECKING:
    from edgetx.quant.plan import TensorPlan

CANDIDATES = 1 << 13
"""Scales tried of a free tensor; about one in 128 will do, or none if the product of the others rounds badly."""
SECOND_CANDIDATES = 32
"""Scales tried of another one in that case."""

Groups = Mapping[str, Sequence[str]]
Scales = Mapping[str, npt.NDArray[np.float64]]


def with_agreeing_factors(
    graph: Graph, tensors: Mapping[str, "TensorPlan"], groups: Iterable[Sequence[str]], fixed: Iterable[str] = ()
) -> dict[str, "TensorPlan"]:
    """The plan with some scales raised by a few units in the last place where products need that.

    LiteRT multiplies the scales of two activations in single precision, and divides them in it, too, for MUL; TFLite
    Micro computes in double. The multipliers that follow differ in their last bits, and then some results in one step.
    The first scale that is still free, if possible that of a constant, takes a value for which both give the same
    multiplier, and a second one helps where that is not enough; scales that an earlier product relies on stay.

    Args:
        graph: A float graph.
        tensors: Its activations as planned.
        groups: Names of activations that are quantized alike.
        fixed: Activations that keep their scale.
    """
    agreed = dict(tensors)
    group_of = {name: group for group in groups for name in group}
    settled = {other for name in fixed for other in group_of.get(name, ())}
    for node in graph.nodes:
        if isinstance(node.op, Mul | BatchMatmul):
            names = sorted(_names(node), key=lambda name: name not in graph.consts)
            free = list({id(group_of[name]): group_of[name] for name in names if name not in settled}.values())
            for name, scale in _agreeing_scales(node, free, agreed).items():
                agreed[name] = replace(agreed[name], scale=scale)
            settled.update(other for name in names for other in group_of[name])
    return agreed


def _agreeing_scales(
    node: Node, free: Sequence[Sequence[str]], tensors: Mapping[str, "TensorPlan"]
) -> Mapping[str, float]:
    """New scales of tensors in one or two of the free groups; none if they agree already or cannot."""
    if not free:
        return {}
    first = _raised(tensors[free[0][0]].scale, CANDIDATES)
    others = [(group, scale) for group in free[1:] for scale in _raised(tensors[group[0]].scale, SECOND_CANDIDATES)]
    for second, raised in [((), 0.0), *others]:
        scales = {name: np.array(tensors[name].scale) for name in _names(node) if name in tensors}
        scales |= dict.fromkeys(second, np.array(raised)) | dict.fromkeys(free[0], first)
        agreeing = np.flatnonzero(_agree(node, scales))
        if agreeing.size:
            chosen = float(first[agreeing[0]])
            return dict.fromkeys(second, float(raised)) | dict.fromkeys(free[0], chosen)
    return {}


def _names(node: Node) -> list[str]:
    """Operands and result, first the one whose scale decides most."""
    values = (node.output, *node.inputs) if isinstance(node.op, Mul) else (*node.inputs, node.output)
    return [value.name for value in values]


def _raised(scale: float, count: int) -> npt.NDArray[np.float64]:
    """A single-precision number and those that follow it."""
    bits = np.float32(scale).view(np.int32) + np.arange(count, dtype=np.int32)
    return bits.view(np.float32).astype(np.float64)


def _agree(node: Node, scales: Scales) -> npt.NDArray[np.bool_]:
    """Whether single and double precision lead to the same multiplier, for each candidate."""
    x, y, z = (scales[value.name] for value in (*node.inputs, node.output))
    product: npt.NDArray[np.float32] = x.astype(np.float32) * y.astype(np.float32)
    ratio = product / (z.astype(np.float32) if isinstance(node.op, Mul) else z)
    (a, shift_a), (b, shift_b) = np.frexp(ratio.astype(np.float64)), np.frexp(x * y / z)
    return np.atleast_1d((np.floor(a * 2**31 + 0.5) == np.floor(b * 2**31 + 0.5)) & (shift_a == shift_b))
