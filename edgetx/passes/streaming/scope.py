"""What the rules of streaming share: the graph being built, the flow of each value, rings and delays."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from edgetx.errors import EdgetxError
from edgetx.ir import Array, Graph, GraphBuilder, Node, Value
from edgetx.ops import Op, ShiftIn, StridedSlice
from edgetx.passes.streaming.flow import Flow, HopError, StreamError


class Scope:
    """The streaming graph under construction.

    Args:
        clip: The graph that takes a whole clip.
        axis: Time axis of its input.
        hop: Input frames per hop.

    Attributes:
        flows: The flow of each value of the clip that has a time axis.
        answers: By name, values whose last `clip_frames` frames make something without a time axis.
        endless: Whether a memory reaches back to the last reset.
        attends: Whether an attention looks at rings that are empty after a reset.
        padded: Whether the clip is padded along time anywhere.
        uneven: Whether the clip treats its first or last frames unlike the others.
    """

    def __init__(self, clip: Graph, axis: int, hop: int) -> None:
        self.clip = clip
        self.builder = GraphBuilder(clip.name, [*(v.name for v in clip.values), *(n.name for n in clip.nodes)])
        self.builder.consts.update(clip.consts)
        self.flows: dict[str, Flow] = {}
        self.answers: dict[str, Flow] = {}
        self.endless = self.attends = self.padded = self.uneven = False
        self._values: dict[str, Value] = {}
        self._rings: dict[tuple[str, int], Value] = {}
        (value,) = clip.inputs
        taken = Value(value.name, value.type.with_shape(_with_frames(value.shape, axis, hop)))
        self._values[value.name] = taken
        self.inputs = (taken,)
        self.flows[value.name] = Flow(taken, axis, value.shape[axis])

    def value(self, clip: Value) -> Value:
        """A value of the clip in the streaming graph."""
        return self._values.get(clip.name, clip)

    def flow(self, clip: Value) -> Flow | None:
        """The flow of a value of the clip; None for what has no time axis."""
        return self.flows.get(clip.name)

    def only_flow(self, node: Node) -> Flow:
        """The flow of a node's first operand, the only one that may have one.

        Raises:
            StreamError: If another operand changes with the audio as well.
        """
        flow = self.flow(node.inputs[0])
        if flow is None or any(value.name not in self.clip.consts for value in node.inputs[1:]):
            raise self.refusal(node, "mixes frames with what is not constant", "leave this layer out of the model")
        return flow

    def refusal(self, node: Node, why: str, instead: str) -> StreamError:
        """The error for a layer that cannot stream."""
        return StreamError(f"cannot run hop by hop: {node.op.name} {why}", where=node.name, hint=instead)

    def emit(self, node: Node, op: Op, *operands: Value) -> Value:
        """Write the counterpart of a node and return its first result."""
        try:
            shapes = [t.shape for t in op.infer(*(value.type for value in operands))]
        except EdgetxError as problem:
            raise self.refusal(node, f"does not take single hops: {problem.what}", "") from problem
        outputs = tuple(Value(v.name, v.type.with_shape(s)) for v, s in zip(node.outputs, shapes, strict=True))
        self.builder.nodes.append(Node(node.name, op, operands, outputs))
        self._values.update((value.name, value) for value in outputs)
        return outputs[0]

    def alias(self, node: Node, value: Value) -> None:
        """Say that the result of a node is a value that is there already."""
        self._values[node.output.name] = value

    def set_flow(self, result: Value, like: Flow, axis: int, **changes: object) -> None:
        """Say how a result flows; `changes` are the fields in which it differs from `like`."""
        moved = replace(like, value=self.value(result), axis=axis, clip_frames=result.shape[axis])
        self.flows[result.name] = replace(moved, **changes)  # type: ignore[arg-type]

    def last(self, flow: Flow, length: int) -> Value:
        """The last `length` frames of a flow: a ring where that is more than a hop."""
        if length == flow.frames:
            return flow.value
        if length < flow.frames:
            return self.part(flow.value, flow.axis, flow.frames - length, flow.frames)
        key = (flow.value.name, length)
        if key not in self._rings:
            kind = flow.value.type.with_shape(_with_frames(flow.value.shape, flow.axis, length))
            quant = kind.quant
            init = np.full(kind.shape, quant.zero_point if quant else 0, kind.dtype)
            state = self.builder.state(f"{flow.value.name}.ring", init, quant)
            ring = self.builder.op(
                ShiftIn(flow.axis), state, flow.value, name=f"{flow.value.name}.last", quant=(kind.dtype, quant)
            )
            self.builder.write_state(state, ring)
            self._rings[key] = ring
        return self._rings[key]

    def part(self, value: Value, axis: int, begin: int, end: int) -> Value:
        """Frames begin to end of a value."""
        starts = tuple(begin if i == axis else 0 for i in range(value.type.rank))
        op = StridedSlice(starts, _with_frames(value.shape, axis, end), (1,) * value.type.rank)
        return self.builder.op(op, value, name=f"{value.name}.part", quant=(value.type.dtype, value.type.quant))

    def delayed(self, flow: Flow, delay: int) -> Flow:
        """The flow with a delay that is at least its own."""
        extra = delay - flow.delay
        if extra == 0:
            return flow
        value = self.part(self.last(flow, flow.frames + extra), flow.axis, 0, flow.frames)
        return replace(flow, value=value, delay=delay, ready=flow.ready + extra)

    def aligned(self, node: Node, flows: Sequence[Flow]) -> list[Flow]:
        """Flows with the largest delay among them.

        Raises:
            StreamError: If they have different frame rates.
        """
        if len({(flow.stride, flow.frames) for flow in flows}) > 1:
            raise self.refusal(node, "joins different frame rates", "bring both to one rate before")
        latest = max(flow.delay for flow in flows)
        return [self.delayed(flow, latest) for flow in flows]

    def steady(self, node: Node, const: Value, axis: int, flow: Flow) -> tuple[Value, int]:
        """A constant as it is in the middle of a clip, for one hop, and how many frames at either end differ.

        Args:
            node: What reads it.
            const: The constant.
            axis: Its time axis; negative if it has none.
            flow: What it meets.

        Raises:
            StreamError: If it changes with time, as position embeddings do.
        """
        if axis < 0 or const.shape[axis] == 1:
            return const, 0
        data = np.moveaxis(self.clip.consts[const.name], axis, 0)
        middle = data[len(data) // 2]
        irregular = np.flatnonzero((data != middle).reshape(len(data), -1).any(-1))
        start, end = irregular[irregular < len(data) // 2], irregular[irregular >= len(data) // 2]
        edge = max(len(start) and int(start[-1]) + 1, len(end) and len(data) - int(end[0]))
        if edge > len(data) // 4:
            raise self.refusal(node, "adds to each frame what depends on its place in the clip",
                               "train without position embeddings: positions = 'none'")  # fmt: skip
        repeated = np.moveaxis(np.broadcast_to(middle, (flow.frames, *middle.shape)), 0, axis)
        name = f"{const.name}.steady"
        return self.builder.const(np.ascontiguousarray(repeated), name, const.type.quant), edge

    def answer(self, node: Node, flow: Flow) -> None:
        """Say that `node` makes something without a time axis out of the frames that the clip has.

        Raises:
            StreamError: If the clip pads them.
        """
        if flow.padded:
            raise self.refusal(node, "averages over padding", "average before padding")
        self.answers[node.inputs[0].name] = flow

    def whole(self, node: Node, flow: Flow) -> Value:
        """All frames that the clip has, for a layer after which there is no time; see `answer`."""
        self.answer(node, flow)
        return self.last(flow, flow.clip_frames)

    def divisible(self, flow: Flow, stride: int) -> None:
        """Ask for a longer hop unless it holds a multiple of `stride` frames of the flow."""
        if flow.frames % stride:
            raise HopError(stride // math.gcd(stride, flow.frames))

    def state(self, name: str, init: Array, like: Value) -> Value:
        """A state that begins as the constant `init`."""
        return self.builder.state(name, init, like.type.quant)


GLOBAL_NORM = (
    "mixes frames with an average over the clip: a global normalization",
    "normalize each frame, or with statistics from training (batch norm)",
)
"""Why a layer cannot run hop by hop, and what to do instead."""

RuleT = TypeVar("RuleT", bound=Callable[[Scope, Node], None])
RULES: dict[type, Callable[[Scope, Node], None]] = {}


def streams(*ops: type) -> Callable[[RuleT], RuleT]:
    """Register how some ops run hop by hop; a rule for a base class holds for what derives from it."""

    def register(rule: RuleT) -> RuleT:
        RULES.update(dict.fromkeys(ops, rule))
        return rule

    return register


def _with_frames(shape: tuple[int, ...], axis: int, frames: int) -> tuple[int, ...]:
    return (*shape[:axis], frames, *shape[axis + 1 :])
