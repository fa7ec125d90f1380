"""What the verbs of compression share: progress, options and the ledger as a table."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgetx.cli.cells import make_console, number, percent, plain_table
from edgetx.cli.options import TargetName, json_option, quiet_option, stages

Command = Callable[..., Any]

if TYPE_CHECKING:
    from edgetx.compress.watch import Watch
    from edgetx.train.history import Epoch
    from edgetx.train.metrics import Stage

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
budget_option = click.option(
    "--budget", default="", metavar="LIMITS", help="What is allowed: ram=16K,flash=64K,latency=50ms."
)


def shared_options(command: Command) -> Command:
    """What prune, quantize and search are told alike: --data, --target, -o, --json and --quiet."""
    for option in (quiet_option, json_option, folder_option, board_option, recordings_option):
        command = option(command)
    return command


@contextmanager
def watching(quiet: bool) -> "Iterator[Watch]":
    """Show what a stage of compression does, and what each epoch gave, on a terminal."""
    from edgetx.compress.watch import Watch

    with stages(quiet) as show:
        current = ""

        def stage(text: str) -> None:
            nonlocal current
            current = text
            show(text)

        def epoch(row: "Epoch") -> None:
            show(f"{current}: epoch {row.epoch}, loss {row.loss:.3f}, validation {row.valid_accuracy:.2%}")

        yield Watch(stage, epoch)


def default_out(out: Path | None, source: str, verb: str) -> Path:
    """Where a verb writes unless told."""
    name = Path(source).parent.name if Path(source).name == "recipe.toml" else Path(source).stem
    return out or Path("build") / f"{name}-{verb}"


def tell(metrics: Mapping[str, Any], out: Path, as_json: bool) -> None:
    """Say what each stage has, and where the result is; as JSON everything that was measured."""
    if as_json:
        click.echo(json.dumps(metrics))
        return
    print_ledger(metrics["stages"])
    click.echo(f"wrote {out}")


def as_metrics(ledger: "Sequence[Stage]") -> Mapping[str, Any]:
    """Stages as they stand in a metrics.json."""
    return {"schema": 1, "stages": [stage.to_json() for stage in ledger]}


def print_ledger(ledger: Sequence[Mapping[str, Any]]) -> None:
    """Print what each stage has in accuracy, size and cycles."""
    table = plain_table("stage", "accuracy>", "95 %>", "parameters>", "MACs>", "flash>", "RAM>", "cycles>")
    for stage in ledger:
        interval = stage.get("interval_95")
        spread = f"{interval[0]:.1%} to {interval[1]:.1%}" if interval else ""
        counts = (stage.get(key) for key in ("parameters", "macs", "flash_bytes", "ram_bytes", "cycles"))
        table.add_row(stage["name"], percent(stage.get("accuracy")), spread, *map(number, counts))
    make_console().print(table)
