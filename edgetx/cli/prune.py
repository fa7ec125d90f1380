"""`edgetx prune`: take out of a trained model what it can do without."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgetx.cli.compression import as_metrics, budget_option, default_out, shared_options, tell, watching

if TYPE_CHECKING:
    from edgetx.targets import Target


@click.command("prune", short_help="Take channels, heads, branches and tokens out of a trained model.")
@click.argument("model")
@shared_options
@budget_option
def command(
    model: str, data: Path, target: "Target", budget: str, out: Path | None, as_json: bool, quiet: bool
) -> None:
    """Prune MODEL, a model folder or a name in the zoo, and tune what is left.

    \b
    edgetx prune kws-dscnn-micro --data recordings --budget latency=50ms -o build/pruned

    Without a budget the cycles are halved, or brought down to `keep` of the recipe's [pruning]. What goes first is what
    the validation loss can do without and saves most on the target. An interrupted run goes on after its last complete
    round or epoch when started again.
    """
    from edgetx.compiler import parse_budget
    from edgetx.compress.cost import limit_of
    from edgetx.compress.prune import prune

    out = default_out(out, model, "pruned")
    with watching(quiet) as watch:
        ledger = prune(model, data, out, target, limit_of(parse_budget(budget), target), watch)
    tell(as_metrics(ledger), out, as_json)
