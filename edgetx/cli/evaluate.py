"""`edgetx evaluate`: accuracy of a compiled model in each runtime."""

import dataclasses
import json
from pathlib import Path

import click

from edgetx.cli.options import json_option, quiet_option, stages


@click.command("evaluate", short_help="Measure the accuracy of a compiled model in each runtime.")
@click.argument("artifact", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), required=True, help="Audio folder, or an .npz with x and y.")
@click.option("--runtime", "runtimes", default="", help="Runtimes, separated by commas [default: all that can run].")
@click.option("--split", default="test", show_default=True, help="Split of an audio folder.")
@click.option("--limit", type=click.IntRange(min=1), help="Use at most this many inputs, spread over the data.")
@json_option
@quiet_option
def command(
    artifact: Path, data: Path, runtimes: str, split: str, limit: int | None, as_json: bool, quiet: bool
) -> None:
    """Measure accuracy of ARTIFACT, a compiled folder, on labelled data.

    The simulator runs a sample of the inputs; the number is printed.

    \b
    edgetx evaluate build/demo --data recordings
    edgetx evaluate build/demo --data test.npz --runtime float,int --json
    """
    from edgetx.cli.tables import print_accuracy
    from edgetx.compiler import load_artifact
    from edgetx.compiler.evaluation import evaluate, evaluation_data, parse_runtimes

    opened = load_artifact(artifact)
    names = parse_runtimes(runtimes, opened)
    with stages(quiet) as progress:
        progress("reading data")
        labelled = evaluation_data(opened, data, split, limit)
        result = evaluate(opened, labelled, names, progress)
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(result)))
    else:
        print_accuracy(result)
