"""What an ELF image contains: sections, symbols."""

import re
import struct
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import Symbol as ElfSymbol
from elftools.elf.sections import SymbolTableSection

from edgetx.errors import ModelError

_NOP = b"\x00\xbf"
_FLOAT_HELPER = re.compile(
    r"__aeabi_(c?[df]|u?[il]2)"  # the names of the Arm ABI, then those of libgcc and compiler-rt
    r"|__(add|sub|mul|div|neg|cmp|eq|ne|lt|le|gt|ge|unord|fix|float|extend|trunc)\w*[hsdt]f"
)


@dataclass(frozen=True)
class Symbol:
    """A function or object of an image; `section` is where it lies, such as `.text`."""

    name: str
    address: int
    size_bytes: int
    kind: str
    section: str


def section_sizes(elf: Path) -> dict[str, int]:
    """Size of every section that takes memory on the device, by name without the leading dot."""
    with _open(elf) as image:
        return {
            section.name.lstrip("."): section["sh_size"]
            for section in image.iter_sections()
            if section["sh_flags"] & SH_FLAGS.SHF_ALLOC
        }


def elf_symbols(elf: Path) -> list[Symbol]:
    """All functions and objects, by address."""
    with _open(elf) as image:
        return sorted(_symbols(image), key=lambda s: (s.address, s.name))


def elf_functions(elf: Path) -> list[tuple[Symbol, bytes]]:
    """Functions with their code, one per address; literal pools are replaced by NOPs."""
    with _open(elf) as image:
        by_address = {s.address: s for s in _symbols(image) if s.kind == "function"}
        marks = sorted((s["st_value"], s.name[:2]) for s in _symbol_entries(image) if s.name[:1] == "$")
        return [(symbol, _code(image, symbol, marks)) for _, symbol in sorted(by_address.items())]


def stored_words(elf: Path) -> set[int]:
    """All aligned 32-bit words that the image stores outside the vector table."""
    with _open(elf) as image:
        stored = [
            s.data() for s in image.iter_sections() if s["sh_flags"] & SH_FLAGS.SHF_ALLOC and s.name != ".vectors"
        ]
    return {word for data in stored for (word,) in struct.iter_unpack("<I", data[: len(data) & ~3])}


def has_float_symbols(elf: Path) -> bool:
    """Whether a floating-point helper of the compiler's library is part of the image."""
    return any(_FLOAT_HELPER.match(symbol.name) for symbol in elf_symbols(elf))


def _symbols(image: ELFFile) -> Iterator[Symbol]:
    for entry in _symbol_entries(image):
        kind = {"STT_FUNC": "function", "STT_OBJECT": "object"}.get(entry["st_info"]["type"])
        if kind and isinstance(entry["st_shndx"], int):
            address = entry["st_value"] & ~1 if kind == "function" else entry["st_value"]
            section = image.get_section(entry["st_shndx"]).name
            yield Symbol(entry.name, address, entry["st_size"], kind, section)


def _symbol_entries(image: ELFFile) -> Iterator[ElfSymbol]:
    for section in image.iter_sections():
        if isinstance(section, SymbolTableSection):
            yield from section.iter_symbols()


def _code(image: ELFFile, function: Symbol, marks: Sequence[tuple[int, str]]) -> bytes:
    """Code of a function; `marks` are the addresses where instructions ($t) and data ($d) begin."""
    (offset,) = image.address_offsets(function.address) or (0,)
    image.stream.seek(offset)
    code = bytearray(image.stream.read(function.size_bytes))
    for i in range(0, len(code), 2):
        mark = bisect_right(marks, (function.address + i, "$~")) - 1
        if mark >= 0 and marks[mark][1] == "$d":
            code[i : i + 2] = _NOP
    return bytes(code)


@contextmanager
def _open(elf: Path) -> Iterator[ELFFile]:
    try:
        with elf.open("rb") as stream:
            yield ELFFile(stream)
    except (OSError, ELFError) as problem:
        raise ModelError(f"not a readable ELF image: {problem}", where=str(elf)) from problem
