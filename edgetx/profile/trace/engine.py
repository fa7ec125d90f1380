"""What both trace engines, the native and the Python one, do."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Protocol

from edgetx.profile.trace.costs import Costs
from edgetx.profile.trace.events import Event
from edgetx.profile.trace.memory_map import MemoryMap
from edgetx.profile.trace.slices import Step

NO_EDGE = -1
NEVER = (1 << 64) - 1

Resolve = Callable[[int, int, int], int]
"""Called with a node, and address and size of the block that follows it; returns the new edge, or NO_EDGE to stop."""


class NodeFlag(IntFlag):
    """What the engine has to watch when a block ends."""

    CALLS = 1
    RETURNS = 2
    MOVES_STACK = 4
    PREDICTS = 8
    EARLY_FLAGS = 16


class Stopped(IntEnum):
    """Why the engine stopped the emulator."""

    RUNNING = 0
    REQUESTED = 1
    DEADLINE = 2
    LIMIT = 3
    UNRESOLVED = 4
    WATCHED = 5
    UNMASKED = 6
    DEVICE = 7


CONDITIONS = ("eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le")
"""In the order of their encodings; those of odd number are the opposite of the one before."""


def condition_holds(condition: str, flags: int) -> bool:
    """Whether a condition holds with N, Z, C and V in the four highest bits."""
    n, z, c, v = ((flags >> bit & 1) == 1 for bit in (31, 30, 29, 28))
    number = CONDITIONS.index(condition)
    holds = (z, c, n, v, c and not z, n == v, not z and n == v)[number // 2]
    return holds != bool(number & 1)


@dataclass(frozen=True)
class EdgeKey:
    """A block as entered.

    Attributes:
        pc: Its address.
        size: Its size as the emulator has translated it, of which only a first part may be counted.
        condition: If it starts with an IT instruction and its timing depends on the outcome, the condition.
        holds: The outcome.
    """

    pc: int
    size: int
    condition: str | None = None
    holds: bool = False


@dataclass(frozen=True)
class Context:
    """A function as called along one path: a node of the call tree.

    Attributes:
        parent: Index of the caller's context; -1 for the root.
        function: Address of the function.
        site: Address behind the call.
        cycles: Cycles spent in it, callees excluded.
        instructions: Instructions executed in it, callees excluded.
        calls: How often it was entered.
    """

    parent: int
    function: int
    site: int
    cycles: int
    instructions: int
    calls: int


@dataclass(frozen=True)
class EdgeCount:
    """How often an edge was taken, and the cycles its events stalled, by `StallKind`."""

    count: int
    stalls: tuple[int, ...]


@dataclass(frozen=True)
class Traffic:
    """Bytes read from and written to the region at an address."""

    base: int
    read_bytes: int
    written_bytes: int


class Engine(Protocol):
    """Follows the blocks the emulator executes, and counts edges, cycles and instructions.

    It stops before a block that would not end before `deadline`, unless it `may_overrun` it (which holds for one
    block), and before a block of several instructions one of which accesses a peripheral.
    """

    cycles: int
    instructions: int
    deadline: int
    instruction_limit: int
    stop_requested: bool
    node: int
    lowest_stack: int
    may_overrun: bool

    @property
    def stopped(self) -> Stopped:
        """Why it stopped the emulator last."""

    @property
    def edge(self) -> int:
        """The edge taken last."""

    @property
    def device(self) -> int:
        """Address of the instruction whose access to a peripheral made it stop."""

    def resume(self) -> None:
        """Forget why it stopped."""

    def add_node(self, pc: int, end: int, instructions: int, function: int, flags: NodeFlag) -> int:
        """Add a node; its index is returned."""

    def add_edge(self, source: int, to: int, key: EdgeKey, cycles: int) -> int:
        """Add an edge; its index is returned."""

    def cut(self, first: int, last: int) -> None:
        """From now on, count what starts at these two addresses as blocks of their own.

        The emulator has to translate the code around them anew.
        """

    def watch(self, addresses: Collection[int]) -> None:
        """Stop once before each block that starts at one of these addresses, in place of those watched so far."""

    def watch_masks(self, on: bool) -> None:
        """Whether to stop when a register that masks exceptions has changed."""

    def enter(self, function: int, site: int, return_pc: int) -> None:
        """Go down the call tree."""

    def leave(self, return_pc: int) -> None:
        """Come back to the caller that waits at `return_pc`, if there is one."""

    def charge(self, cycles: int) -> None:
        """Let cycles pass that belong to no instruction."""

    def add_events(self, edge: int, events: Sequence[Event], steps: Sequence[Step]) -> None:
        """Add what happens within an edge, and the values it needs."""

    def set_costs(self, costs: Costs) -> None:
        """Set what events cost."""

    def add_cache(self, line_shift: int, set_count: int, way_count: int, random: int) -> None:
        """Add a cache, which replaces lines by age, or with a seed at random; they are numbered in this order."""

    def set_memory(self, memory: MemoryMap, host_address: Callable[[int], int]) -> None:
        """Set wait states and caches; regions stay the same from call to call.

        Args:
            memory: The regions.
            host_address: Where the emulator keeps the memory at a base address.
        """

    def traffic(self) -> list[Traffic]:
        """Bytes read and written by region."""

    def cache_misses(self) -> list[int]:
        """Misses of each cache."""

    def edge_counts(self) -> list[EdgeCount]:
        """What happened to each edge."""

    def contexts(self) -> list[Context]:
        """The call tree, parents first."""
