"""`edgetx prune`: take out of a trained model what it can do without."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgetx.cli.compression import (
    board_option,
    default_out,
    folder_option,
    print_ledger,
    recordings_option,
    watching,
)
from edgetx.cli.options import json_option, quiet_option

if TYPE_CHECKING:
    from edgetx.targets import Target


@click.command("prune", short_help="Take channels, heads and branches out of a trained model.")
@click.argument("model")
@recordings_option
@board_option
@click.option("--budget", default="", metavar="LIMITS", help="What is allowed: ram=16K,flash=64K,latency=50ms.")
@folder_option
@json_option
@quiet_option
def command(
    model: str, data: Path, target: "Target", budget: str, out: Path | None, as_json: bool, quiet: bool
) -> None:
    """Prune MODEL, a model folder or a name in the zoo, and tune what is left.

    \b
    edgetx prune kws-dscnn-micro --data recordings --budget latency=50ms -o build/pruned

    Without a budget the cycles are halved, or brought down to `keep` of the recipe's [pruning]. What goes first is what
    the validation loss can do without and saves most on the target.
    """
    from edgetx.compiler import parse_budget
    from edgetx.compress.cost import limit_of
    from edgetx.compress.prune import prune

    out = default_out(out, model, "pruned")
    with watching(quiet) as watch:
        stages = [s.to_json() for s in prune(model, data, out, target, limit_of(parse_budget(budget), target), watch)]
    if as_json:
        click.echo(json.dumps({"schema": 1, "stages": stages}))
        return
    print_ledger(stages)
    click.echo(f"wrote {out}")
