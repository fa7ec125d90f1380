"""What the verbs of compression share: progress, options and the ledger as a table."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgetx.cli.options import TargetName
from edgetx.cli.tables import make_console, number, plain_table

if TYPE_CHECKING:
    from edgetx.compress.watch import Watch
    from edgetx.train.loop import Epoch

recordings_option = click.option(
    "--data", type=click.Path(path_type=Path), required=True, help="Audio folder with a split CSV."
)
folder_option = click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="Model folder to write [default: build/NAME-VERB]."
)
board_option = click.option(
    "--target",
    default="nucleo-l4r5zi",
    show_default=True,
    type=TargetName(),
    help="Board whose cycles and bytes count.",
)


@contextmanager
def watching(quiet: bool) -> "Iterator[Watch]":
    """Show what a stage of compression does, and what each epoch gave, on a terminal."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from edgetx.compress.watch import Watch

    console = Console(stderr=True)
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal, transient=True) as progress:
        task, current = progress.add_task("starting", total=None), [""]

        def stage(text: str) -> None:
            current[0] = text
            progress.update(task, description=text)

        def epoch(row: "Epoch") -> None:
            text = f"{current[0]}: epoch {row.epoch}, loss {row.loss:.3f}, validation {row.valid_accuracy:.2%}"
            progress.update(task, description=text)

        yield Watch(stage, epoch)


def default_out(out: Path | None, source: str, verb: str) -> Path:
    """Where a verb writes unless told."""
    name = Path(source).parent.name if Path(source).name == "recipe.toml" else Path(source).stem
    return out or Path("build") / f"{name}-{verb}"


def print_ledger(stages: Sequence[Mapping[str, Any]]) -> None:
    """Print what each stage has in accuracy, size and cycles."""
    table = plain_table("stage", "accuracy>", "95 %>", "parameters>", "MACs>", "flash>", "RAM>", "cycles>")
    for stage in stages:
        interval = stage.get("interval_95")
        accuracy = "–" if stage.get("accuracy") is None else f"{stage['accuracy']:.2%}"
        spread = f"{interval[0]:.1%} to {interval[1]:.1%}" if interval else ""
        counts = (stage.get(key) for key in ("parameters", "macs", "flash_bytes", "ram_bytes", "cycles"))
        table.add_row(stage["name"], accuracy, spread, *map(number, counts))
    make_console().print(table)
