"""Source lines of addresses, from the debug information of an ELF file."""

from bisect import bisect_right
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.construct import ConstructError
from elftools.elf.elffile import ELFFile

from edgetx.errors import DeviceError

Line = tuple[str, int]


class LineTable:
    """Addresses to source lines; empty for images without debug information.

    Raises:
        DeviceError: If the debug information is damaged.
    """

    def __init__(self, path: Path) -> None:
        try:
            rows = sorted(_rows(path), key=lambda row: row[0])
        except (ELFError, ConstructError, LookupError, ValueError, TypeError, AttributeError, OverflowError) as problem:
            raise DeviceError(
                "the debug information is damaged", where=str(path), hint="arm-none-eabi-strip -g removes it"
            ) from problem
        self._addresses = [address for address, _ in rows]
        self._lines = [line for _, line in rows]

    def __bool__(self) -> bool:
        return bool(self._addresses)

    def at(self, address: int) -> Line | None:
        """File and line of an instruction."""
        index = bisect_right(self._addresses, address) - 1
        return self._lines[index] if index >= 0 else None


def _rows(path: Path) -> list[tuple[int, Line | None]]:
    with path.open("rb") as stream:
        if stream.read(4) != b"\x7fELF":
            return []
        elf = ELFFile(stream)
        if not elf.has_dwarf_info():
            return []
        dwarf = elf.get_dwarf_info()
        rows: list[tuple[int, Line | None]] = []
        for unit in dwarf.iter_CUs():
            if program := dwarf.line_program_for_CU(unit):
                rows += _program_rows(program)
        return [(address, line) for address, line in rows if address]


def _program_rows(program: "object") -> list[tuple[int, Line | None]]:
    files = program["file_entry"]  # type: ignore[index]
    first = 0 if program["version"] >= 5 else 1  # type: ignore[index]
    rows: list[tuple[int, Line | None]] = []
    for entry in program.get_entries():  # type: ignore[attr-defined]
        state = entry.state
        if state is None:
            continue
        name = files[state.file - first].name.decode(errors="replace")
        rows.append((state.address, None if state.end_sequence else (name, state.line)))
    return rows
