"""The program that the C backend writes: kernel calls in order, with every operand placed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from edgetx.ir import Graph, Node, Value
from edgetx.ops import KernelCall, Op
from edgetx.plan.arena import Arena, plan_arena
from edgetx.plan.events import SpikeLayer, event_call, spike_layers
from edgetx.plan.kernels import choose_kernels
from edgetx.plan.liveness import live_buffers, owners
from edgetx.plan.schedule import UNTUNED, Schedule
from edgetx.plan.staging import fit


@dataclass(frozen=True)
class Step:
    """One kernel call."""

    node: Node
    call: KernelCall
    source: Path


@dataclass(frozen=True)
class Program:
    """A graph with its kernels chosen and its memory planned.

    Attributes:
        graph: The integer graph.
        steps: Kernel calls in order; views have none.
        arena: Placement of buffers.
        owner: The buffer that holds each value.
    """

    graph: Graph
    steps: tuple[Step, ...]
    arena: Arena
    owner: dict[str, str]

    def offset(self, value: Value) -> int | None:
        """Byte offset of a value in the arena; None for constants and states, which lie elsewhere."""
        return self.arena.offsets.get(self.owner.get(value.name, ""))

    @property
    def state_bytes(self) -> int:
        """Bytes of all states."""
        return sum(state.read.type.nbytes for state in self.graph.states)


def plan_program(
    graph: Graph,
    kernel_folders: Sequence[str] = (),
    events: Collection[str] = (),
    arena_bytes: float = float("inf"),
    schedule: Schedule = UNTUNED,
) -> Program:
    """Choose kernels and place buffers.

    Args:
        graph: An integer graph.
        kernel_folders: Where to look for kernels before the portable ones, in order.
        events: Names of the layers on spikes that skip silent inputs.
        arena_bytes: What copies of weights may fill the arena to.
        schedule: Forms that were found to be the fastest on the target.

    Raises:
        UnsupportedOpError: If an op has no C kernel.
    """
    layers = {layer.node.name: layer for layer in spike_layers(graph) if layer.node.name in events}
    nodes = [node for node in graph.nodes if not cast(Op, node.op).is_view]
    portable = {node.name: cast(Op, node.op).to_c(node) for node in nodes}
    forms = {
        node.name: _forms(graph, portable[node.name], kernel_folders, layers.get(node.name), schedule) for node in nodes
    }
    calls = fit(graph, portable, {name: [call for call, _ in found] for name, found in forms.items()}, arena_bytes)
    sources = {name: {call.form: source for call, source in found} for name, found in forms.items()}
    steps = tuple(Step(node, calls[node.name], sources[node.name][calls[node.name].form]) for node in nodes)
    owner = owners(graph, calls)
    return Program(graph, steps, plan_arena(live_buffers(graph, calls, owner)), owner)


def _forms(
    graph: Graph, call: KernelCall, kernel_folders: Sequence[str], spikes: SpikeLayer | None, schedule: Schedule
) -> list[tuple[KernelCall, Path]]:
    data = [graph.const(operand) if isinstance(operand, Value) else operand for operand in call.operands]
    by_events = None if spikes is None else event_call(spikes, call, data)
    if by_events is None:
        return choose_kernels(call, data, kernel_folders, schedule)
    ((form, source),) = choose_kernels(by_events, [None] * len(by_events.operands), kernel_folders)
    return [(form, source), (replace(form, staged=None), source)]
