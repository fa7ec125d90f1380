"""`edgetx tune`: find the fastest forms of a model's layers in the cycle simulator."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgetx.cli.options import quiet_option, stages, target_option

if TYPE_CHECKING:
    from edgetx.targets import Target


@click.command("tune", short_help="Find the fastest kernels for a model's layers in the simulator.")
@click.argument("artifacts", nargs=-1, required=True, type=click.Path(path_type=Path))
@target_option
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="Schedule to write [default: TARGET.toml in this folder]."
)
@quiet_option
def command(artifacts: tuple[Path, ...], target: "Target", out: Path | None, quiet: bool) -> None:
    """Measure every form of every layer of ARTIFACTS, compiled folders, on the simulated TARGET.

    \b
    edgetx tune build/demo --target nucleo-f446re -o fast.toml
    edgetx compile kws-transformer-micro --target nucleo-f446re --set kernels.schedule=fast.toml

    Boards that come with a schedule take that; tuning pays for others, and for layers of unusual sizes.
    What was measured is kept beside the schedule until it is complete: after an interruption the same
    command goes on.
    """
    from edgetx.compiler import load_artifact
    from edgetx.compiler.tuning import tune
    from edgetx.output import explained
    from edgetx.plan.schedule import schedule_text

    out = out or Path(f"{target.name}.toml")
    graphs = [load_artifact(folder).graph for folder in artifacts]
    words = shlex.join(map(str, artifacts))
    source, unfinished = f"edgetx tune {words} --target {target.name}", out.with_name(f"{out.name}.unfinished")
    with explained(out, OSError):
        with stages(quiet) as progress:
            schedule = tune(graphs, target, source, progress, unfinished)
        out.write_text(schedule_text(schedule), encoding="utf-8")
    for layer in schedule.layer:
        size = f"{layer.rows} × {layer.inputs} → {layer.outputs}"
        click.echo(f"{layer.kernel:26} {size:22} {layer.forms[0]:36} {layer.cycles[0]:>11,}")
    click.echo(f"{len(schedule.layer)} layers in {out}")
