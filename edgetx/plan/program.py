"""The program that the C backend writes: kernel calls in order, with every operand placed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from edgetx.ir import Graph, Node, Value
from edgetx.ops import KernelCall, Op
from edgetx.passes.fold_pads import FoldPads
from edgetx.plan.arena import Arena, plan_arena
from edgetx.plan.events import SpikeLayer, event_call, spike_layers
from edgetx.plan.kernels import choose_kernels
from edgetx.plan.liveness import live_buffers, places
from edgetx.plan.order import order_for_memory
from edgetx.plan.schedule import UNTUNED, Schedule
from edgetx.plan.staging import fit, room_for_copies
from edgetx.plan.strips import fit_in_strips
from edgetx.plan.views import Place, computed


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
        graph: The integer graph, its nodes in the order of the steps.
        steps: Kernel calls in order; views have none.
        arena: Placement of buffers.
        places: The buffer that holds each value, and where in it.
    """

    graph: Graph
    steps: tuple[Step, ...]
    arena: Arena
    places: dict[str, Place]

    def offset(self, value: Value) -> int | None:
        """Byte offset of a value in the arena; None for constants and states, which lie elsewhere."""
        buffer, offset = self.places.get(value.name, Place(""))
        return self.arena.offsets[buffer] + offset if buffer in self.arena.offsets else None

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
        arena_bytes: What copies of weights may fill the arena to. Where the graph takes more, pads are not computed and
            convolutions work in strips of rows.
        schedule: Forms that were found to be the fastest on the target.

    Raises:
        UnsupportedOpError: If an op has no C kernel.
    """
    most = min(room_for_copies(graph), arena_bytes)
    graph = order_for_memory(graph)
    program = _plan(graph, kernel_folders, events, most, schedule)
    goal = arena_bytes
    while program.arena.nbytes > arena_bytes:
        smaller = fit_in_strips(FoldPads(keep=frozenset(events)).run(graph), goal)
        found = _plan(smaller, kernel_folders, events, most, schedule)
        if found.arena.nbytes >= program.arena.nbytes:
            break
        program = found
        goal -= max(0, program.arena.nbytes - arena_bytes)  # kernels take buffers, too
    return program


def _plan(
    graph: Graph, kernel_folders: Sequence[str], events: Collection[str], arena_bytes: float, schedule: Schedule
) -> Program:
    layers = {layer.node.name: layer for layer in spike_layers(graph) if layer.node.name in events}
    nodes = computed(graph)
    forms = {node.name: _forms(graph, node, kernel_folders, layers.get(node.name), schedule) for node in nodes}
    calls = fit(graph, {name: [call for call, _ in found] for name, found in forms.items()}, arena_bytes)
    sources = {name: {call.form: source for call, source in found} for name, found in forms.items()}
    steps = tuple(Step(node, calls[node.name], sources[node.name][calls[node.name].form]) for node in nodes)
    where = places(graph, calls)
    return Program(graph, steps, plan_arena(live_buffers(graph, calls, where)), where)


def _forms(
    graph: Graph, node: Node, kernel_folders: Sequence[str], spikes: SpikeLayer | None, schedule: Schedule
) -> list[tuple[KernelCall, Path]]:
    call = cast(Op, node.op).to_c(node)
    data = [graph.const(operand) if isinstance(operand, Value) else operand for operand in call.operands]
    by_events = None if spikes is None else event_call(spikes, call, data)
    if by_events is None:
        return choose_kernels(call, data, kernel_folders, schedule)
    ((form, source),) = choose_kernels(by_events, [None] * len(by_events.operands), kernel_folders)
    return [(form, source), (replace(form, staged=None), source)]
