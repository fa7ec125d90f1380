"""Recurrences hop by hop: the state that a clip begins with becomes one of the graph."""

from edgetx.ir import Node
from edgetx.ops.recurrence import Recurrence
from edgetx.passes.streaming.scope import Scope, streams


@streams(Recurrence)
def _recur(s: Scope, node: Node) -> None:
    """A recurrent op: its last operand is the state before the first frame, its last result the one after the last."""
    assert isinstance(node.op, Recurrence)
    *driven, start = node.inputs
    given = [flow for flow in map(s.flow, driven) if flow is not None]
    init = s.clip.const(start)
    if init is None or not given:
        raise s.refusal(node, "begins with a state that is not constant", "begin with zeros")
    aligned = s.aligned(node, given)
    later = iter(aligned)
    operands = [value if s.flow(value) is None else next(later).value for value in driven]
    state = s.state(f"{node.name}.state", init, start)
    s.emit(node, node.op, *operands, state)
    s.builder.write_state(state, s.value(node.outputs[-1]))
    s.endless = True
    latest = max(given, key=lambda flow: flow.delay)
    for result in node.outputs[:-1]:
        s.set_flow(result, latest, latest.axis, ready=max(flow.ready for flow in aligned))
