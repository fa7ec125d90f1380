"""`edgetx flash`: firmware onto a board."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgetx.cli.options import AddressType, artifact_target_option, json_option, quiet_option, stages

if TYPE_CHECKING:
    from edgetx.flash import FlashJob
    from edgetx.targets import Target


@click.command("flash", short_help="Write firmware to a board, and verify it.")
@click.argument("artifact", type=click.Path(path_type=Path, exists=True))
@artifact_target_option
@click.option(
    "--probe",
    metavar="URL",
    help="gdb:host:port, pyocd:[ID], uf2:[DRIVE], esptool:[PORT], adb:[SERIAL] [default: what the board has].",
)
@click.option("--base", type=AddressType(), help="Address of a raw image, such as 0x08000000.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@json_option
@quiet_option
def command(
    artifact: Path, target: "Target", probe: str | None, base: int | None, dry_run: bool, as_json: bool, quiet: bool
) -> None:
    """Write ARTIFACT, a compiled folder or a firmware image, to a board.

    The chip is asked what it is before anything is erased; what was written is read back; and the vector table is
    written last, so that a device whose cable was pulled does not start half an image.

    \b
    edgetx flash build/demo
    edgetx flash build/demo --probe gdb:localhost:3333                             # OpenOCD, J-Link, QEMU
    edgetx flash doorbell/build --target esp32-c3 --probe esptool:/dev/ttyUSB0     # what idf.py build made
    """
    job = _job(artifact, target, base, probe)
    if dry_run:
        steps = job.steps()
        click.echo(json.dumps({"dry_run": True, "steps": steps}) if as_json else "\n".join(steps))
        return
    with stages(quiet) as progress:
        done = job.run(progress)
    click.echo(json.dumps({"flashed": done, "bytes": job.size}) if as_json else done)


def _job(artifact: Path, target: "Target", base: int | None, probe: str | None) -> "FlashJob":
    from edgetx.flash import BoardJob, EspJob, PhoneJob

    if target.esptool:
        return EspJob(target, artifact, base, probe)
    if target.kind == "phone":
        return PhoneJob(_built(artifact, target, "program"), probe)
    return BoardJob(target, _built(artifact, target, "firmware.elf"), base, probe)


def _built(artifact: Path, target: "Target", name: str) -> Path:
    """What a compiled folder holds; boards may have equal memory maps, so the folder is asked what it is for."""
    from edgetx.compiler import load_artifact
    from edgetx.errors import DeviceError

    if not artifact.is_dir():
        return artifact
    built_for = load_artifact(artifact).target.name
    if built_for != target.name:
        hint = f"--target {built_for}, or compile it for {target.name}"
        raise DeviceError(f"was compiled for {built_for}, not for {target.name}", where=str(artifact), hint=hint)
    return artifact / name
