"""The registers every Cortex-M has: SysTick, DWT cycle counter, NVIC and system control block."""

from collections.abc import Callable
from dataclasses import dataclass, field

from edgetx.profile.bus import Peripheral
from edgetx.profile.nvic import FIRST_INTERRUPT, PEND_SV, SVC, SYS_TICK, Nvic

CPUID = {
    "cortex-m0": 0x410C_C200,
    "cortex-m0plus": 0x410C_C601,
    "cortex-m3": 0x412F_C231,
    "cortex-m4": 0x410F_C241,
    "cortex-m7": 0x411F_C271,
    "cortex-m33": 0x410F_D213,
}
_ENABLE, _TICKINT, _CLKSOURCE, _COUNTFLAG = 1, 2, 4, 1 << 16
_REFERENCE_DIVIDER = 8

Clock = Callable[[], int]


@dataclass
class SysTick:
    """The 24-bit timer; it counts core cycles, or every eighth of them when CLKSOURCE is clear."""

    clock: Clock
    control: int = 0
    reload: int = 0
    _start: int = 0
    _seen: int = 0

    @property
    def interrupts(self) -> bool:
        """Whether it is counting and raises its exception."""
        return self.control & (_ENABLE | _TICKINT) == _ENABLE | _TICKINT and self.reload > 0

    @property
    def next_cycle(self) -> int:
        """Cycle of its next expiry behind those seen by `expire`."""
        period = self._period
        return self._start + (self._seen + 1) * period

    def expire(self, cycle: int) -> bool:
        """Whether it has expired since the last call, at a cycle."""
        if not self.interrupts:
            return False
        count = max(cycle - self._start, 0) // self._period
        expired, self._seen = count > self._seen, count
        return expired

    def peripheral(self) -> Peripheral:
        """Its registers."""
        return Peripheral(0xE000_E010, 0x10, self._read, self._write)

    @property
    def _divider(self) -> int:
        return 1 if self.control & _CLKSOURCE else _REFERENCE_DIVIDER

    @property
    def _period(self) -> int:
        return (self.reload + 1) * self._divider

    def _read(self, offset: int, _size: int) -> int:
        match offset & ~3:
            case 0x0:
                flag = _COUNTFLAG if self._wrapped() else 0
                return self.control | flag
            case 0x4:
                return self.reload
            case 0x8:
                return self._value()
            case _:
                return 0

    def _write(self, offset: int, _size: int, value: int) -> None:
        match offset & ~3:
            case 0x0:
                if value & ~self.control & _ENABLE:
                    self._restart()
                self.control = value & 7
            case 0x4:
                self.reload = value & 0xFF_FFFF
                self._restart()
            case 0x8:
                self._restart()

    def _restart(self) -> None:
        self._start, self._seen, self._flagged = self.clock() + 1, 0, 0

    _flagged: int = 0

    def _wrapped(self) -> bool:
        if not self.control & _ENABLE or not self.reload:
            return False
        count = max(self.clock() - self._start, 0) // self._period
        wrapped, self._flagged = count > self._flagged, count
        return wrapped

    def _value(self) -> int:
        if not self.control & _ENABLE or not self.reload:
            return 0
        elapsed = max(self.clock() - self._start, 0) // self._divider
        return self.reload - elapsed % (self.reload + 1)


@dataclass
class CycleCounter:
    """DWT: CTRL and CYCCNT."""

    clock: Clock
    control: int = 0x4000_0000
    _offset: int = 0
    _frozen: int = 0

    def peripheral(self) -> Peripheral:
        """Its registers."""
        return Peripheral(0xE000_1000, 0x8, self._read, self._write)

    def _value(self) -> int:
        return (self.clock() - self._offset if self.control & 1 else self._frozen) & 0xFFFF_FFFF

    def _read(self, offset: int, _size: int) -> int:
        return self._value() if offset & 4 else self.control

    def _write(self, offset: int, _size: int, value: int) -> None:
        if offset & 4:
            self._frozen = value
            self._offset = self.clock() - value
            return
        current = self._value()
        self.control = value
        self._frozen, self._offset = current, self.clock() - current


