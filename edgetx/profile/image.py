"""Firmware images: ELF, Intel HEX and raw binary become segments, symbols and an entry point."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from edgetx.errors import DeviceError

ARM_MACHINE = "EM_ARM"
_MACHINES = {ARM_MACHINE: "Arm", "EM_AARCH64": "64-bit Arm"}


@dataclass(frozen=True)
class Segment:
    """Bytes that are in memory when the core comes out of reset."""

    address: int
    data: bytes

    @property
    def end_address(self) -> int:
        """First address behind the segment."""
        return self.address + len(self.data)


@dataclass(frozen=True)
class Symbol:
    """A function or object of the program; the address has no Thumb bit."""

    name: str
    address: int
    size: int
    is_function: bool


@dataclass(frozen=True)
class Image:
    """A firmware image.

    Attributes:
        path: The file it came from.
        segments: What is loaded, by ascending address.
        initialised: What start-up code copies from there to RAM.
        symbols: Functions and objects by ascending address; none for raw images.
        entry: Where execution starts if there is no vector table.
    """

    path: Path
    segments: tuple[Segment, ...]
    initialised: tuple[Segment, ...] = ()
    symbols: tuple[Symbol, ...] = ()
    entry: int | None = None
    _by_name: dict[str, Symbol] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        self._by_name.update((symbol.name, symbol) for symbol in self.symbols)

    def symbol(self, name: str) -> Symbol:
        """The symbol called `name`.

        Raises:
            DeviceError: If the image has none of that name.
        """
        if name not in self._by_name:
            similar = get_close_matches(name, self._by_name, 3)
            hint = f"did you mean {' or '.join(similar)}?" if similar else "is the image stripped?"
            raise DeviceError(f"no symbol '{name}'", where=self.path.name, hint=hint)
        return self._by_name[name]

    def has_symbol(self, name: str) -> bool:
        """Whether a symbol of that name exists."""
        return name in self._by_name

    def function_at(self, address: int) -> Symbol | None:
        """The function that an address lies in."""
        index = bisect_right(self._function_addresses, address) - 1
        if index < 0:
            return None
        found = self._functions[index]
        return found if address < found.address + max(found.size, 2) or not found.size else None

    def describe(self, address: int) -> str:
        """An address for messages, with the function it lies in."""
        found = self.function_at(address)
        return f"0x{address:08x} ({found.name}+0x{address - found.address:x})" if found else f"0x{address:08x}"

    @cached_property
    def _functions(self) -> list[Symbol]:
        return [symbol for symbol in self.symbols if symbol.is_function]

    @cached_property
    def _function_addresses(self) -> list[int]:
        return [symbol.address for symbol in self._functions]


def load_image(path: str | Path, base: int | None = None, machine: str = ARM_MACHINE) -> Image:
    """Read a firmware image.

    Args:
        path: An ELF file, an Intel HEX file (`.hex`, `.ihex`) or a raw binary.
        base: Address of the first byte of a raw binary; for an ELF or HEX file it must not be given.
        machine: What an ELF file must be for, as ELF calls it.

    Raises:
        DeviceError: If the file is damaged, not for Arm, or its base address is missing.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise DeviceError(f"cannot read the image: {problem.strerror}", where=str(path)) from problem
    if data[:4] == b"\x7fELF":
        return _load_elf(path, machine)
    if path.suffix.lower() in (".hex", ".ihex"):
        return Image(path, _merge(_parse_hex(path, data)))
    if base is None:
        raise DeviceError("a raw image needs its base address", where=str(path), hint="give --base 0x08000000")
    if not data:
        raise DeviceError("the image is empty", where=str(path))
    return Image(path, (Segment(base, data),))


def _load_elf(path: Path, machine: str) -> Image:
    with path.open("rb") as stream:
        try:
            elf = ELFFile(stream)
            if elf["e_machine"] != machine:
                raise DeviceError(f"an ELF file for {elf['e_machine']}, not for {_MACHINES[machine]}", where=str(path))
            parts = [part for part in elf.iter_segments("PT_LOAD") if part["p_filesz"]]
            segments = _merge(Segment(part["p_paddr"], _part_data(path, part)) for part in parts)
            moved = [part for part in parts if part["p_vaddr"] != part["p_paddr"]]
            initialised = _merge(Segment(part["p_vaddr"], _part_data(path, part)) for part in moved)
            symbols = tuple(sorted(_symbols(elf), key=lambda symbol: symbol.address))
        except (ELFError, KeyError, ValueError, UnicodeDecodeError, OverflowError, OSError) as problem:
            raise DeviceError(f"damaged ELF file: {problem}", where=str(path)) from problem
        if not segments:
            raise DeviceError("the ELF file loads nothing", where=str(path), hint="is it linked?")
        return Image(path, segments, initialised, symbols, elf["e_entry"])


def _part_data(path: Path, part: "object") -> bytes:
    data: bytes = part.data()  # type: ignore[attr-defined]
    if len(data) < part["p_filesz"]:  # type: ignore[index]
        raise DeviceError("truncated ELF file", where=str(path))
    return data


def _symbols(elf: ELFFile) -> Iterator[Symbol]:
    seen: set[tuple[str, int]] = set()
    for section in elf.iter_sections():
        if not isinstance(section, SymbolTableSection):
            continue
        for entry in section.iter_symbols():
            kind = entry["st_info"]["type"]
            if not entry.name or entry.name.startswith("$") or entry["st_shndx"] == "SHN_UNDEF":
                continue
            if kind not in ("STT_FUNC", "STT_OBJECT", "STT_NOTYPE") or (entry.name, entry["st_value"]) in seen:
                continue
            seen.add((entry.name, entry["st_value"]))
            is_function = kind == "STT_FUNC"
            yield Symbol(entry.name, entry["st_value"] & (~1 if is_function else ~0), entry["st_size"], is_function)


def _parse_hex(path: Path, data: bytes) -> Iterator[Segment]:
    upper = 0
    for number, line in enumerate(data.split(), 1):
        where = f"{path.name}:{number}"
        try:
            record = bytes.fromhex(line[1:].decode("ascii"))
        except (ValueError, UnicodeDecodeError) as problem:
            raise DeviceError("not an Intel HEX record", where=where) from problem
        if line[:1] != b":" or len(record) < 5 or len(record) != record[0] + 5:
            raise DeviceError("truncated Intel HEX record", where=where)
        if sum(record) & 0xFF:
            raise DeviceError("wrong checksum", where=where)
        payload = record[4:-1]
        match record[3]:
            case 0:
                yield Segment(upper + int.from_bytes(record[1:3], "big"), payload)
            case 1:
                return
            case 2:
                upper = int.from_bytes(payload, "big") << 4
            case 4:
                upper = int.from_bytes(payload, "big") << 16
    raise DeviceError("no end-of-file record", where=path.name, hint="is the file truncated?")


def _merge(parts: Iterable[Segment]) -> tuple[Segment, ...]:
    merged: list[Segment] = []
    for part in sorted(parts, key=lambda segment: segment.address):
        if merged and merged[-1].end_address == part.address:
            merged[-1] = Segment(merged[-1].address, merged[-1].data + part.data)
        else:
            merged.append(part)
    return tuple(merged)
