"""`edgetx search`: the best network of a recipe's space that fits a budget."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgetx.cli.compression import as_metrics, budget_option, default_out, shared_options, tell, watching

if TYPE_CHECKING:
    from edgetx.targets import Target


@click.command("search", short_help="Find the best network of a recipe's space that fits a budget.")
@click.argument("recipe")
@shared_options
@budget_option
@click.option("--study", type=click.Path(path_type=Path), help="Folder in which several workers share the search.")
def command(
    recipe: str,
    data: Path,
    target: "Target",
    budget: str,
    study: Path | None,
    out: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Train one network that holds many, and search it for the one that hears best within the budget.

    \b
    [search]
    space = { width = [16, 24, 32], layer_mlp = [16, 32, 52], layers = [2, 3, 4] }

    Cycles and memory are those of firmware built for the target. Start the command again, on any machine that sees the
    folder of --study, to have another worker; one that is killed loses only what it was looking at.
    """
    from edgetx.compiler import parse_budget
    from edgetx.compress.cost import limit_of
    from edgetx.compress.searched import search_network

    out, limit = default_out(out, recipe, "searched"), limit_of(parse_budget(budget), target)
    with watching(quiet) as watch:
        ledger = search_network(recipe, data, out, target, limit, study, watch)
    tell(as_metrics(ledger), out, as_json)
