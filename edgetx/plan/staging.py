"""Which constants are copied into the arena before they are read: those for which there is room."""

from collections.abc import Mapping
from dataclasses import replace

from edgetx.ir import Graph
from edgetx.ops import KernelCall
from edgetx.plan.arena import live_bytes, lower_bound
from edgetx.plan.liveness import live_buffers, owners, staged_bytes

GROWTH = 1 / 4
GROWTH_BYTES = 2048
"""Copies may raise the arena above that of the portable kernels by such a part of it, and always by so many bytes.

The structures that TFLite Micro keeps in its arena take more: at least 2.6 KB for models that copy anything
(`benchmarks/arena.py`), of which a fourteenth is due to the host.
"""


def stage_within(graph: Graph, portable: Mapping[str, KernelCall], chosen: Mapping[str, KernelCall]) -> set[str]:
    """Names of the nodes whose constants are copied.

    Args:
        graph: An integer graph.
        portable: Calls as the ops ask for them, by node name.
        chosen: Calls of the chosen kernels, with every copy that they would like.
    """
    plain = lower_bound(live_buffers(graph, portable, owners(graph, portable)))
    limit = plain + max(GROWTH_BYTES, int(GROWTH * plain))
    bare = {name: replace(call, staged=None) for name, call in chosen.items()}
    buffers = live_buffers(graph, bare, owners(graph, bare))
    return {
        node.name
        for step, node in enumerate(graph.nodes)
        if node.name in chosen
        and chosen[node.name].staged is not None
        and live_bytes(buffers, step) + staged_bytes(chosen[node.name]) <= limit
    }
