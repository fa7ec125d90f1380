"""`edgetx train`: a recipe and recordings to a trained model."""

import dataclasses
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgetx.cli.options import folds_option, json_option, keep_all_option, quiet_option, seeds_option

if TYPE_CHECKING:
    from edgetx.train.history import Epoch


@click.command("train", short_help="Train the model of a recipe on recordings.")
@click.argument("recipe")
@click.option("--data", type=click.Path(path_type=Path), required=True, help="Audio folder with a split CSV.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Model folder to write [default: build/NAME].")
@seeds_option
@folds_option
@keep_all_option
@json_option
@quiet_option
def command(
    recipe: str, data: Path, out: Path | None, seeds: int, folds: bool, keep_all: bool, as_json: bool, quiet: bool
) -> None:
    """Train the model of RECIPE (a file, a model folder or a name in the zoo).

    \b
    edgetx train kws-transformer-micro --data recordings -o build/my-model
    edgetx train my_recipe.toml --data recordings

    An interrupted run goes on after its last complete epoch when started again.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from edgetx.recipe import load_recipe
    from edgetx.train import train

    loaded = load_recipe(recipe)
    out = out or Path("build") / loaded.name
    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal) as progress:
        task = progress.add_task("reading audio", total=loaded.training.epochs)

        def report(epoch: "Epoch") -> None:
            progress.update(task, completed=epoch.epoch, description=_describe(epoch))

        metrics = train(recipe, data, out, report, seeds, folds, keep_all)
    if os.environ.get("RANK", "0") != "0":
        return  # one process of those that torchrun started tells the result
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(metrics)))
    else:
        score = metrics.test
        low, high = score.interval_95
        click.echo(f"{out}: {score.accuracy:.2%} of {score.clips} test clips (95 % interval {low:.1%} to {high:.1%})")
        if metrics.repeats is not None:
            click.echo(f"mean of {len(metrics.repeats.runs)} trainings: {metrics.repeats.mean:.2%}")


def _describe(epoch: "Epoch") -> str:
    return f"loss {epoch.loss:.3f}, validation loss {epoch.valid_loss:.3f}, accuracy {epoch.valid_accuracy:.2%}"
