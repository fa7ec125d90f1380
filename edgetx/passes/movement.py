"""Data movement seen through: which element of which value does each element come from?

Reshapes, transposes, slices and gathers only move elements, so a chain of them is evaluated on the indices of its
source. What the chain does is then read off the result, however the user wrote it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from edgetx.ir import Array, Graph, Node, Value
from edgetx.ops import Gather, Mul, Op, Reshape, StridedSlice, Transpose

MOVEMENT = (Gather, Reshape, StridedSlice, Transpose)


@dataclass(frozen=True)
class Moved:
    """A value as a selection of elements of its source.

    Attributes:
        source: The value at the head of the chain.
        index: Flat index into the source, in the shape of the value.
        gain: Factor by which the elements were scaled on the way.
    """

    source: Value
    index: Array
    gain: float = 1.0

    @property
    def is_identity(self) -> bool:
        """Whether nothing but the shape changed."""
        flat = self.index.ravel()
        return flat.size == self.source.type.size and bool((flat == np.arange(flat.size)).all())


def is_movement(node: Node | None) -> bool:
    """Whether a node only moves elements."""
    return node is not None and isinstance(node.op, MOVEMENT)


def trace(graph: Graph, value: Value, through_gain: bool = False) -> Moved:
    """Follow data movement, and on request multiplication by a scalar, up to where the elements are made."""
    node = graph.producer(value)
    if node is not None and is_movement(node):
        above = trace(graph, node.inputs[0], through_gain)
        return Moved(above.source, _float_ref(node, above.index), above.gain)
    if through_gain and node is not None and (scaled := scalar_product(graph, node)) is not None:
        above = trace(graph, scaled[0], through_gain)
        return Moved(above.source, above.index, above.gain * scaled[1])
    return Moved(value, np.arange(value.type.size).reshape(value.shape))


def traces(graph: Graph, node: Node) -> Iterator[Moved]:
    """The result of a node that moves elements, as a selection of those of each value above, the nearest first."""
    chain: list[Node] = []
    above: Node | None = node
    while above is not None and is_movement(above):
        chain.append(above)
        (source,) = above.inputs
        index = np.arange(source.type.size).reshape(source.shape)
        for step in reversed(chain):
            index = _float_ref(step, index)
        yield Moved(source, index)
        above = graph.producer(source)


def scalar_product(graph: Graph, node: Node) -> tuple[Value, float] | None:
    """Operand and factor of a multiplication by a scalar constant."""
    if not isinstance(node.op, Mul):
        return None
    for value, other in (node.inputs, node.inputs[::-1]):
        factor = graph.const(other)
        if factor is not None and factor.size == 1 and value.shape == node.output.shape:
            return value, float(factor.ravel()[0])
    return None


def _float_ref(node: Node, index: Array) -> Array:
    assert isinstance(node.op, Op)
    (moved,) = node.op.float_ref(index)
    return moved
