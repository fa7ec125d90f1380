"""What an ELF image contains: sections, symbols."""

import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from edgetx.errors import ModelError

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
    """Functions with their code, one per address."""
    with _open(elf) as image:
        by_address = {s.address: s for s in _symbols(image) if s.kind == "function"}
        return [(symbol, _code(image, symbol)) for _, symbol in sorted(by_address.items())]


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
    for table in image.iter_sections():
        if isinstance(table, SymbolTableSection):
            for symbol in table.iter_symbols():
                kind = {"STT_FUNC": "function", "STT_OBJECT": "object"}.get(symbol["st_info"]["type"])
                if kind and isinstance(symbol["st_shndx"], int):
                    address = symbol["st_value"] & ~1 if kind == "function" else symbol["st_value"]
                    section = image.get_section(symbol["st_shndx"]).name
                    yield Symbol(symbol.name, address, symbol["st_size"], kind, section)


def _code(image: ELFFile, symbol: Symbol) -> bytes:
    (offset,) = image.address_offsets(symbol.address) or (0,)
    image.stream.seek(offset)
    code: bytes = image.stream.read(symbol.size_bytes)
    return code


@contextmanager
def _open(elf: Path) -> Iterator[ELFFile]:
    try:
        with elf.open("rb") as stream:
            yield ELFFile(stream)
    except (OSError, ELFError) as problem:
        raise ModelError(f"not a readable ELF image: {problem}", where=str(elf)) from problem
