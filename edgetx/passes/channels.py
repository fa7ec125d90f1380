"""Which channels of which tensors stand and fall together: the groups that structured pruning removes.

The channels of a value are the indices of its last axis. Layers with constant weights read all channels and make new
ones; every other op ties the channels of its result to those of its operands, so that one cannot be removed without the
other.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from edgetx import ops
from edgetx.ir import Graph, Node, Value
from edgetx.ops.elementwise import Elementwise
from edgetx.ops.pointwise import Pointwise
from edgetx.ops.pool import Pool
from edgetx.ops.reduction import Reduction

Channel = tuple[str, int]
"""Name of a value and an index along its last axis."""

LAYERS = (ops.FullyConnected, ops.Conv2D)
"""Ops that mix channels by a constant weight: its first axis is made, its last axis is read."""


@dataclass(frozen=True)
class ChannelGroup:
    """Channels that can only be removed together.

    Attributes:
        channels: Indices along the last axis, by name of the value.
        makers: Names of the layers that make some of them.
    """

    channels: Mapping[str, tuple[int, ...]]
    makers: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its first layer and what it makes of it, for reports."""
        first = self.makers[0]
        indices = self.channels[first] if first in self.channels else next(iter(self.channels.values()))
        return f"{first}[{','.join(map(str, indices))}]"


def channel_groups(graph: Graph) -> list[ChannelGroup]:
    """All groups of channels that can be removed, in the order of the layers that make them.

    Channels of inputs, outputs and states stay, and so do those under an op whose result depends on how many there are,
    such as a normalization.
    """
    groups = _Groups()
    for value in graph.values:
        if value.name not in graph.consts:
            for channel in _channels(value):
                groups.add(channel)
    for node in graph.nodes:
        ties = _ties(node, graph)
        if ties is None:
            groups.freeze(channel for value in _activations(node, graph) for channel in _channels(value))
        else:
            for one, other in ties:
                groups.join(one, other)
    ends = (*graph.inputs, *graph.outputs, *(v for s in graph.states for v in (s.read, s.write)))
    groups.freeze(channel for value in ends for channel in _channels(value))
    return [_group(graph, members) for members in groups.free() if _made(graph, members)]


def _group(graph: Graph, members: Iterable[Channel]) -> ChannelGroup:
    channels: dict[str, list[int]] = {}
    for name, index in members:
        channels.setdefault(name, []).append(index)
    ordered = {name: tuple(sorted(indices)) for name, indices in channels.items()}
    return ChannelGroup(ordered, tuple(_makers(graph, channels)))


def _made(graph: Graph, members: Iterable[Channel]) -> bool:
    return bool(_makers(graph, {name for name, _ in members}))


def _makers(graph: Graph, names: Iterable[str]) -> list[str]:
    nodes = {graph.producers[name].name for name in names if name in graph.producers}
    return [node.name for node in graph.nodes if node.name in nodes and is_layer(node, graph)]


def is_layer(node: Node, graph: Graph) -> bool:
    """Whether a node mixes channels by constant weights of its own."""
    own = all(len(graph.users(value)) == 1 for value in node.inputs[1:])
    return isinstance(node.op, LAYERS) and own and all(graph.const(value) is not None for value in node.inputs[1:])


def _channels(value: Value) -> Iterator[Channel]:
    return ((value.name, index) for index in range(value.shape[-1] if value.shape else 0))


def _activations(node: Node, graph: Graph) -> list[Value]:
    return [value for value in (*node.inputs, *node.outputs) if graph.const(value) is None]


