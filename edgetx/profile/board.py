"""The memories of a target, with an image in them."""

import ctypes
from itertools import accumulate

from edgetx.errors import DeviceError
from edgetx.profile.emulator import PAGE, Emulator
from edgetx.profile.image import Image, Segment
from edgetx.targets import MemoryRegion, Target

VECTOR_TABLE_OFFSETS = (0, 0x100)
"""Within a segment; behind the second-stage boot loader on RP2040."""


class Board:
    """Maps the memories of a target into an emulator.

    Attributes:
        host_addresses: Where the host keeps each bank of memory, by its first address.
    """

    def __init__(self, target: Target, image: Image, emulator: Emulator) -> None:
        self._target, self._image, self._emulator = target, image, emulator
        self.host_addresses: dict[int, int] = {}
        for region in target.memory.values():
            self._map(region)

    def load(self) -> None:
        """Put the image where it belongs.

        Raises:
            DeviceError: If the target has no memory there.
        """
        for segment in (*self._image.segments, *self._image.initialised):
            if not self._holds(segment):
                raise DeviceError(
                    f"the image needs memory at 0x{segment.address:08x}..0x{segment.end_address:08x}, "
                    f"which {self._target.name} does not have",
                    where=str(self._image.path),
                    hint="is it built for another board?",
                )
            self._emulator.write(segment.address, segment.data)

    def vector_table(self) -> int | None:
        """Address of the vector table of the image, if it has one."""
        for segment in self._image.segments:
            for offset in VECTOR_TABLE_OFFSETS:
                if self._is_vector_table(segment.data[offset : offset + 8]):
                    return segment.address + offset
        return None

    def top_of_stack(self) -> int:
        """Where the stack starts when the image does not say."""
        return self._target.memory[self._target.region_of("stack")].end_address & ~7

    def _map(self, region: MemoryRegion) -> None:
        size = -(-region.size_bytes // PAGE) * PAGE
        memory = ctypes.create_string_buffer(size + PAGE)
        start = -(-ctypes.addressof(memory) // PAGE) * PAGE
        for base in (region.base_address, *region.aliases):
            self._emulator.map_alias(base, size, memory, start, writable="code" not in region.roles)
            for offset in (0, *accumulate(region.bank_bytes[:-1])):
                self.host_addresses[base + offset] = start + offset

    def _holds(self, segment: Segment) -> bool:
        places = ((base, r.size_bytes) for r in self._target.memory.values() for base in (r.base_address, *r.aliases))
        return any(base <= segment.address and segment.end_address <= base + size for base, size in places)

    def _is_vector_table(self, head: bytes) -> bool:
        if len(head) < 8:
            return False
        stack, reset = int.from_bytes(head[:4], "little"), int.from_bytes(head[4:], "little")
        memories = [r for r in self._target.memory.values() if "code" not in r.roles]
        in_ram = any(r.base_address < stack <= r.end_address for r in memories)
        in_image = any(s.address <= reset < s.end_address for s in self._image.segments)
        return in_ram and in_image and bool(reset & 1) and stack % 4 == 0
