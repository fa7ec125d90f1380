"""Flashing through a GDB server."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from edgetx.device.gdb import ERASE_SECONDS, GdbClient, escaped
from edgetx.errors import DeviceError
from edgetx.flash.identity import check_chip
from edgetx.flash.plan import FlashPlan
from edgetx.profile.image import Segment

VECTOR_BYTES = 256
"""Vector table, or second stage of the boot: written last, so that a device with half an image does not start it.

A multiple of every flash's unit of writing."""
_VTOR = 0xE000_ED08
_SP, _PC = 13, 15


@dataclass(frozen=True)
class FlashArea:
    """Flash as a debug server describes it; erased in whole blocks."""

    start: int
    size: int
    block: int


class GdbProbe:
    """A debug server: that of OpenOCD, pyOCD or a J-Link, or of QEMU.

    Args:
        host: Where it runs.
        port: Its port.
    """

    def __init__(self, host: str, port: int) -> None:
        self._client = GdbClient(host, port)
        self.where = self._client.where
        try:
            self._areas = flash_areas(self._client.memory_map(), self.where)
        except DeviceError:
            self._client.close()
            raise

    def identify(self, plan: FlashPlan) -> str:
        return check_chip(plan.target, self._client.read_word, self.where)

    def write(self, plan: FlashPlan, progress: Callable[[str], None]) -> None:
        self._client.reset()
        vectors, body = _split(plan)
        progress("erase")
        for area in self._areas:
            for start, size in _blocks(area, plan.image.segments):
                self._client.expect_ok(b"vFlashErase:%x,%x" % (start, size), f"erase 0x{start:08x}", ERASE_SECONDS)
        if not self._is_flash(vectors):
            self._client.write(vectors.address, bytes(len(vectors.data)))
        progress("write")
        self._write_all(body)
        progress("verify")
        self._compare(body)
        self._write_all([vectors])

    def verify(self, plan: FlashPlan) -> str:
        self._compare([_split(plan)[0]])
        return "read back and equal"

    def _compare(self, segments: list[Segment]) -> None:
        for segment in segments:
            found = self._client.read(segment.address, len(segment.data))
            if found != segment.data:
                place = next(i for i, (a, b) in enumerate(zip(found, segment.data, strict=True)) if a != b)
                wrong = (
                    f"0x{segment.address + place:08x} reads 0x{found[place]:02x} instead of 0x{segment.data[place]:02x}"
                )
                raise DeviceError(f"the device does not hold what was written: {wrong}", where=self.where)

    def start(self, plan: FlashPlan) -> None:
        self._client.reset()
        if not plan.target.boot:  # such a chip must start in its boot ROM, which makes flash readable
            self._client.write_word(_VTOR, plan.vectors)
            self._client.write_register(_SP, plan.stack)
            self._client.write_register(_PC, plan.entry & ~1)
        self._client.detach()

    def close(self) -> None:
        self._client.close()

    def _is_flash(self, segment: Segment) -> bool:
        return any(a.start <= segment.address < a.start + a.size for a in self._areas)

    def _write_all(self, segments: list[Segment]) -> None:
        flashed = [segment for segment in segments if self._is_flash(segment)]
        for segment in segments:
            if segment not in flashed:
                self._client.write(segment.address, segment.data)
        for segment in flashed:
            self._write_flash(segment)
        if flashed:
            self._client.expect_ok(b"vFlashDone", "write the flash", ERASE_SECONDS)

    def _write_flash(self, segment: Segment) -> None:
        step = max(16, self._client.packet_bytes // 2 - 32)  # every byte might be escaped
        for start in range(0, len(segment.data), step):
            address = segment.address + start
            packet = b"vFlashWrite:%x:" % address + escaped(segment.data[start : start + step])
            self._client.expect_ok(packet, f"write 0x{address:08x}", ERASE_SECONDS)


def flash_areas(memory_map: bytes, where: str) -> list[FlashArea]:
    """Flash in the memory map of a server.

    Raises:
        DeviceError: If the map is damaged.
    """
    if not memory_map:
        return []
    try:
        root = ElementTree.fromstring(memory_map)
        found = [m for m in root.iter("memory") if m.get("type") == "flash"]
        return [FlashArea(int(m.get("start", ""), 0), int(m.get("length", ""), 0), _block_size(m)) for m in found]
    except (ElementTree.ParseError, ValueError) as problem:
        raise DeviceError(f"the server's memory map is damaged: {problem}", where=where) from problem


def _block_size(memory: ElementTree.Element) -> int:
    block = int(next((p.text or "" for p in memory.iter("property") if p.get("name") == "blocksize"), ""), 0)
    if block <= 0:
        raise ValueError("block size")
    return block


def _blocks(area: FlashArea, segments: tuple[Segment, ...]) -> Iterator[tuple[int, int]]:
    """Runs of blocks of an area that the segments touch."""
    touched = set()
    for segment in segments:
        first, last = max(segment.address, area.start), min(segment.end_address, area.start + area.size)
        touched |= set(range((first - area.start) // area.block, -((area.start - last) // area.block)))
    for block in sorted(touched):
        yield area.start + block * area.block, area.block


def _split(plan: FlashPlan) -> tuple[Segment, list[Segment]]:
    """The vector table, and everything else."""
    first, *rest = plan.image.segments
    vectors = Segment(first.address, first.data[:VECTOR_BYTES])
    behind = Segment(first.address + VECTOR_BYTES, first.data[VECTOR_BYTES:])
    return vectors, [behind, *rest] if behind.data else rest