def _ties(node: Node, graph: Graph) -> Iterable[tuple[Channel, Channel]] | None:
    """Pairs of channels that need each other; None if all of the node's must stay."""
    op, operands = node.op, [value for value in node.inputs if graph.const(value) is None]
    if is_layer(node, graph):
        return ()
    if isinstance(op, ops.Lif) and len(operands) == 1 and is_own(node, graph):
        return [pair for result in node.outputs for pair in _equal_ties(operands, result)]
    if len(node.outputs) != 1 or not node.output.shape:
        return None
    if isinstance(op, ops.Attention):
        return _head_ties(node, op.heads)
    if isinstance(op, ops.DepthwiseConv2D) and len(operands) == 1 and is_own(node, graph):
        times = node.output.shape[-1] // node.inputs[0].shape[-1]
        return [((node.inputs[0].name, c // times), (node.output.name, c)) for c in range(node.output.shape[-1])]
    if isinstance(op, ops.Reshape):
        return _reshape_ties(node.inputs[0], node.output)
    if isinstance(op, Elementwise):
        return _elementwise_ties(node, graph)
    return _equal_ties(operands, node.output) if _is_channelwise(node) else None


def is_own(node: Node, graph: Graph) -> bool:
    """Whether no other node reads the node's constants."""
    return all(len(graph.users(value)) == 1 for value in node.inputs if graph.const(value) is not None)


def _is_channelwise(node: Node) -> bool:
    """Whether channel c of the result is made of channel c of every operand, whatever their number."""
    op, last = node.op, node.inputs[0].type.rank - 1
    match op:
        case Pointwise() | Pool() | ops.Quantize():
            return True
        case ops.Pad():
            return op.paddings[last] == (0, 0)
        case Reduction():
            return last not in op.axes
        case ops.Concatenation():
            return op.axis != last
        case ops.Gather():
            return op.axis != last
        case ops.Transpose():
            return op.permutation[last] == last
        case ops.StridedSlice():
            return (op.begin[last], op.end[last], op.strides[last]) == (0, node.inputs[0].shape[last], 1)
    return False


def _equal_ties(operands: Iterable[Value], result: Value) -> Iterable[tuple[Channel, Channel]]:
    return [((x.name, c), (result.name, c)) for x in operands for c in range(result.shape[-1])]


def _elementwise_ties(node: Node, graph: Graph) -> Iterable[tuple[Channel, Channel]] | None:
    """Operands that repeat along the channels are not tied, but then the number of channels is theirs to keep."""
    y = node.output
    if not is_own(node, graph) or any(x.shape[-1:] != y.shape[-1:] and graph.const(x) is None for x in node.inputs):
        return None
    return _equal_ties([x for x in node.inputs if graph.const(x) is None], y)


def _reshape_ties(x: Value, y: Value) -> Iterable[tuple[Channel, Channel]] | None:
    """Axes merged into the last, or split off it: indices are equal modulo the smaller size."""
    if not x.shape:
        return None
    few, many = sorted((x, y), key=lambda value: value.shape[-1])
    if many.shape[-1] % few.shape[-1]:
        return None
    return [((few.name, c % few.shape[-1]), (many.name, c)) for c in range(many.shape[-1])]


def _head_ties(node: Node, heads: int) -> Iterable[tuple[Channel, Channel]]:
    """A head goes as a whole, with its queries, keys and values."""
    size = node.output.shape[-1] // heads
    values = (*node.inputs, node.output)
    return [((node.output.name, c // size * size), (value.name, c)) for value in values for c in range(heads * size)]


class _Groups:
    """Disjoint sets of channels, some of which must stay."""

    def __init__(self) -> None:
        self._parent: dict[Channel, Channel] = {}
        self._frozen: set[Channel] = set()

    def add(self, channel: Channel) -> None:
        self._parent.setdefault(channel, channel)

    def find(self, channel: Channel) -> Channel:
        while (parent := self._parent[channel]) != channel:
            self._parent[channel] = self._parent[parent]
            channel = parent
        return channel

    def join(self, one: Channel, other: Channel) -> None:
        self._parent[self.find(other)] = self.find(one)

    def freeze(self, channels: Iterable[Channel]) -> None:
        self._frozen.update(channels)

    def free(self) -> list[list[Channel]]:
        """The sets of which no member must stay."""
        sets: dict[Channel, list[Channel]] = {}
        for channel in self._parent:
            sets.setdefault(self.find(channel), []).append(channel)
        frozen = {self.find(channel) for channel in self._frozen}
        return [members for root, members in sets.items() if root not in frozen]
