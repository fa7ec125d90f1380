"""The trace engine in Python, for machines without a C compiler: slower, with the same numbers."""

from collections.abc import Callable, Collection, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import unicorn
from unicorn import arm_const

from edgetx.profile.trace.costs import Costs
from edgetx.profile.trace.engine import (
    NEVER,
    NO_EDGE,
    Context,
    EdgeCount,
    EdgeKey,
    NodeFlag,
    Resolve,
    Stopped,
    Traffic,
    condition_holds,
)
from edgetx.profile.trace.events import Event, EventFlag, EventKind, StallKind
from edgetx.profile.trace.memory_map import MemoryMap
from edgetx.profile.trace.python_memory import Cache, Memory, RegionState
from edgetx.profile.trace.python_timing import History, evaluate, stall
from edgetx.profile.trace.slices import Step

_Saved = tuple[Memory, History, bytearray, list[int], int]

FIRST_DEVICE = 0x4000_0000
DEADLINE_MARGIN = 4096
MAX_DEPTH = 512
PREDICTORS = 1024
MASK_REGISTERS = (arm_const.UC_ARM_REG_PRIMASK, arm_const.UC_ARM_REG_BASEPRI, arm_const.UC_ARM_REG_FAULTMASK)


@dataclass
class _Node:
    pc: int
    end: int
    instructions: int
    function: int
    flags: NodeFlag
    edges: dict[tuple[int, int], list[int]] = field(default_factory=dict)


@dataclass
class _Edge:
    key: EdgeKey
    to: int
    cycles: int
    count: int = 0
    stalls: list[int] = field(default_factory=lambda: [0] * len(StallKind))
    events: Sequence[Event] = ()
    steps: Sequence[Step] = ()
    settled: int = -1


@dataclass
class _Context:
    parent: int
    function: int
    site: int
    children: dict[tuple[int, int], int] = field(default_factory=dict)
    cycles: int = 0
    instructions: int = 0
    calls: int = 0