@dataclass
class SystemControl:
    """NVIC and system control block.

    Attributes:
        vector_table: VTOR.
        registers: Those that only store what is written, by address.
    """

    core: str
    nvic: Nvic
    vector_table: int = 0
    registers: dict[int, int] = field(default_factory=dict)
    reset_requested: bool = False

    def peripheral(self) -> Peripheral:
        """Its registers; SysTick's lie within and must be added later."""
        return Peripheral(0xE000_E000, 0x1000, self._read, self._write)

    def word(self, address: int) -> int:
        """Value of a register that only stores."""
        return self.registers.get(address, 0)

    def _read(self, offset: int, size: int) -> int:
        value = self._read_word(offset & ~3) >> 8 * (offset & 3)
        return value & ((1 << 8 * size) - 1)

    def _read_word(self, offset: int) -> int:
        if 0x100 <= offset < 0x380:
            numbers = self.nvic.enabled if offset < 0x200 else self.nvic.pending if offset < 0x300 else self.nvic.active
            first = FIRST_INTERRUPT + (offset & 0x7F) * 8
            return sum(1 << (n - first) for n in numbers if first <= n < first + 32)
        if first := _first_priority(offset):
            return sum(self.nvic.priorities.get(first + i, 0) << 8 * i for i in range(4))
        match offset:
            case 0xD00:
                return CPUID[self.core]
            case 0xD04:
                return self._interrupt_state()
            case 0xD08:
                return self.vector_table
            case 0xD0C:
                return 0xFA05_0000 | self.word(0xE000_ED0C) & 0x700
            case _:
                return self.word(0xE000_E000 + offset)

    def _write(self, offset: int, size: int, value: int) -> None:
        if first := _first_priority(offset & ~3):
            for i in range(size):
                self.nvic.priorities[first + (offset & 3) + i] = value >> 8 * i & self.nvic.priority_mask
            return
        shift = 8 * (offset & 3)
        mask = ((1 << 8 * size) - 1) << shift
        self._write_word(offset & ~3, value << shift, mask)

    def _write_word(self, offset: int, value: int, mask: int) -> None:
        address = 0xE000_E000 + offset
        if 0x100 <= offset < 0x300:
            self._write_bits(offset, value)
        elif offset == 0xD04:
            self._pend(value)
        elif offset == 0xF00:
            self.nvic.pending.add(FIRST_INTERRUPT + (value & 0x1FF))
        elif offset == 0xD08:
            self.vector_table = value & 0xFFFF_FF80
        elif offset == 0xD0C:
            self._write_reset_control(value)
        else:
            self.registers[address] = self.word(address) & ~mask | value & mask

    def _write_bits(self, offset: int, value: int) -> None:
        first = FIRST_INTERRUPT + (offset & 0x7F) * 8
        numbers = {first + i for i in range(32) if value >> i & 1}
        chosen = self.nvic.enabled if offset < 0x200 else self.nvic.pending
        if offset & 0x80:
            chosen -= numbers
        else:
            chosen |= numbers

    def _pend(self, value: int) -> None:
        for bit, number in ((28, PEND_SV), (26, SYS_TICK)):
            if value >> bit & 1:
                self.nvic.pending.add(number)
            if value >> (bit - 1) & 1:
                self.nvic.pending.discard(number)

    def _write_reset_control(self, value: int) -> None:
        if value >> 16 != 0x05FA:
            return
        self.registers[0xE000_ED0C] = value
        self.nvic.group_mask = 0xFF & ~((2 << (value >> 8 & 7)) - 1)
        self.reset_requested |= bool(value & 4)

    def _interrupt_state(self) -> int:
        active = self.nvic.active[-1] if self.nvic.active else 0
        urgent = self.nvic.most_urgent() or 0
        base = (len(self.nvic.active) <= 1) << 11
        flags = ((PEND_SV in self.nvic.pending) << 28) | ((SYS_TICK in self.nvic.pending) << 26)
        return flags | urgent << 12 | base | active


def _first_priority(offset: int) -> int:
    """Number of the first exception whose priority lies in the word at an offset; 0 if there is none."""
    if 0x400 <= offset < 0x5F0:
        return FIRST_INTERRUPT + offset - 0x400
    if 0xD18 <= offset < 0xD24:
        return 4 + offset - 0xD18
    return 0


__all__ = ["CPUID", "SVC", "CycleCounter", "SysTick", "SystemControl"]
