"""What the engine has to know of a target's memories, as the firmware has set them up."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from edgetx.targets import BitField, Cache, Flash, MemoryRegion, Target

NO_CACHE = -1


@dataclass(frozen=True)
class Region:
    """Memory at consecutive addresses.

    Attributes:
        base: First address.
        end: First address behind it.
        bank: Memories with different numbers cannot be accessed in an overlapped way.
        line_shift: Width of one read of the array, as a power of two.
        wait: Cycles that a read of the array takes beyond that of a hit.
        prefetch: Whether the array is read ahead of the fetch unit.
        penalty: Cycles that the bus to it takes.
        fetch_cache: Index of the cache for instructions, -1 for none.
        data_cache: Index of the cache for data, -1 for none.
        buffers_data: Whether the line read last for data is kept.
    """

    base: int
    end: int
    bank: int
    line_shift: int = 3
    wait: int = 0
    prefetch: bool = False
    penalty: int = 0
    fetch_cache: int = NO_CACHE
    data_cache: int = NO_CACHE
    buffers_data: bool = True


@dataclass(frozen=True)
class MemoryMap:
    """Regions of a target and which of its caches are on."""

    regions: tuple[Region, ...]
    caches_on: tuple[bool, ...]


Register = Callable[[int], int | None]
"""Value of a hardware register; None if the firmware has never written it."""


def make_memory_map(target: Target, register: Register, bus_cycles: int = 0) -> MemoryMap:
    """The memories of a target.

    Args:
        target: The target.
        register: Registers with which firmware sets wait states, prefetch and caches; until it has written them, what
            the target file says is usual at its clock.
        bus_cycles: What the bus to memories behind a cache takes.
    """
    regions: list[Region] = []
    for name, memory in target.memory.items():
        for region in _banks(memory, len(regions)):
            penalty = 0 if memory.tightly_coupled else bus_cycles
            fetch, data = (_cache_index(target, name, held) for held in ("instructions", "data"))
            region = replace(region, penalty=penalty, fetch_cache=fetch, data_cache=data)
            if target.flash and name == target.flash.region:
                region = _with_flash(region, target.flash, target.clock_hz, register)
            regions.append(region)
            regions += [_moved(region, memory.base_address, alias) for alias in memory.aliases]
    waiting = sorted(regions, key=lambda r: not r.wait)
    return MemoryMap(tuple(waiting), tuple(_is_on(target, cache, register) for cache in target.cache))


def fetch_line_bytes(target: Target, address: int, bus_cycles: int) -> int:
    """Bytes of code at an address that arrive together; 0 if the firmware never has to wait for them."""
    for name, memory in target.memory.items():
        bases = (memory.base_address, *memory.aliases)
        if not any(base <= address < base + memory.size_bytes for base in bases):
            continue
        in_flash = target.flash is not None and name == target.flash.region
        if not in_flash and (memory.tightly_coupled or not bus_cycles):
            return 0
        lines = [cache.line_bytes for cache in target.cache if name in cache.regions and "instructions" in cache.holds]
        return min([*lines, target.flash.line_bits // 8] if target.flash and in_flash else [*lines, 8])
    return 0


def settings_registers(target: Target) -> frozenset[int]:
    """Addresses of the registers that change the memory map."""
    flash = target.flash
    fields = [flash.wait_states_field, flash.prefetch_field] if flash else []
    fields += [cache.enable_field for cache in target.cache]
    return frozenset(field.address for field in fields if field)


def _banks(memory: MemoryRegion, first_bank: int) -> list[Region]:
    sizes = memory.bank_bytes or (memory.size_bytes,)
    regions, base = [], memory.base_address
    for i, size in enumerate(sizes):
        regions.append(Region(base, base + size, first_bank + i))
        base += size
    return regions


def _moved(region: Region, base: int, alias: int) -> Region:
    return replace(region, base=region.base - base + alias, end=region.end - base + alias)


def _cache_index(target: Target, region: str, held: str) -> int:
    indices = [i for i, cache in enumerate(target.cache) if region in cache.regions and held in cache.holds]
    return indices[0] if indices else NO_CACHE


def _with_flash(region: Region, flash: Flash, clock_hz: int, register: Register) -> Region:
    wait = _field(flash.wait_states_field, register)
    prefetch = _field(flash.prefetch_field, register)
    return replace(
        region,
        line_shift=(flash.line_bits // 8).bit_length() - 1,
        wait=flash.wait_cycles(clock_hz) if wait is None else wait,
        prefetch=flash.prefetch if prefetch is None else bool(prefetch),
        buffers_data=flash.buffers_data,
    )


def _is_on(target: Target, cache: Cache, register: Register) -> bool:
    """Whether a cache is on: one that firmware leaves alone while it sets up others is as after a reset."""
    field = cache.enable_field
    if field is None:
        return True
    value = register(field.address)
    if value is None and any(register(address) is not None for address in settings_registers(target)):
        value = {r.address: r.reset_value for r in target.register}.get(field.address, 0)
    return value is None or bool(value >> field.bit & 1)


def _field(field: BitField | None, register: Register) -> int | None:
    value = register(field.address) if field else None
    return None if field is None or value is None else value >> field.bit & ((1 << field.width) - 1)
