"""Cycles of a stretch of execution, by function, source line, call path and cause."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from edgetx.profile.cores.timing import Cause
from edgetx.profile.image import Image
from edgetx.profile.instruction import Instruction, Kind
from edgetx.profile.trace.engine import Context, EdgeCount, Traffic
from edgetx.profile.trace.events import StallKind
from edgetx.profile.trace.tracer import Edge, Tracer

STALL_NAMES = {
    StallKind.FETCH: "flash",
    StallKind.DATA: "data",
    StallKind.SWITCH: "memory",
    StallKind.CONFLICT: "bank",
    StallKind.DIVIDE: "divide",
    StallKind.BRANCH: "mispredict",
}
"""What the report calls stalls that depend on addresses and operands; the others go by their `Cause`."""


@dataclass(frozen=True)
class Snapshot:
    """Everything the engine has counted up to a moment."""

    cycles: int
    instructions: int
    edges: Sequence[EdgeCount]
    contexts: Sequence[Context]
    traffic: Sequence[Traffic]


@dataclass(frozen=True)
class FunctionCost:
    """A function: cycles and instructions without its callees, cycles with them, and calls."""

    name: str
    cycles: int
    instructions: int
    total_cycles: int
    calls: int


_NEVER = EdgeCount(0, (0,) * len(StallKind))


def take_snapshot(tracer: Tracer) -> Snapshot:
    """What has been counted so far."""
    engine = tracer.engine
    return Snapshot(engine.cycles, engine.instructions, engine.edge_counts(), engine.contexts(), engine.traffic())


class Span:
    """What happened between two snapshots."""

    def __init__(self, tracer: Tracer, image: Image, before: Snapshot, after: Snapshot) -> None:
        self._edges, self._image = tracer.edges, image
        self.cycles = after.cycles - before.cycles
        self.instructions = after.instructions - before.instructions
        self.counts = [_less(edge, before.edges[i : i + 1]) for i, edge in enumerate(after.edges)]
        self.contexts = [_less_context(c, before.contexts[i : i + 1]) for i, c in enumerate(after.contexts)]
        self._traffic = after.traffic, before.traffic

    def stalls(self) -> dict[str, int]:
        """Cycles by cause; they add up to all cycles.

        Those of no instruction, as of exception entry and return and of sleep, go by `exception`.
        """
        total: Counter[str] = Counter()
        for edge, count in self._taken():
            for kind, cycles in enumerate(count.stalls):
                total[STALL_NAMES[StallKind(kind)]] += cycles
            for cost in (edge.timing.entry, *edge.timing.costs):
                total[Cause.ISSUE.value] += count.count * cost.cycles
                for cause, cycles in cost.stalls:
                    total[cause.value] += count.count * cycles
        total["exception"] = self.cycles - total.total()
        return {name: cycles for name, cycles in sorted(total.items(), key=lambda item: -item[1]) if cycles}

    def functions(self) -> list[FunctionCost]:
        """Functions, the most expensive first."""
        own: Counter[int] = Counter()
        executed: Counter[int] = Counter()
        inclusive: Counter[int] = Counter()
        calls: Counter[int] = Counter()
        for index, context in enumerate(self.contexts):
            own[context.function] += context.cycles
            executed[context.function] += context.instructions
            calls[context.function] += context.calls
            if context.function not in {c.function for c in self._ancestors(index)}:
                inclusive[context.function] += self.inclusive[index]
        rows = (
            FunctionCost(self.name(address), own[address], executed[address], inclusive[address], calls[address])
            for address in own
            if own[address] or calls[address]
        )
        return sorted(rows, key=lambda row: -row.cycles)

    def bytes_by_region(self) -> dict[int, tuple[int, int]]:
        """Bytes read and written by base address of the memory region."""
        after, before = self._traffic
        known = {traffic.base: traffic for traffic in before}
        return {
            t.base: (t.read_bytes - known[t.base].read_bytes, t.written_bytes - known[t.base].written_bytes)
            for t in after
        }

    def instruction_cycles(self) -> Counter[int]:
        """Cycles by instruction address."""
        total: Counter[int] = Counter()
        for edge, count in self._taken():
            for instruction, cost in zip(edge.block.instructions, edge.timing.costs, strict=True):
                total[instruction.address] += count.count * cost.total
            total[edge.block.address] += count.count * edge.timing.entry.total
            for address, cycles in _place_stalls(edge, count):
                total[address] += cycles
        return total

    @cached_property
    def inclusive(self) -> list[int]:
        """Cycles of each context with its callees."""
        totals = [context.cycles for context in self.contexts]
        for index in range(len(totals) - 1, 0, -1):
            totals[self.contexts[index].parent] += totals[index]
        return totals

    def name(self, function: int) -> str:
        """Name of a function, or its address."""
        found = self._image.function_at(function)
        return found.name if found else f"0x{function:08x}" if function else "(start)"

    def path(self, index: int) -> list[str]:
        """Names from the outermost caller down to a context."""
        return [self.name(c.function) for c in (*reversed(list(self._ancestors(index))), self.contexts[index])]

    def _ancestors(self, index: int) -> Iterator[Context]:
        parent = self.contexts[index].parent
        while parent >= 0:
            yield self.contexts[parent]
            parent = self.contexts[parent].parent

    def _taken(self) -> Iterator[tuple[Edge, EdgeCount]]:
        return ((self._edges[i], count) for i, count in enumerate(self.counts) if count.count)


def _place_stalls(edge: Edge, count: EdgeCount) -> Iterator[tuple[int, int]]:
    """Give stalls to the instructions that can have caused them; what cannot be told apart is shared."""
    block = edge.block
    loads = [i for i in block.instructions if i.access] or [block.instructions[0]]
    divides = [i for i in block.instructions if i.kind is Kind.DIVIDE] or [block.instructions[0]]
    culprits: Mapping[StallKind, list[Instruction]] = {
        StallKind.FETCH: [block.instructions[0]],
        StallKind.BRANCH: [block.instructions[0]],
        StallKind.DIVIDE: divides,
    }
    for kind, cycles in enumerate(count.stalls):
        those = culprits.get(StallKind(kind), loads)
        for n, instruction in enumerate(those):
            yield instruction.address, (cycles + n) // len(those)


def _less(after: EdgeCount, before: Sequence[EdgeCount]) -> EdgeCount:
    if not before:
        return after
    if after.count == before[0].count:
        return _NEVER
    stalls = tuple(a - b for a, b in zip(after.stalls, before[0].stalls, strict=True))
    return EdgeCount(after.count - before[0].count, stalls)


def _less_context(after: Context, before: Sequence[Context]) -> Context:
    if not before:
        return after
    b = before[0]
    return Context(
        after.parent,
        after.function,
        after.site,
        after.cycles - b.cycles,
        after.instructions - b.instructions,
        after.calls - b.calls,
    )
