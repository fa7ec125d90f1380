"""What is to be written where."""

from collections.abc import Iterator
from dataclasses import dataclass

from edgetx.errors import DeviceError
from edgetx.profile.image import Image, Segment
from edgetx.targets import Target

VECTORS_BEHIND_BOOT = {"rp2040": 0x100}
"""Where the vector table is, if flash begins with something that the boot ROM runs."""


@dataclass(frozen=True)
class FlashPlan:
    """An image on its way to a target.

    Attributes:
        target: The board.
        image: The firmware.
        vectors: Address of the vector table.
        stack: The stack pointer after reset.
        entry: The first instruction, with its Thumb bit.
    """

    target: Target
    image: Image
    vectors: int
    stack: int
    entry: int

    @property
    def size(self) -> int:
        """Bytes to write."""
        return sum(len(segment.data) for segment in self.image.segments)

    def lines(self) -> Iterator[str]:
        """What will be written, for people."""
        for segment in self.image.segments:
            region = region_at(self.target, segment)
            yield f"write {len(segment.data)} bytes at 0x{segment.address:08x} ({region})"
        yield f"start at 0x{self.entry & ~1:08x} with the stack at 0x{self.stack:08x}"


def make_plan(target: Target, image: Image) -> FlashPlan:
    """Check an image against the target's memory.

    Raises:
        DeviceError: If the target is no board, the image does not fit into its memory, or has no vector table.
    """
    if target.kind != "mcu":
        raise DeviceError(f"no image is made for a {target.kind}", where=target.name)
    for segment in image.segments:
        region_at(target, segment)
    code = target.memory[target.region_of("code")]
    first = image.segments[0]
    vectors = VECTORS_BEHIND_BOOT.get(target.boot, 0)
    if first.address != code.base_address or len(first.data) < vectors + 8:
        where = f"0x{first.address:08x}, not at 0x{code.base_address:08x}"
        raise DeviceError(f"the image begins at {where}", where=target.name, hint="compile it for this target")
    stack, entry = (int.from_bytes(first.data[vectors + i :][:4], "little") for i in (0, 4))
    if not entry & 1 or not any(s.address <= entry < s.end_address for s in image.segments):
        raise DeviceError(f"the reset vector 0x{entry:08x} is no address of the image", where=image.path.name)
    return FlashPlan(target, image, first.address + vectors, stack, entry)


def region_at(target: Target, segment: Segment) -> str:
    """Name of the memory region that a segment lies in.

    Raises:
        DeviceError: If none holds all of it.
    """
    for name, region in target.memory.items():
        if region.base_address <= segment.address and segment.end_address <= region.end_address:
            return name
    span = f"0x{segment.address:08x} to 0x{segment.end_address:08x}"
    raise DeviceError(f"has no memory at {span}", where=target.name, hint="was the image built for another target?")
