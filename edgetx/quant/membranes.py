"""How far the membranes of spiking neurons reach below zero."""

from dataclasses import replace

from edgetx.ir import Graph, Node
from edgetx.ops import Lif
from edgetx.ops.lif import REACHES
from edgetx.quant.calibrate import Ranges


def with_reach(graph: Graph, ranges: Ranges) -> Graph:
    """The graph with neurons whose membranes hold what calibration saw; those that need no more keep their reach.

    Normalized currents stay within some thresholds of zero. Others may press a membrane hundreds of thresholds down,
    and how long it stays silent then depends on how far.

    Args:
        graph: A float graph.
        ranges: What calibration saw of its values.
    """
    nodes = tuple(_reaching(node, ranges) for node in graph.nodes)
    return replace(graph, nodes=nodes) if nodes != graph.nodes else graph


def _reaching(node: Node, ranges: Ranges) -> Node:
    if not isinstance(node.op, Lif) or node.outputs[1].name not in ranges:
        return node
    depth = -ranges[node.outputs[1].name][0] / node.op.threshold
    reach = next((reach for reach in REACHES if reach >= max(depth, node.op.reach)), REACHES[-1])
    return replace(node, op=replace(node.op, reach=reach)) if reach != node.op.reach else node
