"""What both trace engines, the native and the Python one, do."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Protocol

NO_EDGE = -1
NEVER = (1 << 64) - 1

Resolve = Callable[[int, int, int], int]
"""Called with a node, and address and size of the block that follows it; returns the new edge, or NO_EDGE to stop."""


class NodeFlag(IntFlag):
    """What the engine has to watch when a block ends."""

    CALLS = 1
    RETURNS = 2
    MOVES_STACK = 4


class Stopped(IntEnum):
    """Why the engine stopped the emulator."""

    RUNNING = 0
    REQUESTED = 1
    DEADLINE = 2
    LIMIT = 3
    UNRESOLVED = 4


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


class Engine(Protocol):
    """Follows the blocks the emulator executes, and counts edges, cycles and instructions."""

    cycles: int
    instructions: int
    deadline: int
    instruction_limit: int
    stop_requested: bool
    node: int

    @property
    def stopped(self) -> Stopped:
        """Why it stopped the emulator last."""

    @property
    def edge(self) -> int:
        """The edge taken last."""

    @property
    def lowest_stack(self) -> int:
        """Lowest stack pointer seen."""

    def resume(self) -> None:
        """Forget why it stopped."""

    def add_node(self, pc: int, end: int, instructions: int, function: int, flags: NodeFlag) -> int:
        """Add a node; its index is returned."""

    def add_edge(self, source: int, to: int, pc: int, cycles: int) -> int:
        """Add an edge; its index is returned."""

    def enter(self, function: int, site: int, return_pc: int) -> None:
        """Go down the call tree."""

    def leave(self, return_pc: int) -> None:
        """Come back to the caller that waits at `return_pc`, if there is one."""

    def charge(self, cycles: int) -> None:
        """Let cycles pass that belong to no instruction."""

    def edge_counts(self) -> list[int]:
        """How often each edge was taken."""

    def contexts(self) -> list[Context]:
        """The call tree, parents first."""
