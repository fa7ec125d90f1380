"""`edgetx verify`: every runtime against the integer reference."""

import json
from pathlib import Path

import click

from edgetx.cli.options import data_option, json_option, quiet_option, stages


@click.command("verify", short_help="Compare every runtime with the integer reference on random and real inputs.")
@click.argument("artifact", type=click.Path(path_type=Path))
@click.option("--cases", type=click.IntRange(min=1), default=200, show_default=True, help="Inputs to compare.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the random inputs.")
@click.option("--runtime", "runtimes", default="", help="Runtimes, separated by commas [default: all that can run].")
@data_option
@json_option
@quiet_option
def command(
    artifact: Path, cases: int, seed: int, runtimes: str, data: Path | None, as_json: bool, quiet: bool
) -> None:
    """Compare every runtime of ARTIFACT, a compiled folder, with its integer reference, bit for bit.

    An evidence bundle (`edgetx bundle`) is replayed instead: hashes, outputs, and what the firmware prints.

    Half of the inputs come from --data if it is given; the others are random over the full range.

    \b
    edgetx verify build/demo --cases 200 --data recordings
    """
    from edgetx.cli.tables import print_verification
    from edgetx.compiler import load_artifact
    from edgetx.compiler.evaluation import model_inputs, parse_runtimes
    from edgetx.compiler.verification import disagreements, make_cases, verify_artifact

    if artifact.suffix == ".zip":
        _replay(artifact, as_json)
        return
    opened = load_artifact(artifact)
    names = [name for name in parse_runtimes(runtimes, opened) if name not in ("float", "int")]
    real = [opened.quantized(x) for x in model_inputs(opened, data).sample(cases // 2).inputs] if data else []
    with stages(quiet) as progress:
        results = verify_artifact(opened, make_cases(opened.graph, real, cases, seed), names, progress)
    if as_json:
        click.echo(json.dumps(results))
    else:
        print_verification(results)
    if wrong := disagreements(results):
        raise wrong


def _replay(path: Path, as_json: bool) -> None:
    """Verify an evidence bundle."""
    from edgetx.compiler.evidence import replay_bundle

    done = replay_bundle(path)
    ran = "the firmware prints the same" if done["firmware"] else "the firmware was not run"
    text = f"{done['files']} files as packed, outputs of {done['cases']} cases equal, {ran}"
    click.echo(json.dumps(done) if as_json else text)
