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
@click.option("--report", type=click.Path(path_type=Path), help="Write intervals, confusions, curves and plots there.")
@click.option(
    "--stream",
    "streams",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Continuous audio for the report: a recording, or a folder of them; may be repeated.",
)
@json_option
@quiet_option
def command(
    artifact: Path,
    data: Path,
    runtimes: str,
    split: str,
    limit: int | None,
    report: Path | None,
    streams: tuple[Path, ...],
    as_json: bool,
    quiet: bool,
) -> None:
    """Measure accuracy of ARTIFACT, a compiled folder, on labelled data.

    The simulator runs a sample of the inputs; the number is printed.

    With --report, the first runtime (C if none is named) is looked at closely: confidence intervals over clips and over
    speakers, confusions, misses against false accepts, and with --stream false accepts per hour and how late keywords
    are heard, by the rule of the firmware. Classes in underscores, as _unknown_, are no keywords. A CSV beside a
    recording (start_s, end_s, label) says what is in it.

    \b
    edgetx evaluate build/demo --data recordings
    edgetx evaluate build/demo --data test.npz --runtime float,int --json
    edgetx evaluate build/demo --data recordings --report build/report --stream tv.wav --stream kitchen/
    """
    from edgetx.cli.tables import print_accuracy, print_evaluation
    from edgetx.compiler import load_artifact
    from edgetx.compiler.evaluation import evaluate, evaluation_data, parse_runtimes
    from edgetx.compiler.evaluation_report import write_evaluation

    if streams and not report:
        raise click.UsageError("--stream needs --report")

    opened = load_artifact(artifact)
    names = parse_runtimes(runtimes, opened)
    with stages(quiet) as progress:
        progress("reading data")
        labelled = evaluation_data(opened, data, split, limit)
        result = evaluate(opened, labelled, names, progress)
        closer = None
        if report:
            runtime = names[0] if runtimes or "c" not in names else "c"
            closer = write_evaluation(
                opened, data, report, runtime=runtime, split=split, streams=streams, progress=progress
            )
    if as_json:
        contents = {**dataclasses.asdict(result), **({"report": dataclasses.asdict(closer)} if closer else {})}
        click.echo(json.dumps(contents))
    else:
        print_accuracy(result)
        if closer:
            print_evaluation(closer)
            click.echo(f"{report}/index.html")
