"""`edgetx flash`: firmware onto a board."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgetx.cli.options import AddressType, json_option, quiet_option, stages, target_option

if TYPE_CHECKING:
    from edgetx.targets import Target


@click.command("flash", short_help="Write firmware to a board, and verify it.")
@click.argument("artifact", type=click.Path(path_type=Path, exists=True))
@target_option
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
    edgetx flash build/demo --target nucleo-l4r5zi
    edgetx flash build/demo --target nucleo-l4r5zi --probe gdb:localhost:3333      # OpenOCD, J-Link, QEMU
    edgetx flash build/demo --target rpi-pico --dry-run
    edgetx flash doorbell/build --target esp32-c3 --probe esptool:/dev/ttyUSB0     # what idf.py build made
    """
    from edgetx.flash import flash, make_plan, open_probe, split_probe
    from edgetx.profile.image import load_image

    if target.kind == "phone":
        _flash_phone(artifact, probe or "adb:", dry_run, as_json)
        return
    if target.esptool:
        with stages(quiet) as progress:
            _flash_esp(artifact, target, probe or "esptool:", base, dry_run, as_json, progress)
        return
    image = _image_of(artifact, target) if artifact.is_dir() else artifact
    plan = make_plan(target, load_image(image, base))
    url = probe or ("uf2:" if target.uf2 else "pyocd:")
    split_probe(url)
    if dry_run:
        _say_steps([f"identify {target.name} through {url}", *plan.lines()], as_json)
        return
    with stages(quiet) as progress, open_probe(url, plan) as opened:
        done = flash(plan, opened, progress)
    _say_done(done, plan.size, as_json)


def _image_of(folder: Path, target: "Target") -> Path:
    """Firmware of a compiled folder; boards may have equal memory maps, so the folder is asked what it is for."""
    from edgetx.compiler import load_artifact
    from edgetx.errors import DeviceError

    built_for = load_artifact(folder).target.name
    if built_for != target.name:
        hint = f"--target {built_for}, or compile it for {target.name}"
        raise DeviceError(f"was compiled for {built_for}, not for {target.name}", where=str(folder), hint=hint)
    return folder / "firmware.elf"


def _flash_phone(artifact: Path, probe: str, dry_run: bool, as_json: bool) -> None:
    """Put the program of a compiled folder on a phone."""
    from edgetx.device.adb import PROGRAM, Phone
    from edgetx.errors import DeviceError

    program = artifact / "program" if artifact.is_dir() else artifact
    scheme, _, serial = probe.partition(":")
    if scheme != "adb":
        raise DeviceError("a phone is not flashed", where=probe, hint="--probe adb:SERIAL")
    if not program.is_file():
        raise DeviceError("the folder has no program", where=str(artifact), hint="compile with --to c for a phone")
    if dry_run:
        steps = [f"identify the phone at {probe}", f"push {program}", f"let it check itself, then call it {PROGRAM}"]
        _say_steps(steps, as_json)
        return
    _say_done(Phone(serial).install(program), program.stat().st_size, as_json)


def _flash_esp(
    artifact: Path,
    target: "Target",
    probe: str,
    base: int | None,
    dry_run: bool,
    as_json: bool,
    progress: Callable[[str], None],
) -> None:
    """Write what a chip's framework built, through esptool."""
    from edgetx.errors import DeviceError
    from edgetx.flash.esptool import EspProbe, esp_files

    scheme, _, port = probe.partition(":")
    if scheme != "esptool":
        raise DeviceError("is flashed through esptool", where=target.name, hint="--probe esptool:/dev/ttyUSB0")
    files = esp_files(artifact, target, base)
    if dry_run:
        writes = [f"write {len(file.data)} bytes of {file.path.name} at 0x{file.offset:06x}" for file in files]
        _say_steps([f"identify {target.name} through {probe}", *writes, "compare MD5 sums, reset"], as_json)
        return
    _say_done(EspProbe(port, target).flash(files, progress), sum(len(file.data) for file in files), as_json)


def _say_steps(steps: list[str], as_json: bool) -> None:
    click.echo(json.dumps({"dry_run": True, "steps": steps}) if as_json else "\n".join(steps))


def _say_done(done: str, size: int, as_json: bool) -> None:
    click.echo(json.dumps({"flashed": done, "bytes": size}) if as_json else done)
