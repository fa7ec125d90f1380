"""UF2: the file format of bootloaders that show up as a drive, those of the RP2040 and RP2350 among them.

A file is blocks of 512 bytes, each with its own address; see github.com/microsoft/uf2.
"""

import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

from edgetx.errors import DeviceError
from edgetx.flash.plan import FlashPlan
from edgetx.profile.image import Image
from edgetx.targets import Target

PAGE = 256
MAGIC_START, MAGIC_SECOND, MAGIC_END = 0x0A32_4655, 0x9E5D_5157, 0x0AB1_6F30
FAMILY_PRESENT = 0x2000
_HEADER = struct.Struct("<8I")
_BLOCK = 512
_INFO = "INFO_UF2.TXT"
_MOUNTS = Path("/proc/mounts")


def uf2_file(image: Image, family: int) -> bytes:
    """An image as UF2, in whole pages; gaps within a page are 0.

    Args:
        image: The firmware.
        family: The number by which the bootloader knows its chip.
    """
    pages: dict[int, bytearray] = {}
    for segment in image.segments:
        for place, byte in enumerate(segment.data, segment.address):
            pages.setdefault(place // PAGE, bytearray(PAGE))[place % PAGE] = byte
    return b"".join(
        _block(n, len(pages), page * PAGE, bytes(pages[page]), family) for n, page in enumerate(sorted(pages))
    )


def _block(number: int, count: int, address: int, data: bytes, family: int) -> bytes:
    header = _HEADER.pack(MAGIC_START, MAGIC_SECOND, FAMILY_PRESENT, address, len(data), number, count, family)
    return (header + data).ljust(_BLOCK - 4, b"\0") + MAGIC_END.to_bytes(4, "little")


def parse_uf2(data: bytes) -> dict[int, bytes]:
    """Pages of a UF2 file by address.

    Raises:
        DeviceError: If it is damaged.
    """
    pages: dict[int, bytes] = {}
    if not data or len(data) % _BLOCK:
        raise DeviceError("a UF2 file is blocks of 512 bytes", where="UF2")
    count = len(data) // _BLOCK
    for number in range(count):
        block = data[number * _BLOCK : (number + 1) * _BLOCK]
        first, second, _, address, size, index, total, _ = _HEADER.unpack_from(block)
        magic = (first, second, int.from_bytes(block[-4:], "little"))
        if magic != (MAGIC_START, MAGIC_SECOND, MAGIC_END) or size > 476 or (index, total) != (number, count):
            raise DeviceError(f"block {number} is damaged", where="UF2")
        pages[address] = block[_HEADER.size : _HEADER.size + size]
    return pages


class Uf2Probe:
    """The drive of a bootloader.

    Args:
        drive: Where it is mounted; empty to look for it.
        target: The board.
    """

    def __init__(self, drive: str, target: Target) -> None:
        if target.uf2 is None:
            raise DeviceError("its bootloader does not take UF2", where=target.name, hint="--probe gdb:host:port")
        self._family, self._board = target.uf2.family, target.uf2.board
        self._drive = Path(drive) if drive else self._found()
        self.where = f"uf2:{self._drive}"

    def identify(self, plan: FlashPlan) -> str:
        try:
            info = (self._drive / _INFO).read_text(encoding="ascii", errors="replace")
        except OSError as problem:
            hint = "hold BOOTSEL while plugging the board in"
            raise DeviceError(f"no bootloader: {problem.strerror}", where=self.where, hint=hint) from problem
        board = next((line.partition(":")[2].strip() for line in info.splitlines() if line.startswith("Board-ID:")), "")
        if board != self._board:
            what = f"another chip: the bootloader calls itself {board!r}, that of a {plan.target.name} {self._board!r}"
            raise DeviceError(what, where=self.where, hint="nothing was erased; choose the board's own --target")
        return board

    def write(self, plan: FlashPlan, progress: Callable[[str], None]) -> None:
        progress("write")
        data = uf2_file(plan.image, self._family)
        try:
            with (self._drive / "firmware.uf2").open("wb", buffering=0) as file:
                for start in range(0, len(data), _BLOCK):
                    file.write(data[start : start + _BLOCK])
                os.fsync(file.fileno())
        except OSError as problem:
            raise DeviceError(f"cannot write: {problem.strerror}", where=self.where) from problem

    def verify(self, plan: FlashPlan) -> str:
        return (
            "taken by the bootloader, which cannot be read back: edgetx profile --engine device asks which image runs"
        )

    def start(self, plan: FlashPlan) -> None:
        """The bootloader starts the image on its own."""

    def close(self) -> None:
        """Nothing is held."""

    def _found(self) -> Path:
        drives = [drive for drive in _drives() if (drive / _INFO).is_file()]
        if len(drives) != 1:
            what = f"{len(drives)} bootloader drives are mounted, one is needed"
            hint = "hold BOOTSEL while plugging the board in, and mount its drive; or name it: uf2:/media/RPI-RP2"
            raise DeviceError(what, where="uf2:", hint=hint)
        return drives[0]


def _drives() -> Iterator[Path]:
    """Mounted FAT file systems."""
    for line in _MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines() if _MOUNTS.exists() else ():
        _, place, kind, *_ = line.split(" ")
        if kind in ("vfat", "msdos"):
            yield Path(place.encode().decode("unicode_escape"))
