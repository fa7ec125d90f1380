"""Android phones, and Linux boards that run adbd: through the `adb` program."""

import hashlib
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from edgetx.errors import DeviceError, ToolchainError

PLACE = "/data/local/tmp/edgetx-model"
SECONDS = 60.0


def adb_command(serial: str, *arguments: str) -> list[str]:
    """The command line of `adb`.

    Args:
        serial: The device's serial number, or host:port; empty if there is only one.
        arguments: What to do.

    Raises:
        ToolchainError: If `adb` is not installed.
    """
    program = shutil.which("adb")
    if program is None:
        raise ToolchainError("adb is not installed", hint="apt install adb, or Android's platform tools")
    return [program, *(["-s", serial] if serial else []), *arguments]


def serve_command(serial: str) -> list[str]:
    """The command that connects to the model on a phone."""
    return adb_command(serial, "shell", "-T", f"{PLACE} --serve")


def install_program(program: Path, serial: str) -> str:
    """Put a program on a phone, and compare it with what arrived.

    Args:
        program: A static program for 64-bit Arm.
        serial: The phone.

    Returns:
        What was done, for people.

    Raises:
        DeviceError: If there is no such phone, it is of another kind, or something else arrived.
    """
    machine = _run(serial, "shell", "uname -m").strip()
    if machine != "aarch64":
        raise DeviceError(f"another chip: its kernel is for {machine!r}, not for aarch64", where=f"adb:{serial}")
    part = f"{PLACE}.part"
    _run(serial, "push", str(program), part)
    found = _run(serial, "shell", f"sha256sum {part}").split(" ")[0]
    wanted = hashlib.sha256(program.read_bytes()).hexdigest()
    if found != wanted:
        what = "the phone does not hold what was sent"
        raise DeviceError(what, where=f"adb:{serial}", hint="what was there before is still there; try again")
    _run(serial, "shell", f"chmod 755 {part} && mv {part} {PLACE}")
    return f"{program.stat().st_size} bytes at {PLACE} on adb:{serial} ({machine}), compared by SHA-256"


def _run(serial: str, *arguments: str) -> str:
    return _output(adb_command(serial, *arguments), f"adb:{serial}")


def _output(command: Sequence[str], where: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired as problem:
        raise DeviceError("the phone does not answer", where=where, hint="adb devices; adb kill-server") from problem
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        hint = "adb devices: is it connected, and USB debugging allowed?"
        raise DeviceError(said[-1] if said else "adb failed", where=where, hint=hint)
    return done.stdout
