"""Peripheral accesses: the user's peripherals, the built-in ones, and those nobody modelled."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from edgetx.errors import DeviceError

Read = Callable[[int, int], int]
Write = Callable[[int, int, int], None]

WINDOWS = ((0x4000_0000, 0x2000_0000), (0xE000_0000, 0x0010_0000))
FACTORY_WINDOW = 0x1FFF_0000, 0x0001_0000
"""Where ST keeps identifiers, calibration values and option bytes."""
POLL_LIMIT = 200_000


@dataclass(frozen=True)
class Peripheral:
    """A range of addresses; `read(offset, size)` and `write(offset, size, value)` get the offset into it."""

    base: int
    size: int
    read: Read
    write: Write

    def holds(self, address: int) -> bool:
        """Whether an address belongs to it."""
        return self.base <= address < self.base + self.size


@dataclass
class _Poll:
    address: int = -1
    value: int = 0
    count: int = 0


@dataclass
class Bus:
    """Sends each access to the peripheral added last that holds its address.

    An access that no peripheral holds behaves like memory that starts as zero. Reading the same such register
    over and over raises an error: the firmware waits for something that will not happen.

    Attributes:
        unmodelled: Registers nobody modelled, with the value they hold.
        accessed: Address and direction (True for a write) of the access in progress.
    """

    unmodelled: dict[int, int] = field(default_factory=dict)
    accessed: tuple[int, bool] | None = None
    _peripherals: list[Peripheral] = field(default_factory=list)
    _poll: _Poll = field(default_factory=_Poll)
    _reads: Counter[int] = field(default_factory=Counter)

    def add(self, peripheral: Peripheral) -> None:
        """Add a peripheral; it takes precedence over those before."""
        self._peripherals.insert(0, peripheral)

    def read(self, address: int, size: int) -> int:
        """Read a register."""
        self.accessed = address, False
        try:
            for peripheral in self._peripherals:
                if peripheral.holds(address):
                    return peripheral.read(address - peripheral.base, size)
            return self._read_unmodelled(address, size)
        finally:
            self.accessed = None

    def write(self, address: int, size: int, value: int) -> None:
        """Write a register."""
        self.accessed = address, True
        try:
            for peripheral in self._peripherals:
                if peripheral.holds(address):
                    peripheral.write(address - peripheral.base, size, value)
                    return
            self._write_unmodelled(address, size, value)
        finally:
            self.accessed = None

    @property
    def suspicion(self) -> str:
        """What firmware that does not come to an end may be waiting for."""
        if not self._reads:
            return ""
        address, count = self._reads.most_common(1)[0]
        return f"it has read 0x{address:08x}, which nobody modelled, {count:,} times: does it wait for that?"

    def word(self, address: int) -> int:
        """Value of an unmodelled register, without side effects."""
        return self.unmodelled.get(address & ~3, 0)

    def _read_unmodelled(self, address: int, size: int) -> int:
        shift = 8 * (address & 3)
        value = (self.unmodelled.setdefault(address & ~3, 0) >> shift) & ((1 << 8 * size) - 1)
        self._count_poll(address, value)
        return value

    def _write_unmodelled(self, address: int, size: int, value: int) -> None:
        self._poll = _Poll()
        shift = 8 * (address & 3)
        mask = ((1 << 8 * size) - 1) << shift
        self.unmodelled[address & ~3] = self.word(address) & ~mask | (value << shift) & mask

    def _count_poll(self, address: int, value: int) -> None:
        self._reads[address] += 1
        if self._poll.address != address:
            self._poll = _Poll(address, value)
        self._poll.count += 1
        if self._poll.count > POLL_LIMIT:
            raise DeviceError(
                f"the firmware polls register 0x{address:08x}, which nobody modelled (it reads 0x{value:x})",
                hint=f"in Python, give it a value: Simulator.map_mmio(0x{address & ~0xFFF:08x}, 0x1000, read, write)",
            )
