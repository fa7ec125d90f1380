"""Cells, and the plain tables that they stand in."""

from typing import Literal

from rich.console import Console
from rich.table import Table


def make_console() -> Console:
    """Standard output; wide where it is not a terminal."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=160)


def number(value: int | None) -> str:
    """An integer with thousands separated, or a dash."""
    return "–" if value is None else f"{value:,}".replace(",", " ")


def percent(value: float | None) -> str:
    """A share with two decimals, or a dash."""
    return "–" if value is None else f"{value:.2%}"


def plain_table(*columns: str) -> Table:
    """A table without lines; a column whose name ends in `>` is aligned to the right."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        justify: Literal["left", "right"] = "right" if column.endswith(">") else "left"
        table.add_column(column.removesuffix(">"), justify=justify, overflow="fold")
    return table
