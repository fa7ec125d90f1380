"""From frames to an answer hop by hop."""

from edgetx.ir import Node
from edgetx.ops import Mean, ReduceMax
from edgetx.ops.reduction import Reduction
from edgetx.passes.streaming.scope import Scope, streams


@streams(Mean, ReduceMax)
def _reduce(s: Scope, node: Node) -> None:
    """Over time: over the last frames, as many as the clip has."""
    flow = s.only_flow(node)
    assert isinstance(node.op, Reduction)
    if flow.axis in node.op.axes:
        s.emit(node, node.op, s.whole(node, flow))
        return
    s.emit(node, node.op, flow.value)
    gone = 0 if node.op.keepdims else sum(axis < flow.axis for axis in node.op.axes)
    s.set_flow(node.output, flow, flow.axis - gone)
