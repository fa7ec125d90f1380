"""`edgetx profile`: cycles of a compiled folder or a firmware image."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgetx.cli.options import AddressType, artifact_target_option, json_option, stages

if TYPE_CHECKING:
    from edgetx.targets import Target

Json = dict[str, object]


@click.command("profile", short_help="Count the cycles of a firmware image, layer by layer.")
@click.argument("artifact", type=click.Path(path_type=Path, exists=True))
@artifact_target_option
@click.option("--engine", type=click.Choice(["simulate", "estimate", "device"]), default="simulate", show_default=True)
@click.option("--base", type=AddressType(), help="Address of a raw image, such as 0x08000000.")
@click.option("--function", help="Function to call [default: edgetx_invoke, else the whole program].")
@click.option("--html", type=click.Path(path_type=Path), help="Write a report as one HTML page.")
@click.option("--trace", type=click.Path(path_type=Path), help="Write the call tree: *.json for speedscope.")
@click.option("--device", metavar="URL", help="serial:/dev/ttyACM0, tcp:host:port, semihost:host:port or adb:SERIAL.")
@click.option("--record", is_flag=True, help="Append what the device measured to targets/measurements.")
@click.option("--record-to", type=click.Path(path_type=Path, file_okay=False), help="The same, to another folder.")
@click.option("--by", type=click.Choice(["layer", "function", "line"]), help="What to list besides the layers.")
@json_option
def command(
    artifact: Path,
    target: "Target",
    engine: str,
    base: int | None,
    function: str | None,
    html: Path | None,
    trace: Path | None,
    device: str | None,
    record: bool,
    record_to: Path | None,
    by: str | None,
    as_json: bool,
) -> None:
    """Count the cycles of ARTIFACT: a compiled folder, or a firmware image (ELF, HEX, or raw with --base).

    A trace file called *.perfetto.json is in the form that Perfetto reads.

    \b
    edgetx profile build/demo --html profile.html
    edgetx profile build/demo --engine estimate
    edgetx profile build/phone
    edgetx profile firmware.elf --target nucleo-l4r5zi --by line
    edgetx profile firmware.bin --base 0x08000000 --target nucleo-g0b1re
    edgetx profile build/demo --engine device --device serial:/dev/ttyACM0
    """
    from edgetx.cli.tables import print_breakdown, print_profile, print_rows
    from edgetx.profile.html import write_html

    if engine == "device":
        _only_for("device", {"--base": base, "--function": function, "--trace": trace})
        report = measure(artifact, target, device, record or record_to is not None, record_to)
    else:
        _only_for(engine, {"--device": device, "--record": record or None, "--record-to": record_to})
        report = ENGINES[engine](artifact, target, base, function, trace)
    if html:
        write_html(report, artifact.name, html)
    if as_json:
        click.echo(json.dumps(report))
    else:
        print_profile(report)
        if engine == "simulate":
            print_breakdown(report)
            if by and by != "layer":
                print_rows(report, by)


def simulate(artifact: Path, target: "Target", base: int | None, function: str | None, trace: Path | None) -> Json:
    """Profile on the simulated core."""
    from edgetx.profile import profile_artifact
    from edgetx.profile.speedscope import write_trace

    if target.kind == "phone":
        from edgetx.profile.aprofile.profiling import profile_phone

        _only_for("simulate on a phone", {"--base": base, "--trace": trace})
        return profile_phone(artifact, target, function)
    result = profile_artifact(artifact, target, base, function)
    if result.exit_status:
        click.echo(f"note: the firmware ended with status {result.exit_status}", err=True)
    if trace:
        write_trace(result.span, artifact.name, target.clock_hz, trace)
    return result.report


def estimate(artifact: Path, target: "Target", base: int | None, function: str | None, trace: Path | None) -> Json:
    """Profile from the work of the ops.

    Raises:
        ConfigError: If an option needs execution.
    """
    from edgetx.errors import ConfigError
    from edgetx.profile.estimate import estimate_artifact

    for option, value in {"--base": base, "--function": function, "--trace": trace}.items():
        if value is not None:
            raise ConfigError("an estimate executes nothing", where=option, hint="--engine simulate")
    return estimate_artifact(artifact, target)


def measure(artifact: Path, target: "Target", url: str | None, is_recorded: bool, folder: Path | None) -> Json:
    """Profile on a device.

    Raises:
        ConfigError: If no device is named, or what may be an emulator is to be recorded.
    """
    from edgetx.compiler import load_artifact
    from edgetx.compiler.device import profile_on_device
    from edgetx.compiler.recording import record
    from edgetx.device import DeviceClient, may_be_emulated, open_stream
    from edgetx.errors import ConfigError

    if url is None:
        raise ConfigError("which device?", where="--device", hint="--device serial:/dev/ttyACM0")
    if is_recorded and folder is None and may_be_emulated(url):
        what = "an emulator may be behind it, whose cycles are no measurement of the core"
        raise ConfigError(what, where=f"--record: {url}", hint="--record-to DIR, or connect the board's port itself")
    opened = load_artifact(artifact)
    with stages(quiet=False) as progress, open_stream(url) as stream:
        report = profile_on_device(opened, target, DeviceClient(stream, url), progress)
    if is_recorded:
        source = opened.report["source"]
        assert isinstance(source, dict)
        click.echo(f"recorded in {record(report, source['name'], folder)}", err=True)
    return report


def _only_for(engine: str, options: dict[str, object]) -> None:
    """Refuse options that this engine does not take."""
    from edgetx.errors import ConfigError

    for option, value in options.items():
        if value is not None:
            raise ConfigError(f"engine {engine} does not take it", where=option, hint="edgetx profile --help")


ENGINES = {"simulate": simulate, "estimate": estimate}
