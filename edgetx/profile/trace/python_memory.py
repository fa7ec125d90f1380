"""The Python twin of `native/memory.c`."""

from dataclasses import dataclass, field

from edgetx.profile.trace.memory_map import Region

NO_LINE = 0xFFFF_FFFF


class Cache:
    """A cache; each set keeps its lines in order of use.

    A full set gives up a line chosen by `random`, the state of a generator; the one used least recently if that is 0.
    """

    def __init__(self, line_shift: int, set_count: int, way_count: int, random: int = 0) -> None:
        self.line_shift, self.enabled, self.misses, self._random = line_shift, False, 0, random
        self._sets = [[NO_LINE] * way_count for _ in range(set_count)]

    def look_up(self, address: int) -> bool:
        """Whether it holds the line of an address; if not, it does afterwards."""
        line = address >> self.line_shift
        lines = self._sets[line % len(self._sets)]
        hit = line in lines
        if hit:
            lines.remove(line)
        else:
            self.misses += 1
            lines.pop(self._victim(lines))
        lines.insert(0, line)
        return hit

    def _victim(self, lines: list[int]) -> int:
        if not self._random or lines[-1] == NO_LINE:
            return len(lines) - 1
        for shift in (13, -17, 5):
            self._random ^= (self._random << shift if shift > 0 else self._random >> -shift) & 0xFFFF_FFFF
        return (self._random >> 8) % len(lines)


@dataclass
class RegionState:
    """A region with what its array is doing."""

    region: Region
    fetch_line: int = NO_LINE
    data_line: int = NO_LINE
    next_line: int = NO_LINE
    next_ready: int = 0
    busy: int = 0
    read_bytes: int = 0
    written_bytes: int = 0

    def read_array(self, address: int, time: int) -> int:
        """Read for the fetch unit: one read at a time, reading ahead when a line has arrived."""
        region, line = self.region, address >> self.region.line_shift
        if line == self.fetch_line:
            return 0
        ready = self.next_ready if line == self.next_line else max(time, self.busy) + region.wait
        ready = max(ready, time)
        self.fetch_line = line
        if region.prefetch:
            self.next_line = line + 1
            self.next_ready = self.busy = ready + region.wait + 1
        else:
            self.next_line, self.busy = NO_LINE, ready
        return ready - time


@dataclass
class Memory:
    """Regions and caches.

    Attributes:
        fetch_misses: Fetches that no cache held.
    """

    regions: list[RegionState] = field(default_factory=list)
    caches: list[Cache] = field(default_factory=list)
    fetch_misses: int = 0

    def find(self, address: int) -> RegionState | None:
        """The region of an address."""
        for state in self.regions:
            if state.region.base <= address < state.region.end:
                return state
        return None

    def fetch(self, address: int, time: int) -> int:
        """Stall of a fetch."""
        state = self.find(address)
        if state is None or not state.region.wait | state.region.penalty:
            return 0
        if self._hits(state.region.fetch_cache, address):
            return 0
        self.fetch_misses += 1
        penalty = state.region.penalty
        return penalty + state.read_array(address, time + penalty)

    def load(self, address: int, time: int) -> int:
        """Stall of a load."""
        state = self.find(address)
        if state is None or not state.region.wait | state.region.penalty:
            return 0
        if self._hits(state.region.data_cache, address):
            return 0
        line = address >> state.region.line_shift
        if state.region.buffers_data and line == state.data_line:
            return 0
        state.data_line = line
        state.busy = max(time + state.region.penalty, state.busy) + state.region.wait
        return state.busy - time

    def store(self, address: int) -> None:
        """Let a store take its place in the cache."""
        state = self.find(address)
        if state is not None and state.region.wait | state.region.penalty:
            self._hits(state.region.data_cache, address)

    def _hits(self, index: int, address: int) -> bool:
        return index >= 0 and self.caches[index].enabled and self.caches[index].look_up(address)
