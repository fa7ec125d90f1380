"""Pack buffers with known lifetimes into one arena."""

import itertools
import random
from collections.abc import Callable, Sequence
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

    def overlaps(self, other: "Buffer") -> bool:
        """Whether both are needed at some step."""
        return self.first <= other.last and other.first <= self.last


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
    best_size = 0
    for order in _orders(buffers):
        offsets = _first_fit(order)
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


def _first_fit(order: Sequence[Buffer]) -> dict[str, int]:
    """Give each buffer the lowest offset that is free during its whole life."""
    placed: list[tuple[int, Buffer]] = []
    offsets: dict[str, int] = {}
    for buffer in order:
        offset = 0
        for start, other in placed:
            if other.overlaps(buffer) and start < offset + buffer.size and offset < start + other.size:
                offset = start + other.size
        offsets[buffer.name] = offset
        placed.append((offset, buffer))
        placed.sort(key=lambda item: item[0])
    return offsets
