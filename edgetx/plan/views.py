"""Values that lie in the memory of others, so that nothing is computed for them."""

import math
from collections.abc import Iterator
from typing import NamedTuple, cast

from edgetx.ir import Graph, Node
from edgetx.ops import Concatenation, Conv2D, DepthwiseConv2D, Op, StridedSlice

UNALIGNED = (Conv2D, DepthwiseConv2D)
"""Ops whose kernels read and write at any address."""


class Place(NamedTuple):
    """Where a value lies: the name of a buffer, or of another value, and the byte within it."""

    buffer: str
    offset: int = 0


def views(graph: Graph) -> dict[str, Place]:
    """The values that lie in another one, with that value and the byte at which they begin.

    Those are the results of views, rows of images that convolutions read, and results of convolutions that are rows of
    another image.
    """
    return {name: place for node in graph.nodes for name, place in _views_of(node, graph)}


def computed(graph: Graph) -> list[Node]:
    """The nodes that have something to compute."""
    return [node for node in graph.nodes if not any(_views_of(node, graph))]


def _views_of(node: Node, graph: Graph) -> Iterator[tuple[str, Place]]:
    op = cast(Op, node.op)
    if op.is_view:
        yield node.output.name, Place(node.inputs[0].name)
    elif isinstance(op, StridedSlice) and _is_read_in_place(node, op, graph):
        row_bytes = math.prod(node.inputs[0].shape[2:]) * node.output.type.nbytes // node.output.type.size
        yield node.output.name, Place(node.inputs[0].name, op.begin[1] * row_bytes)
    elif isinstance(op, Concatenation) and _is_written_in_place(node, op, graph):
        offset = 0
        for value in node.inputs:
            yield value.name, Place(node.output.name, offset)
            offset += value.type.nbytes


def _is_read_in_place(node: Node, op: StridedSlice, graph: Graph) -> bool:
    image = node.inputs[0]
    rows = image.type.rank == 4 and image.shape[0] == 1 and node.output.shape[2:] == image.shape[2:]
    users = graph.users(node.output)
    is_read = bool(users) and all(isinstance(user.op, UNALIGNED) for user in users)
    return rows and op.strides[1] == 1 and is_read and graph.const(image) is None and not graph.is_result(node.output)


def _is_written_in_place(node: Node, op: Concatenation, graph: Graph) -> bool:
    if op.axis != 1 or node.output.shape[0] != 1 or len(set(node.inputs)) < len(node.inputs):
        return False
    makers = [graph.producer(value) for value in node.inputs]
    return all(maker is not None and isinstance(maker.op, UNALIGNED) for maker in makers) and all(
        map(graph.has_one_use, node.inputs)
    )
