"""Peripherals as the emulator sees them: windows of addresses where every access is a call."""

from collections.abc import Callable

from edgetx.errors import DeviceError
from edgetx.profile.bus import FACTORY_WINDOW, WINDOWS, Bus, Peripheral
from edgetx.profile.emulator import PAGE, Emulator
from edgetx.profile.trace.memory_map import settings_registers
from edgetx.targets import Target


class MappedIo:
    """Hands accesses to the bus and tells the simulator what follows from them.

    Args:
        target: The board.
        emulator: Whose accesses these are.
        written: Called after every write.
        rearranged: Called after a write that changes wait states or caches.
        refuse: Called with the error of an access; it must not raise.
    """

    def __init__(
        self,
        target: Target,
        emulator: Emulator,
        written: Callable[[], None],
        rearranged: Callable[[], None],
        refuse: Callable[[DeviceError], None],
    ) -> None:
        self._target, self._emulator = target, emulator
        self._written, self._rearranged, self._refuse = written, rearranged, refuse
        self._bus = Bus(unmodelled={register.address: register.reset_value for register in target.register})
        self._settings: dict[int, int] = {}
        self._settings_registers = settings_registers(target)

    @property
    def accessed(self) -> tuple[int, bool] | None:
        """Address of the access in progress and whether it is a write."""
        return self._bus.accessed

    @property
    def suspicion(self) -> str:
        """What firmware that does not come to an end may be waiting for."""
        return self._bus.suspicion

    def add(self, peripheral: Peripheral) -> None:
        """Add a peripheral, wherever it is; it takes precedence over those added before."""
        self._bus.add(peripheral)
        base = peripheral.base
        if not any(start <= base < start + length for start, length in WINDOWS):
            begin = base & ~(PAGE - 1)
            self._map(begin, -(-(base + peripheral.size - begin) // PAGE) * PAGE)

    def map_windows(self) -> None:
        """Map where peripherals of microcontrollers are, as far as the target has no memory there."""
        for base, size in (*WINDOWS, FACTORY_WINDOW):
            if not any(r.base_address < base + size <= r.end_address for r in self._target.memory.values()):
                self._map(base, size)

    def setting(self, address: int) -> int | None:
        """What the firmware has written to a register that sets up memories; None if nothing."""
        return self._settings.get(address)

    def _map(self, base: int, size: int) -> None:
        self._emulator.map_mmio(
            base,
            size,
            lambda offset, width: self._read(base + offset, width),
            lambda offset, width, value: self._write(base + offset, width, value),
        )

    def _read(self, address: int, size: int) -> int:
        try:
            return self._bus.read(address, size) & ((1 << 8 * size) - 1)
        except DeviceError as problem:
            self._refuse(problem)
            return 0

    def _write(self, address: int, size: int, value: int) -> None:
        try:
            self._bus.write(address, size, value)
        except DeviceError as problem:
            self._refuse(problem)
        self._written()
        register = address & ~3
        if register in self._settings_registers:
            self._settings[register] = self._bus.read(register, 4)
            self._rearranged()
