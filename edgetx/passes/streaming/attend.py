"""Attention hop by hop: rings of keys and values."""

from dataclasses import replace

from edgetx.ir import Node
from edgetx.ops import Attention
from edgetx.passes.streaming.scope import Scope, streams


@streams(Attention)
def _attention(s: Scope, node: Node) -> None:
    """With a bounded look-back each frame attends to a ring; right context becomes delay."""
    assert isinstance(node.op, Attention)
    q, k, v = (s.flow(value) for value in node.inputs)
    if k is None or v is None:
        raise s.refusal(node, "has keys without time", "attend to frames")
    s.attends = True
    keys, values = s.aligned(node, [k, v])
    if q is None:
        s.emit(node, node.op, s.value(node.inputs[0]), s.whole(node, keys), s.whole(node, values))
        return
    if node.op.span is None:
        raise s.refusal(
            node, "looks at the whole clip in both directions",
            "retrain with window(N) and causal = true, or bound the look-back of this model: "
            "--set streaming.look_back=N, which computes something else than the clip model",
        )  # fmt: skip
    before, after = node.op.span
    s.uneven = True
    latest = max(q.delay, keys.delay + after)
    queries = s.delayed(q, latest)
    keys, values = (s.delayed(flow, latest - after) for flow in (keys, values))
    length = before + queries.frames + after
    op = replace(node.op, first=before) if queries.frames > 1 else replace(node.op, span=None)
    s.emit(node, op, queries.value, s.last(keys, length), s.last(values, length))
    ready = max(queries.ready, keys.ready + before + after)
    s.set_flow(node.output, queries, queries.axis, ready=ready)
