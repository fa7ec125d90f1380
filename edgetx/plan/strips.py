"""Convolutions that follow each other, computed for some rows of the last one at a time: their images need less memory.

What two strips of rows share of the images between is computed for both.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from edgetx.ir import Graph, GraphBuilder, Node, Value
from edgetx.ops import Concatenation, Conv2D, DepthwiseConv2D, StridedSlice
from edgetx.ops.window import Pair, Window
from edgetx.plan.order import least_arena

COUNTS = (2, 3, 4, 6, 8, 12)
Chain = Sequence[Node]


def fit_in_strips(graph: Graph, arena_bytes: float) -> Graph:
    """The graph with chains of convolutions in strips, as few as an arena of that size asks for.

    Chains are cut one after the other, each time so that the arena suffices with the fewest multiplications, else so
    that it is the smallest.
    """
    whole = {node.name for node in graph.nodes}
    while (least := least_arena(graph)) > arena_bytes:
        uncut = [chain for chain in chains(graph) if all(node.name in whole for node in chain)]
        cut = [in_strips(graph, chain, count) for chain in uncut for count in COUNTS]
        best = min(cut, key=lambda each: (max(least_arena(each), arena_bytes), _macs(each)), default=graph)
        if least_arena(best) >= least:
            break
        graph = best
    return graph


def chains(graph: Graph) -> Iterator[Chain]:
    """Every run of two convolutions or more of which each is the only one to read the one before."""
    for node in graph.nodes:
        chain = [node]
        while _is_convolution(chain[-1]) and graph.has_one_use(chain[-1].output):
            (user,) = graph.users(chain[-1].output)
            if not _is_convolution(user) or user.inputs[0] != chain[-1].output:
                break
            chain.append(user)
            yield tuple(chain)


def in_strips(graph: Graph, chain: Chain, count: int) -> Graph:
    """The graph with a chain computed in so many strips of equally many rows, or in one for each row."""
    b = GraphBuilder.beside(graph, *chain)
    rows = chain[-1].output.shape[1]
    count = min(count, rows)
    bounds = [rows * i // count for i in range(count + 1)]
    parts = [_strip(b, chain, index, part) for index, part in enumerate(pairwise(bounds))]
    last = chain[-1].output
    y = b.op(Concatenation(1), *parts, name=last.name, quant=(last.type.dtype, last.type.quant))
    return graph.rewrite(remove=chain, add=b.nodes, replace_values={last.name: y})


def _strip(b: GraphBuilder, chain: Chain, index: int, rows: Pair) -> Value:
    """The nodes for some rows of the last result."""
    wanted = [rows]
    for node in reversed(chain[1:]):
        first, last, _ = _rows_read(node, wanted[0])
        wanted.insert(0, (first, last))
    first, last, _ = _rows_read(chain[0], wanted[0])
    x = chain[0].inputs[0]
    _, height, width, channels = x.shape
    if (first, last) != (0, height):
        rows_only = StridedSlice((0, first, 0, 0), (1, last, width, channels), (1, 1, 1, 1))
        x = b.op(rows_only, x, name=f"{chain[0].name}.strip{index}.rows", quant=(x.type.dtype, x.type.quant))
    for node, part in zip(chain, wanted, strict=True):
        *_, outside = _rows_read(node, part)
        _, columns = _window(node).pads(node.inputs[0].type)
        assert isinstance(node.op, Conv2D | DepthwiseConv2D)
        op = replace(node.op, padding="valid", around=(outside, columns))
        y = node.output.type
        x = b.op(op, x, *node.inputs[1:], name=f"{node.name}.strip{index}", quant=(y.dtype, y.quant))
    return x


def _rows_read(node: Node, rows: Pair) -> tuple[int, int, Pair]:
    """The rows of the image that rows of the result depend on, and how many they look beyond it on either side."""
    window, height = _window(node), node.inputs[0].shape[1]
    (top, _), _ = window.pads(node.inputs[0].type)
    first = rows[0] * window.stride[0] - top
    last = (rows[1] - 1) * window.stride[0] - top + window.extent[0]
    return max(first, 0), min(last, height), (max(-first, 0), max(last - height, 0))


def _window(node: Node) -> Window:
    assert isinstance(node.op, Conv2D | DepthwiseConv2D)
    return node.op.window(node.inputs[1].shape)


def _is_convolution(node: Node) -> bool:
    return isinstance(node.op, Conv2D | DepthwiseConv2D)


def _macs(graph: Graph) -> int:
    return sum(node.op.cost(node).macs for node in graph.nodes if _is_convolution(node))  # type: ignore[attr-defined]
