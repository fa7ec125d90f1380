"""The pass that turns a graph over a clip into one over a hop."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from edgetx.errors import ConfigError
from edgetx.ir import Graph, Node
from edgetx.passes.base import Pass
from edgetx.passes.streaming import attend, framewise, movement, readout, recurrence, windows  # noqa: F401
from edgetx.passes.streaming.flow import Flow, HopError, StreamError
from edgetx.passes.streaming.scope import RULES, Scope

__all__ = ["Stream", "Streamed"]

_LONGEST_HOP = 1024


@dataclass(frozen=True)
class Streamed:
    """A streaming graph, and what it says about the clip graph that it was made from.

    Attributes:
        graph: Takes the frames of one hop; keeps rings and memories in its states.
        clip_frames: Input frames of the clip.
        hop: Input frames per hop.
        lag: Input frames that the stream waits beyond the end of a clip before it has the clip's answer.
        ready: Hops after a reset from which on answers depend on real frames only.
        endless: Whether a memory reaches back to the last reset, so that no window has full context.
        from_reset: Whether a clip right after a reset gives the clip's own answer, padding included.
        padded: Whether the clip graph pads along time, so that its first and last frames are not the stream's.
        bodies: By name, the last values of the clip graph that have a time axis, and how they flow.
        frame_outputs: Whether there is an answer for every frame instead of one per hop.
    """

    graph: Graph
    clip_frames: int
    hop: int
    lag: int
    ready: int
    endless: bool
    from_reset: bool
    padded: bool
    bodies: Mapping[str, Flow]
    frame_outputs: bool

    @property
    def ends_with_window(self) -> int:
        """Hops until the first whole clip has been answered; later ones answer for windows that end with them."""
        return -(-(self.clip_frames + self.lag) // self.hop)


@dataclass(frozen=True)
class Stream(Pass):
    """From a clip to a hop; quantization parameters and constants stay those of the clip.

    Attributes:
        hop: Input frames per hop; 0 for as few as the strides allow.
    """

    name: ClassVar[str] = "stream"

    hop: int = 0

    def run(self, graph: Graph) -> Graph:
        return self.streamed(graph).graph

    def streamed(self, graph: Graph) -> Streamed:
        """The graph with its delays.

        Raises:
            StreamError: If a layer cannot run hop by hop.
            ConfigError: If the hop is not a multiple of the model's strides.
        """
        axis = _time_axis(graph)
        hop = self.hop or 1
        while hop <= _LONGEST_HOP:
            try:
                return _finished(_walk(graph, axis, hop), hop)
            except HopError as short:
                if self.hop:
                    raise ConfigError(
                        f"a hop of {self.hop} frames does not fit the strides of {graph.name}",
                        where="streaming.hop_frames", hint=f"multiples of {Stream().streamed(graph).hop}",
                    ) from short  # fmt: skip
                hop *= short.factor
        raise StreamError("its strides need a hop longer than any clip", where=graph.name)


def _time_axis(graph: Graph) -> int:
    if len(graph.inputs) != 1:
        raise StreamError(f"{len(graph.inputs)} inputs cannot be fed hop by hop", where=graph.name,
                          hint="a model of one input, frames × features")  # fmt: skip
    if graph.states:
        raise StreamError("runs hop by hop already", where=graph.name, hint="compile without --stream")
    shape = graph.inputs[0].shape
    axes = [axis for axis in range(1, len(shape)) if shape[axis] > 1]
    if len(shape) < 3 or not axes:
        raise StreamError(f"its input {shape} has no time axis", where=graph.inputs[0].name,
                          hint="an input of 1 × frames × features")  # fmt: skip
    return axes[0]


def _walk(graph: Graph, axis: int, hop: int) -> Scope:
    scope = Scope(graph, axis, hop)
    for node in graph.nodes:
        if any(scope.flow(value) for value in node.inputs):
            _rule(scope, node)(scope, node)
        else:
            assert node.op.name
            scope.emit(node, node.op, *map(scope.value, node.inputs))  # type: ignore[arg-type]
    return scope


def _rule(scope: Scope, node: Node) -> Callable[[Scope, Node], None]:
    for base in type(node.op).__mro__:
        if base in RULES:
            return RULES[base]
    raise scope.refusal(node, "has no streaming form", "compile the clip model without --stream")


def _finished(scope: Scope, hop: int) -> Streamed:
    clip, flows = scope.clip, scope.flows.values()
    graph = scope.builder.graph(*map(scope.value, clip.outputs))
    leaving = {value.name: flow for value in clip.outputs if (flow := scope.flow(value))}
    bodies = {**leaving, **scope.answers}
    ends = {flow.stride * (flow.delay + flow.clip_frames) for flow in bodies.values()}
    if len(ends) != 1:
        raise StreamError("its answers are ready at different times", where=clip.name, hint="a model of one output")
    frames = scope.flows[clip.inputs[0].name].clip_frames
    lag = int(ends.pop()) - frames
    causal = all(flow.delay == 0 or flow.padded for flow in flows)
    return Streamed(
        graph=replace(graph, inputs=scope.inputs),
        clip_frames=frames,
        hop=hop,
        lag=lag,
        ready=max(_hops(f, f.ready + (0 if name in leaving else f.clip_frames)) for name, f in bodies.items()),
        endless=scope.endless,
        from_reset=causal and not scope.attends and not scope.uneven and lag <= 0 and (frames + lag) % hop == 0,
        padded=scope.padded or scope.uneven,
        bodies=bodies,
        frame_outputs=bool(leaving),
    )


def _hops(flow: Flow, frames: int) -> int:
    return -(-frames // flow.frames)