class PythonEngine:
    """`Engine` in Python."""

    def __init__(self, uc: Any, resolve: Resolve) -> None:
        self._uc, self._resolve = uc, resolve
        self.cycles = self.instructions = self.node = self.edge = 0
        self.deadline = self.instruction_limit = NEVER
        self.lowest_stack = 0xFFFF_FFFF
        self.stop_requested = self.may_overrun = False
        self.device = 0
        self.stopped = Stopped.RUNNING
        self._nodes = [_Node(0, 0, 0, 0, NodeFlag(0))]
        self._edges: list[_Edge] = []
        self._contexts = [_Context(-1, 0, 0)]
        self._context = 0
        self._frames: list[tuple[int, int]] = []
        self._watched: frozenset[int] = frozenset()
        self._passing = -1
        self._block = range(0)
        self._masks: tuple[int, ...] | None = None
        self._predictors = bytearray(PREDICTORS)
        self._costs, self._memory, self._history = Costs(), Memory(), History()
        uc.hook_add(unicorn.UC_HOOK_BLOCK, self._on_block)

    def resume(self) -> None:
        self.stopped, self.stop_requested = Stopped.RUNNING, False

    def add_node(self, pc: int, end: int, instructions: int, function: int, flags: NodeFlag) -> int:
        self._nodes.append(_Node(pc, end, instructions, function, flags))
        return len(self._nodes) - 1

    def add_edge(self, source: int, to: int, key: EdgeKey, cycles: int) -> int:
        self._edges.append(_Edge(key, to, cycles))
        self._nodes[source].edges.setdefault((key.pc, key.size), []).append(len(self._edges) - 1)
        return len(self._edges) - 1

    def cut(self, first: int, last: int) -> None:
        for node in self._nodes:
            for pc, size in list(node.edges):
                if any(pc < address < pc + size for address in (first, last)):
                    del node.edges[pc, size]
        self._uc.hook_add(unicorn.UC_HOOK_CODE, self._on_cut, None, first, last)

    def add_events(self, edge: int, events: Sequence[Event], steps: Sequence[Step]) -> None:
        self._edges[edge].events, self._edges[edge].steps = events, steps

    def set_costs(self, costs: Costs) -> None:
        self._costs = costs

    def add_cache(self, line_shift: int, set_count: int, way_count: int, random: int) -> None:
        self._memory.caches.append(Cache(line_shift, set_count, way_count, random))

    def set_memory(self, memory: MemoryMap, host_address: Callable[[int], int]) -> None:
        if not self._memory.regions:
            self._memory.regions = [RegionState(region) for region in memory.regions]
        for state, region in zip(self._memory.regions, memory.regions, strict=True):
            state.region = region
        for cache, on in zip(self._memory.caches, memory.caches_on, strict=True):
            cache.enabled = on
            self._memory.fetch_misses += 1

    def traffic(self) -> list[Traffic]:
        return [Traffic(r.region.base, r.read_bytes, r.written_bytes) for r in self._memory.regions]

    def cache_misses(self) -> list[int]:
        return [cache.misses for cache in self._memory.caches]

    def watch(self, addresses: Collection[int]) -> None:
        self._watched, self._passing = frozenset(addresses), -1

    def watch_masks(self, on: bool) -> None:
        self._masks = self._read_masks() if on else None

    def _read_masks(self) -> tuple[int, ...]:
        return tuple(self._uc.reg_read(register) for register in MASK_REGISTERS)

    def enter(self, function: int, site: int, return_pc: int) -> None:
        if len(self._frames) == MAX_DEPTH:
            return
        self._frames.append((self._context, return_pc))
        self._context = self._child(self._context, function, site)

    def leave(self, return_pc: int) -> None:
        for depth in range(len(self._frames) - 1, -1, -1):
            context, address = self._frames[depth]
            if address == return_pc:
                self._context = context
                del self._frames[depth:]
                return

    def charge(self, cycles: int) -> None:
        self.cycles += cycles
        self._contexts[self._context].cycles += cycles

    def edge_counts(self) -> list[EdgeCount]:
        return [EdgeCount(edge.count, tuple(edge.stalls)) for edge in self._edges]

    def contexts(self) -> list[Context]:
        return [Context(c.parent, c.function, c.site, c.cycles, c.instructions, c.calls) for c in self._contexts]

    def _child(self, parent: int, function: int, site: int) -> int:
        children = self._contexts[parent].children
        if (function, site) not in children:
            children[function, site] = len(self._contexts)
            self._contexts.append(_Context(parent, function, site))
        index = children[function, site]
        self._contexts[index].calls += 1
        return index

    def _follow_calls(self, source: _Node, to: _Node) -> None:
        if source.flags & NodeFlag.CALLS and to.pc != source.end:
            self.enter(to.function or to.pc, source.end, source.end)
        elif source.flags & NodeFlag.RETURNS:
            self.leave(to.pc)
        context = self._contexts[self._context]
        if to.function and to.function != context.function and context.parent >= 0:
            self._context = self._child(context.parent, to.function, context.site)

    def _stop(self, why: Stopped) -> None:
        self.stopped = why
        self._uc.emu_stop()

    def _on_block(self, _uc: Any, pc: int, size: int, _data: Any) -> None:
        self._block = range(pc, pc + size)
        self._enter_block(pc, size)

    def _on_cut(self, _uc: Any, pc: int, _size: int, _data: Any) -> None:
        if pc != self._block.start:
            self._enter_block(pc, self._block.stop - pc)

    def _enter_block(self, pc: int, size: int) -> None:
        why = self._reason_to_stop(pc)
        index = self._edge_to(pc, size) if why is Stopped.RUNNING else NO_EDGE
        if why is Stopped.RUNNING and index == NO_EDGE:
            why = Stopped.UNRESOLVED
        if why is Stopped.RUNNING:
            why = self._take(index)
        if why is not Stopped.RUNNING:
            self._stop(why)

    def _reason_to_stop(self, pc: int) -> Stopped:
        if self.stop_requested:
            return Stopped.REQUESTED
        if self.cycles >= self.deadline:
            return Stopped.DEADLINE
        if self.instructions >= self.instruction_limit:
            return Stopped.LIMIT
        if self._masks is not None and self._masks != self._read_masks():
            return Stopped.UNMASKED
        if pc in self._watched and self._passing != pc:
            self._passing = pc
            return Stopped.WATCHED
        self._passing = -1
        return Stopped.RUNNING

    def _edge_to(self, pc: int, size: int) -> int:
        for index in self._nodes[self.node].edges.get((pc, size), ()):
            key = self._edges[index].key
            if not key.condition or self._holds(key.condition) == key.holds:
                return index
        return self._resolve(self.node, pc, size)

    def _holds(self, condition: str) -> bool:
        return condition_holds(condition, self._uc.reg_read(arm_const.UC_ARM_REG_APSR))

    def _take(self, index: int) -> Stopped:
        edge = self._edges[index]
        source, to = self._nodes[self.node], self._nodes[edge.to]
        values = evaluate(edge.steps, self._uc.reg_read, self._read_memory)
        if device := self._device_of(edge, values):
            self.device = device.where
            return Stopped.DEVICE
        near = not self.may_overrun and self.deadline - self.cycles < edge.cycles + DEADLINE_MARGIN
        saved = self._save(edge) if near else None
        cycles = edge.cycles
        if source.flags & NodeFlag.PREDICTS:
            cycles += self._predict(edge, source, to)
        cycles += self._run_events(edge, values)
        if saved and self.cycles + cycles > self.deadline:
            self._restore(edge, saved)
            return Stopped.DEADLINE
        if source.flags & NodeFlag.MOVES_STACK:
            self.lowest_stack = min(self.lowest_stack, self._uc.reg_read(arm_const.UC_ARM_REG_SP))
        if source.flags & (NodeFlag.CALLS | NodeFlag.RETURNS) or to.function != source.function:
            self._follow_calls(source, to)
        edge.count += 1
        self.edge, self.node, self.may_overrun = index, edge.to, False
        self.instructions += to.instructions
        self._contexts[self._context].instructions += to.instructions
        self.charge(cycles)
        return Stopped.RUNNING

    def _device_of(self, edge: _Edge, values: Sequence[int]) -> Event | None:
        """The first event whose address is in no memory: a peripheral's."""
        for event in edge.events:
            if event.kind not in (EventKind.LOAD, EventKind.STORE) or event.flags & EventFlag.APART:
                continue
            address = (values[event.a] if event.a >= 0 else 0) + event.b & 0xFFFF_FFFF
            if address >= FIRST_DEVICE and self._memory.find(address) is None:
                return event
        return None

    def _save(self, edge: _Edge) -> _Saved:
        state = self._memory, self._history, self._predictors, edge.stalls, edge.settled
        return deepcopy(state)

    def _restore(self, edge: _Edge, saved: _Saved) -> None:
        self._memory, self._history, self._predictors, edge.stalls, edge.settled = saved

    def _predict(self, edge: _Edge, source: _Node, to: _Node) -> int:
        """Two bits per branch, shared by branches whose addresses collide."""
        slot = (source.end >> 1) % PREDICTORS
        counter, taken = self._predictors[slot], to.pc != source.end
        early = source.flags & NodeFlag.EARLY_FLAGS
        wrong = self._costs.mispredict_early_cycles if early else self._costs.mispredict_cycles
        stalled = 0 if taken == (counter >= 2) else wrong
        edge.stalls[StallKind.BRANCH] += stalled
        self._predictors[slot] = min(counter + 1, 3) if taken else max(counter - 1, 0)
        return stalled

    def _run_events(self, edge: _Edge, values: Sequence[int]) -> int:
        """What events cost; fetches are left out while every line is where it was when all were found in a cache."""
        misses = self._memory.fetch_misses
        settled = edge.settled == misses
        stalled = 0
        for event in edge.events:
            if not (settled and event.kind is EventKind.FETCH):
                stalled += self._stall(edge, event, values, stalled)
        if not settled:
            edge.settled = misses if self._memory.fetch_misses == misses else -1
        return stalled

    def _stall(self, edge: _Edge, event: Event, values: Sequence[int], stalled: int) -> int:
        time = max(self.cycles + event.offset + stalled, 0)
        return stall(self._costs, self._memory, self._history, event, values, time, edge.stalls)

    def _read_memory(self, address: int, size: int) -> int:
        state = self._memory.find(address)
        if state is None or state.region.end - address < size:
            return 0
        return int.from_bytes(self._uc.mem_read(address, size), "little")
