"""Slices that cut a value into equal parts, which TFLite writes as one operator."""

from collections.abc import Iterator, Mapping, Sequence

from edgetx.ir import Graph, Node, Value
from edgetx.ops import StridedSlice


def equal_parts(graph: Graph) -> Mapping[str, tuple[int, Sequence[Node]]]:
    """For the name of each slice that is such a part: the axis that is cut, and all parts in order."""
    found: dict[str, tuple[int, Sequence[Node]]] = {}
    for value in graph.values:
        slices = [node for node in graph.users(value) if isinstance(node.op, StridedSlice)]
        for axis, parts in _cuts(value, slices):
            found.update((part.name, (axis, parts)) for part in parts)
    return found


def _cuts(value: Value, slices: Sequence[Node]) -> Iterator[tuple[int, Sequence[Node]]]:
    for axis, size in enumerate(value.shape):
        along = {bounds[axis]: node for node in slices if (bounds := _bounds(node)) and _is_whole(bounds, value, axis)}
        edges = sorted(along)
        joined = [0, *(end for _, end in edges)] == [*(begin for begin, _ in edges), size]
        if len(edges) > 1 and joined and len({end - begin for begin, end in edges}) == 1:
            yield axis, [along[bounds] for bounds in edges]


def _bounds(node: Node) -> list[tuple[int, int]]:
    """Begin and end along each axis; nothing if elements between them are left out."""
    assert isinstance(node.op, StridedSlice)
    op = node.op
    return list(zip(op.begin, op.end, strict=True)) if set(op.strides) == {1} else []


def _is_whole(bounds: Sequence[tuple[int, int]], value: Value, axis: int) -> bool:
    """Whether a slice takes everything along all other axes."""
    return all(pair == (0, size) for i, (pair, size) in enumerate(zip(bounds, value.shape, strict=True)) if i != axis)
