"""`edgetx profile`: cycles of a compiled folder or a firmware image."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgetx.cli.options import json_option, target_option

if TYPE_CHECKING:
    from edgetx.targets import Target


def refuse_engine(engine: str) -> None:
    """Say that an engine is not there yet.

    Raises:
        DeviceError: Always.
    """
    from edgetx.errors import DeviceError

    raise DeviceError(f"the engine '{engine}' is not part of this version", hint="--engine simulate")


@click.command("profile", short_help="Count the cycles of a firmware image, layer by layer.")
@click.argument("artifact", type=click.Path(path_type=Path, exists=True))
@target_option
@click.option("--engine", type=click.Choice(["simulate", "estimate", "device"]), default="simulate", show_default=True)
@click.option("--base", type=lambda text: int(text, 0), help="Address of a raw image, such as 0x08000000.")
@click.option("--function", help="Function to call [default: edgetx_invoke, else the whole program].")
@click.option("--html", type=click.Path(path_type=Path), help="Write a report as one HTML page.")
@click.option("--trace", type=click.Path(path_type=Path), help="Write the call tree: *.json for speedscope.")
@json_option
def command(
    artifact: Path,
    target: "Target",
    engine: str,
    base: int | None,
    function: str | None,
    html: Path | None,
    trace: Path | None,
    as_json: bool,
) -> None:
    """Count the cycles of ARTIFACT: a compiled folder, or a firmware image (ELF, HEX, or raw with --base).

    A trace file called *.perfetto.json is in the form that Perfetto reads.

    \b
    edgetx profile build/demo --target nucleo-l4r5zi --html profile.html
    edgetx profile firmware.bin --base 0x08000000 --target nucleo-g0b1re
    """
    from edgetx.cli.tables import print_profile
    from edgetx.profile import profile_artifact
    from edgetx.profile.html import write_html
    from edgetx.profile.speedscope import write_trace

    if engine != "simulate":
        refuse_engine(engine)
    result = profile_artifact(artifact, target, base, function)
    if html:
        write_html(result.report, artifact.name, html)
    if trace:
        write_trace(result.span, artifact.name, target.clock_hz, trace)
    if as_json:
        click.echo(json.dumps(result.report))
    else:
        print_profile(result.report)
