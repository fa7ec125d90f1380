"""Decides, once, what each edge of the trace costs; the engine only counts."""

from bisect import bisect_right, insort
from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass, replace

from edgetx.profile.cores.timing import CoreModel, Timing
from edgetx.profile.decode import Decoder
from edgetx.profile.emulator import REGISTERS, Emulator
from edgetx.profile.image import Image
from edgetx.profile.instruction import Block, Index, Instruction, Kind
from edgetx.profile.it_blocks import condition_of, decided, governed
from edgetx.profile.trace import native
from edgetx.profile.trace.engine import NO_EDGE, EdgeKey, Engine, NodeFlag, Resolve, condition_holds
from edgetx.profile.trace.events import make_events
from edgetx.profile.trace.python_engine import PythonEngine

START = 0


@dataclass(frozen=True)
class Edge:
    """A block as timed behind another one."""

    source: int
    to: int
    block: Block
    timing: Timing


class Tracer:
    """Owns the engine and everything known about the edges it counts.

    A block of the emulator is cut where something happens whose time must be exact: around an access to a peripheral,
    and before an IT instruction whose outcome decides on cycles. Cuts are made while the emulator stands still.

    Args:
        emulator: Whose blocks these are.
        image: What it executes.
        model: The pipeline of the core.
        skips: Whether an instruction of an IT block whose condition fails takes no more than its turn.
        check: Raises if the core lacks an instruction.
        fetch_line: Bytes at an address that arrive together when they have to be waited for; 0: never a wait.
        spins: Called before a block that is a branch to itself.
        use_native: Whether to count in C if possible.

    Attributes:
        engine: What counts.
        edges: What each edge of the engine is, by index.
        problem: The error that made the engine stop, if one did.
    """

    def __init__(
        self,
        emulator: Emulator,
        image: Image,
        model: CoreModel,
        skips: bool,
        check: Callable[[Instruction], None],
        fetch_line: Callable[[int], int],
        spins: Callable[[], None],
        use_native: bool = True,
    ) -> None:
        self._emulator, self._image, self._model, self._skips = emulator, image, model, skips
        self._check, self._fetch_line, self._spins = check, fetch_line, spins
        self._decoder = Decoder()
        self._blocks: dict[tuple[int, int], Block] = {}
        self._nodes: dict[tuple[Block, Hashable], int] = {}
        self._states = [model.reset()]
        self._cuts: list[int] = []
        self._wanted: tuple[int, int] | None = None
        self._found = (-1, -1)
        self.blocks: list[Block | None] = [None]
        self.edges: list[Edge] = []
        self.problem: Exception | None = None
        self.engine: Engine = _make_engine(emulator, self._resolve, use_native)

    def restart(self) -> None:
        """The next block starts with an empty pipeline."""
        self.engine.node = START

    def watch(self, addresses: Collection[int]) -> None:
        """Stop before blocks that start at these addresses."""
        self.engine.watch(addresses)

    def cut_where_wanted(self) -> bool:
        """Make the cut for which an edge could not be resolved; whether there was one."""
        if self._wanted is None:
            return False
        self._cut(*self._wanted)
        self._wanted = None
        return True

    def cut_around_device_access(self) -> None:
        """Count the instruction apart whose access to a peripheral made the engine stop."""
        address = self.engine.device
        self._cut(address, self._decoder.first(address, self._emulator.read(address, 4)).end)

    def cycles_left(self, address: int, is_write: bool) -> int:
        """Cycles of the current block behind the access in progress, which the engine has already counted.

        There are none where the access is an instruction apart. Else it is the first instruction of the block, behind
        the last one found in it, whose operands give that address.
        """
        if not self.edges or self.engine.node == START:
            return 0
        edge = self.edges[self.engine.edge]
        entered = self.engine.cycles
        first = self._found[1] + 1 if self._found[0] == entered else 0
        for i in range(first, len(edge.block.instructions)):
            if _accesses(edge.block.instructions[i], address, is_write, self._emulator.register):
                self._found = entered, i
                return sum(cost.total for cost in edge.timing.costs[i + 1 :])
        return 0

    def _cut(self, first: int, last: int) -> None:
        for address in {first, last}:
            if address not in self._cuts:
                insort(self._cuts, address)
        self.engine.cut(first, last)
        self._emulator.forget_translation(first, last + 2)

    def _resolve(self, source: int, pc: int, size: int) -> int:
        try:
            return self._add_edge(source, EdgeKey(pc, size))
        except Exception as problem:  # carried over the C frames of the emulator
            self.problem = problem
            return NO_EDGE

    def _add_edge(self, source: int, key: EdgeKey) -> int:
        block = self._block(key.pc, self._counted_size(key.pc, key.size))
        if self.blocks[source] == block and block.last.target == block.address and len(block.instructions) == 1:
            self._spins()
        if self._skips:
            block, key = self._decide(self._states[source], block, key)
        if self._wanted:
            return NO_EDGE
        timing = self._model.time(self._states[source], block)
        to = self._node(block, timing)
        self.edges.append(Edge(source, to, block, timing))
        edge = self.engine.add_edge(source, to, key, timing.cycles)
        events, steps = make_events(block, timing, REGISTERS.__getitem__, self._fetch_line)
        if events:
            self.engine.add_events(edge, events, steps)
        return edge

    def _counted_size(self, pc: int, size: int) -> int:
        """Size of a block up to the first cut."""
        following = bisect_right(self._cuts, pc)
        return min(size, self._cuts[following] - pc) if following < len(self._cuts) else size

    def _decide(self, state: Hashable, block: Block, key: EdgeKey) -> tuple[Block, EdgeKey]:
        """Take the outcome of conditions into account where cycles depend on it."""
        for i, this in enumerate(block.instructions):
            if this.kind is not Kind.IT or not self._matters(state, block, i):
                continue
            if i:
                self._wanted = this.address, this.address
                break
            condition = condition_of(block, i)
            holds = condition_holds(condition, self._emulator.register("apsr"))
            block, key = decided(block, i, holds), replace(key, condition=condition, holds=holds)
        return block, key

    def _matters(self, state: Hashable, block: Block, index: int) -> bool:
        if condition_of(block, index) == "al":
            return False
        ruled = block.instructions[index + 1 : index + 1 + governed(block.instructions[index])]
        if any(this.access or this.kind is Kind.DIVIDE for this in ruled):
            return True
        as_it_is = self._model.time(state, block)
        return any(self._model.time(state, decided(block, index, holds)) != as_it_is for holds in (True, False))

    def _block(self, pc: int, size: int) -> Block:
        if (pc, size) not in self._blocks:
            block = self._decoder.block(pc, self._emulator.read(pc, size))
            for instruction in block.instructions:
                self._check(instruction)
            self._blocks[pc, size] = block
        return self._blocks[pc, size]

    def _node(self, block: Block, timing: Timing) -> int:
        key = block, timing.state
        if key not in self._nodes:
            function = self._image.function_at(block.address)
            self._nodes[key] = self.engine.add_node(
                block.address,
                block.end,
                len(block.instructions),
                function.address if function else 0,
                _flags(block, timing),
            )
            self._states.append(timing.state)
            self.blocks.append(block)
        return self._nodes[key]


