"""Pack buffers with known lifetimes into one arena."""

import itertools
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

ALIGNMENT = 8
"""Bytes to which every offset is aligned: the strictest element type is int64."""
SHUFFLES = 200


@dataclass(frozen=True)
class Buffer:
    """Memory that is needed from one step to another, both included."""

    name: str
    nbytes: int
    first: int
    last: int

    @property
    def size(self) -> int:
        """Bytes rounded up to the alignment."""
        return -(-self.nbytes // ALIGNMENT) * ALIGNMENT


@dataclass(frozen=True)
class Arena:
    """A packing.

    Attributes:
        offsets: Byte offset of each buffer by name.
        nbytes: Size of the arena.
        lower_bound: Most bytes that are needed at any one step: no packing can be smaller.
    """

    offsets: dict[str, int]
    nbytes: int
    lower_bound: int


def plan_arena(buffers: Sequence[Buffer]) -> Arena:
    """The smallest packing found: several orders by rule, then shuffled ones, until one meets the lower bound."""
    bound = lower_bound(buffers)
    best: dict[str, int] | None = None
    best_size, neighbours = 0, _neighbours(buffers)
    for order in _orders(buffers):
        offsets = _first_fit(order, neighbours)
        size = max((offsets[b.name] + b.size for b in buffers), default=0)
        if best is None or size < best_size:
            best, best_size = offsets, size
        if best_size == bound:
            break
    return Arena(best or {}, best_size, bound)


def lower_bound(buffers: Sequence[Buffer]) -> int:
    """Most bytes that are needed at any one step: no packing can be smaller."""
    return max((live_bytes(buffers, step) for step in {b.first for b in buffers}), default=0)


def live_bytes(buffers: Sequence[Buffer], step: int) -> int:
    """Bytes that are needed at a step."""
    return sum(b.size for b in buffers if b.first <= step <= b.last)


def _orders(buffers: Sequence[Buffer]) -> "itertools.chain[list[Buffer]]":
    rules: list[Callable[[Buffer], tuple[int, int]]] = [
        lambda b: (-b.size, b.first),
        lambda b: (-(b.last - b.first), -b.size),
        lambda b: (b.first, -b.size),
        lambda b: (-b.size * (b.last - b.first + 1), b.first),
    ]
    by_rule = (sorted(buffers, key=rule) for rule in rules)
    generator = random.Random(0)
    shuffled = (generator.sample(list(buffers), len(buffers)) for _ in range(SHUFFLES))
    return itertools.chain(by_rule, shuffled)


def _neighbours(buffers: Sequence[Buffer]) -> dict[str, list[Buffer]]:
    """For each buffer those that are needed at some step of its life."""
    found: dict[str, list[Buffer]] = {}
    alive: list[Buffer] = []
    for buffer in sorted(buffers, key=lambda b: b.first):
        alive = [other for other in alive if other.last >= buffer.first]
        found[buffer.name] = alive.copy()
        for other in alive:
            found[other.name].append(buffer)
        alive.append(buffer)
    return found


def _first_fit(order: Sequence[Buffer], neighbours: Mapping[str, Sequence[Buffer]]) -> dict[str, int]:
    """Give each buffer the lowest offset that is free during its whole life."""
    offsets: dict[str, int] = {}
    for buffer in order:
        size, offset = buffer.size, 0
        placed = [(offsets[other.name], other.size) for other in neighbours[buffer.name] if other.name in offsets]
        for start, length in sorted(placed):
            if start < offset + size and offset < start + length:
                offset = start + length
        offsets[buffer.name] = offset
    return offsets
