"""The fetch unit of the three-stage cores: a few words ahead of decode."""

from dataclasses import dataclass

from edgetx.profile.cores.timing import Fetch
from edgetx.profile.instruction import Instruction

DECODE_AFTER_REQUEST = 2
_LONG_AGO = -20


@dataclass(frozen=True)
class FetchState:
    """The prefetch buffer, its times relative to now.

    Attributes:
        first: Address of the first word that is buffered or requested.
        ready: Time from which each of them can be decoded.
        freed: Times at which the words before were used up.
        requested: Time of the last request.
    """

    first: int
    ready: tuple[int, ...]
    freed: tuple[int, ...]
    requested: int


class FetchUnit:
    """Requests one aligned word per cycle while the buffer has room.

    A word can be decoded two cycles after its request (address phase, data phase). A request that had to wait for room
    comes `restart_cycles` later than one in a stream.

    Attributes:
        fetches: Every request so far.
    """

    def __init__(self, words: int, restart_cycles: int) -> None:
        self._words, self._restart_cycles = words, restart_cycles
        self._next, self._requested = 0, _LONG_AGO
        self._ready: dict[int, int] = {}
        self._freed: dict[int, int] = {}
        self._asked: list[tuple[int, int]] = []
        self.fetches: list[Fetch] = []

    def redirect(self, address: int, time: int) -> None:
        """Start over at an address, with the first request at a time."""
        self._next, self._requested = address & ~3, time - 1
        self._ready, self._freed = {}, {}

    def restore(self, state: FetchState) -> None:
        """Continue from a state."""
        self._ready = {state.first + 4 * i: time for i, time in enumerate(state.ready)}
        self._freed = {state.first - 4 * i: time for i, time in enumerate(reversed(state.freed), 1)}
        self._next = state.first + 4 * len(state.ready)
        self._requested = state.requested

    def save(self, now: int) -> FetchState:
        """The state as seen at a time."""
        first = min(self._ready, default=self._next)
        freed = [self._freed.get(first - 4 * i, _LONG_AGO + now) for i in range(self._words, 0, -1)]
        return FetchState(
            first,
            tuple(max(time - now, _LONG_AGO) for time in self._ready.values()),
            tuple(max(time - now, _LONG_AGO) for time in freed),
            max(self._requested - now, _LONG_AGO),
        )

    def decode(self, instruction: Instruction, time: int) -> int:
        """Time at which an instruction can enter decode, not before `time`; it then leaves the buffer."""
        last = (instruction.end - 2) & ~3
        while self._next <= last:
            self._request()
        time = max(time, self._ready[last])
        for address, asked in self._asked:
            self.fetches.append(Fetch(address, asked, time - asked - DECODE_AFTER_REQUEST))
        self._asked.clear()
        for address in [a for a in self._ready if a + 4 <= instruction.end]:
            del self._ready[address]
            self._freed[address] = time
        return time

    def _request(self) -> None:
        stream = self._requested + 1
        room = self._freed.get(self._next - 4 * self._words, _LONG_AGO)
        self._requested = room + self._restart_cycles if room > stream else stream
        self._ready[self._next] = self._requested + DECODE_AFTER_REQUEST
        self._asked.append((self._next, self._requested))
        self._next += 4