def _accesses(this: Instruction, address: int, is_write: bool, register: Callable[[str], int]) -> bool:
    """Whether an instruction, about to execute, accesses an address."""
    access = this.access
    if access is None or this.is_store != is_write or access.is_literal:
        return False
    start = register(access.base)
    if access.index:
        start += register(access.index) << access.shift
    elif access.mode is not Index.POST and access.count == 1:
        start += access.offset
    return start <= address < start + access.width * access.count


def _make_engine(emulator: Emulator, resolve: Resolve, use_native: bool) -> Engine:
    if use_native and native.is_available():
        return native.NativeEngine(emulator.uc, resolve)
    return PythonEngine(emulator.uc, resolve)


def _flags(block: Block, timing: Timing) -> NodeFlag:
    flags = NodeFlag.EARLY_FLAGS if timing.early_flags else NodeFlag(0)
    if block.last.is_call:
        flags |= NodeFlag.CALLS
    elif block.last.changes_flow and block.last.target is None:
        flags |= NodeFlag.RETURNS
    if block.last.kind is Kind.COMPARE_BRANCH or (block.last.kind is Kind.BRANCH and block.last.condition != "al"):
        flags |= NodeFlag.PREDICTS
    if any("sp" in instruction.writes for instruction in block.instructions):
        flags |= NodeFlag.MOVES_STACK
    return flags
