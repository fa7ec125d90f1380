"""Counts blocks while a program runs, each after the history in which the pipeline was left."""

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field

from edgetx.profile.aprofile.caches import DataCaches
from edgetx.profile.aprofile.in_order import InOrder
from edgetx.profile.aprofile.instruction import Branch, Instruction, decode
from edgetx.profile.aprofile.out_of_order import OutOfOrder
from edgetx.profile.aprofile.parameters import ApplicationCore
from edgetx.profile.aprofile.pipeline import BlockTime, Pipeline
from edgetx.profile.aprofile.predictor import Predictor
from edgetx.profile.aprofile.process import Process
from edgetx.targets import Target


@dataclass(eq=False, slots=True)
class Node:
    """A block with a history.

    Attributes:
        block: Its instructions.
        timing: How long they take.
        cycles: All of them.
        count: How often it was executed.
        late: Cycles for which its accesses of memory were late.
        surprises: Cycles lost because the branch before it was predicted wrongly.
        following: Nodes after it, by address.
    """

    block: tuple[Instruction, ...]
    timing: BlockTime
    cycles: int
    count: int = 0
    late: int = 0
    surprises: int = 0
    following: dict[int, "Node"] = field(default_factory=dict)

    @property
    def address(self) -> int:
        """Where the block begins."""
        return self.block[0].address

    @property
    def end(self) -> int:
        """First address behind the block."""
        return self.block[-1].address + 4


@dataclass
class Calls:
    """Calls of a function, and cycles with its callees."""

    calls: int = 0
    cycles: int = 0


@dataclass(frozen=True, slots=True)
class _Frame:
    """A call that has not returned: where it returns to, and whether it took the place of its caller."""

    back: int
    function: int
    begun: int
    is_tail: bool


def make_pipeline(core: ApplicationCore) -> Pipeline:
    """The pipeline model of a core."""
    return InOrder(core) if core.order == "in" else OutOfOrder(core)


class BlockCounter:
    """Cycles and instructions of a process on a core.

    Args:
        process: What runs.
        core: The core.
        target: The phone, for its clock and caches.
    """

    def __init__(self, process: Process, core: ApplicationCore, target: Target) -> None:
        self.cycles = 0
        self.traffic = [0, 0]
        self.nodes: dict[tuple[int, int, Hashable], Node] = {}
        self.functions: dict[int, Calls] = {}
        self.layers: list[tuple[int, int, Counter[str]]] = []
        self.stack_at_begin = self.lowest_stack = process.stack
        self.layer_addresses: frozenset[int] = frozenset()
        self._process, self._core = process, core
        self._pipeline = make_pipeline(core)
        self._caches, self._predictor = DataCaches(target, core.memory), Predictor()
        self._node: Node | None = None
        self._starts = frozenset(s.address for s in process.image.symbols if s.is_function)
        self._stack: list[_Frame] = []

    def begin(self) -> None:
        """Forget what was counted; caches and predictor stay as they are."""
        self.cycles, self.traffic, self._node = 0, [0, 0], None
        self.functions.clear()
        self.layers.clear()
        self._stack.clear()
        self.stack_at_begin = self.lowest_stack = self._process.stack
        for node in self.nodes.values():
            node.count = node.late = node.surprises = 0

    def on_access(self, address: int, size: int, is_write: bool) -> None:
        """An access of data by the block in flight."""
        self.traffic[is_write] += size
        late = self._caches.access(address)
        if late and self._node:
            self._node.late += late
            self.cycles += late

    def on_block(self, address: int, size: int) -> None:
        """A block begins."""
        before = self._node
        is_surprise = before is not None and self._is_surprise(before, address)
        known = before.following.get(address) if before and not is_surprise else None
        node = known or self._find(before, address, size, is_surprise)
        if is_surprise:
            node.surprises += self._core.mispredict_cycles
            self.cycles += self._core.mispredict_cycles
        if before is None or before.block[-1].branch is not Branch.CONDITIONAL:
            self._follow_calls(before, address)
        if address in self.layer_addresses:
            self.mark(address)
        node.count += 1
        self.cycles += node.cycles
        self._node = node

    def mark(self, address: int) -> None:
        """Keep what has been counted, at the entry of a layer."""
        self.layers.append((address, self.cycles, self.totals()))

    def finish(self) -> None:
        """The outermost function has returned."""
        while self._stack:
            self._leave()

    def totals(self) -> Counter[str]:
        """Instructions, and cycles by cause."""
        total: Counter[str] = Counter()
        for node in self.nodes.values():
            if node.count:
                total["instructions"] += node.count * len(node.block)
                total["issue"] += node.count * (node.cycles - node.timing.waits)
                total["dependence"] += node.count * node.timing.waits
                total["data"] += node.late
                total["mispredict"] += node.surprises
        return total

    def _find(self, before: Node | None, address: int, size: int, is_surprise: bool) -> Node:
        state = self._pipeline.reset() if before is None or is_surprise else before.timing.state
        key = address, size, state
        if key not in self.nodes:
            block = decode(self._process.read(address, size), address)
            timing = self._pipeline.time(block, state)
            self.nodes[key] = Node(block, timing, sum(timing.cycles))
        node = self.nodes[key]
        if before and not is_surprise:
            before.following[address] = node
        return node

    def _is_surprise(self, before: Node, address: int) -> bool:
        last = before.block[-1]
        if last.branch is Branch.CONDITIONAL:
            return self._predictor.is_surprised(last.address, address != before.end)
        if last.branch is Branch.INDIRECT or (last.branch is Branch.CALL and last.reads):
            return self._predictor.is_surprised_by_target(last.address, address)
        return False

    def _follow_calls(self, before: Node | None, address: int) -> None:
        branch = before.block[-1].branch if before else Branch.CALL
        if branch is Branch.CALL:
            self._enter(_Frame(before.end if before else -1, address, self.cycles, is_tail=False))
        elif branch is Branch.RETURN and self._stack and address == self._stack[-1].back:
            while self._leave().is_tail:
                pass
        elif branch in (Branch.JUMP, Branch.INDIRECT) and address in self._starts and self._stack:
            self._enter(_Frame(self._stack[-1].back, address, self.cycles, is_tail=True))

    def _enter(self, frame: _Frame) -> None:
        self._stack.append(frame)
        self.functions.setdefault(frame.function, Calls()).calls += 1
        self.lowest_stack = min(self.lowest_stack, self._process.stack)

    def _leave(self) -> _Frame:
        frame = self._stack.pop()
        if all(frame.function != other.function for other in self._stack):
            self.functions[frame.function].cycles += self.cycles - frame.begun
        return frame
