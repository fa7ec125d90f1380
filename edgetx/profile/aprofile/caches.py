"""Data caches, and lines fetched ahead of ascending streams."""

from collections import OrderedDict
from dataclasses import dataclass, field

from edgetx.profile.aprofile.parameters import Memory
from edgetx.targets import Target
from edgetx.targets.schema import Cache


@dataclass
class _Level:
    sets: int
    ways: int
    hit_cycles: int
    lines: dict[int, OrderedDict[int, None]] = field(default_factory=dict)

    def holds(self, line: int) -> bool:
        """Whether the line is there; it is afterwards, in place of the one used least recently."""
        ways = self.lines.setdefault(line % self.sets, OrderedDict())
        is_hit = line in ways
        ways[line] = None
        ways.move_to_end(line)
        if len(ways) > self.ways:
            ways.popitem(last=False)
        return is_hit


class DataCaches:
    """Cycles that accesses take beyond a hit of the first level.

    A miss on the line behind one of the last streams of misses was fetched ahead, and takes nothing.

    Args:
        target: A phone; its caches that hold data.
        memory: What is behind them.
    """

    def __init__(self, target: Target, memory: Memory) -> None:
        caches = sorted((c for c in target.cache if "data" in c.holds), key=lambda c: c.level)
        self._levels = [_make_level(cache) for cache in caches]
        self._shift = (caches[0].line_bytes if caches else 64).bit_length() - 1
        self._dram_cycles = round(memory.dram_ns * 1e-9 * target.clock_hz)
        self._memory = memory
        self._streams: OrderedDict[int, None] = OrderedDict()
        self._last = -1

    def access(self, address: int) -> int:
        """Cycles that an access is late."""
        line = address >> self._shift
        if line == self._last:
            return 0
        self._last = line
        first, *others = self._levels or [_Level(1, 0, 0)]
        if first.holds(line):
            return 0
        found = [level.hit_cycles for level in others if level.holds(line)]
        if self._is_fetched_ahead(line):
            return 0
        late = found[0] if found else self._dram_cycles
        return max(0, late - self._memory.hidden_cycles)

    def _is_fetched_ahead(self, line: int) -> bool:
        is_ahead = line - 1 in self._streams
        self._streams.pop(line - 1, None)
        self._streams[line] = None
        if len(self._streams) > self._memory.streams:
            self._streams.popitem(last=False)
        return is_ahead


def _make_level(cache: Cache) -> _Level:
    return _Level(max(1, cache.size_bytes // cache.line_bytes // cache.ways), cache.ways, cache.hit_cycles)
