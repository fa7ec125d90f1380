"""Decides, once, what each edge of the trace costs; the engine only counts."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from edgetx.profile.cores.timing import CoreModel, Timing
from edgetx.profile.decode import Decoder
from edgetx.profile.emulator import REGISTERS
from edgetx.profile.image import Image
from edgetx.profile.instruction import Block, Index, Instruction, Kind
from edgetx.profile.trace import native
from edgetx.profile.trace.engine import NO_EDGE, Engine, NodeFlag, Resolve
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

    Attributes:
        engine: What counts.
        edges: What each edge of the engine is, by index.
        problem: The error that made the engine stop, if one did.
    """

    def __init__(
        self,
        uc: Any,
        read: Callable[[int, int], bytes],
        image: Image,
        model: CoreModel,
        check: Callable[[Instruction], None],
        fetch_line: Callable[[int], int],
        spins: Callable[[], None],
        use_native: bool = True,
    ) -> None:
        self._read, self._image, self._model, self._check, self._fetch_line = read, image, model, check, fetch_line
        self._spins = spins
        self._decoder = Decoder()
        self._blocks: dict[tuple[int, int], Block] = {}
        self._nodes: dict[tuple[int, int, object], int] = {}
        self._states = [model.reset()]
        self.blocks: list[Block | None] = [None]
        self.edges: list[Edge] = []
        self.problem: Exception | None = None
        self._found = (-1, -1)
        self.engine: Engine = _make_engine(uc, self._resolve, use_native)

    def restart(self) -> None:
        """The next block starts with an empty pipeline."""
        self.engine.node = START

    def watch(self, addresses: Collection[int]) -> None:
        """Stop before blocks that start at these addresses."""
        self.engine.watch(addresses)

    def cycles_left(self, address: int, is_write: bool, register: Callable[[str], int]) -> int:
        """Cycles of the current block behind the access in progress, which the engine has already counted.

        The emulator does not say which instruction makes an access; it is the first one of the block, behind the last
        one found in it, whose operands give that address.
        """
        if not self.edges or self.engine.node == START:
            return 0
        edge = self.edges[self.engine.edge]
        entered = self.engine.cycles
        first = self._found[1] + 1 if self._found[0] == entered else 0
        for i in range(first, len(edge.block.instructions)):
            if _accesses(edge.block.instructions[i], address, is_write, register):
                self._found = entered, i
                return sum(cost.total for cost in edge.timing.costs[i + 1 :])
        return 0

    def _resolve(self, source: int, pc: int, size: int) -> int:
        try:
            return self._add_edge(source, pc, size)
        except Exception as problem:  # carried over the C frames of the emulator
            self.problem = problem
            return NO_EDGE

    def _add_edge(self, source: int, pc: int, size: int) -> int:
        block = self._block(pc, size)
        if self.blocks[source] == block and block.last.target == block.address and len(block.instructions) == 1:
            self._spins()
        timing = self._model.time(self._states[source], block)
        to = self._node(block, timing)
        self.edges.append(Edge(source, to, block, timing))
        edge = self.engine.add_edge(source, to, pc, timing.cycles)
        events, steps = make_events(block, timing, REGISTERS.__getitem__, self._fetch_line)
        if events:
            self.engine.add_events(edge, events, steps)
        return edge

    def _block(self, pc: int, size: int) -> Block:
        if (pc, size) not in self._blocks:
            block = self._decoder.block(pc, self._read(pc, size))
            for instruction in block.instructions:
                self._check(instruction)
            self._blocks[pc, size] = block
        return self._blocks[pc, size]

    def _node(self, block: Block, timing: Timing) -> int:
        key = block.address, block.size, timing.state
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


def _make_engine(uc: Any, resolve: Resolve, use_native: bool) -> Engine:
    if use_native and native.is_available():
        return native.NativeEngine(uc, resolve)
    return PythonEngine(uc, resolve)


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
