"""Which constants are copied into the arena before they are read: those for which there is room."""

from collections.abc import Mapping, Sequence

from edgetx.ir import Graph, Node
from edgetx.ops import KernelCall
from edgetx.plan.arena import live_bytes
from edgetx.plan.liveness import live_buffers, places, staged_bytes
from edgetx.plan.order import least_arena

GROWTH = 1 / 4
GROWTH_BYTES = 2048
"""Copies may raise the arena above that of the portable kernels by such a part of it, and always by so many bytes.

The structures that TFLite Micro keeps in its arena take more: at least 2.6 KB for models that copy anything
(`benchmarks/arena.py`), of which a fourteenth is due to the host.
"""


def room_for_copies(graph: Graph) -> int:
    """Bytes to which copies may fill the arena.

    Args:
        graph: An integer graph as other runtimes take it.

    Raises:
        UnsupportedOpError: If an op has no C kernel.
    """
    plain = least_arena(graph)
    return plain + max(GROWTH_BYTES, int(GROWTH * plain))


def fit(graph: Graph, forms: Mapping[str, Sequence[KernelCall]], arena_bytes: float) -> dict[str, KernelCall]:
    """For each node the first form for which there is room.

    Args:
        graph: An integer graph.
        forms: Calls to choose from, by node name; the last one takes least memory.
        arena_bytes: What the arena may take, where there is a choice.
    """
    bare = {name: calls[-1] for name, calls in forms.items()}
    buffers = live_buffers(graph, bare, places(graph, bare))
    chosen = dict(bare)
    for step, node in enumerate(graph.nodes):
        if node.name in forms:
            room = arena_bytes - live_bytes(buffers, step)
            fitting = (call for call in forms[node.name] if _more_bytes(node, call, bare[node.name]) <= room)
            chosen[node.name] = next(fitting, bare[node.name])
    return chosen


def _more_bytes(node: Node, call: KernelCall, least: KernelCall) -> int:
    """How much more memory a call may take than the one that takes least."""
    apart = node.output.type.nbytes if least.in_place is not None and call.in_place is None else 0
    return call.scratch_bytes + staged_bytes(call) - least.scratch_bytes - staged_bytes(least) + apart
