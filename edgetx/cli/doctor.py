"""`edgetx doctor`: what is installed, what is missing, and how to get it."""

import importlib.metadata
import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from edgetx.errors import ExitCode, ToolchainError

_REQUIREMENT_OF_EXTRA = re.compile(r"([\w.-]+).*extra == ['\"](\w+)['\"]")
_HIDDEN_EXTRAS = ("all", "dev")
_PHONE_FIXES = {
    "unauthorized": "allow USB debugging on its screen",
    "no permissions": "apt install android-sdk-platform-tools-common, then plug it in anew",
}


@dataclass(frozen=True)
class Check:
    """One thing that edgetx can use.

    Attributes:
        name: What is looked for.
        purpose: What it is good for.
        found: Its version or path, or None.
        fix: How to get it.
        is_essential: Whether no model can be compiled without it.
    """

    name: str
    purpose: str
    found: str | None
    fix: str
    is_essential: bool = False


@click.command("doctor", short_help="Check toolchains and packages, and say how to fix each.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """Check compilers, simulators and Python packages, and say how to get what is missing."""
    checks = [*tool_checks(), *device_checks(), *package_checks()]
    click.echo(json.dumps([asdict(c) for c in checks], indent=2) if as_json else _text(checks))
    if any(c.is_essential and c.found is None for c in checks):
        context.exit(ExitCode.TOOLCHAIN)


def tool_checks() -> list[Check]:
    """Compilers and emulators."""
    from edgetx.flash.programs import find_program

    package = "pip install 'edgetx[firmware]'"
    cross, host = f"apt install gcc-arm-none-eabi, or {package}", f"apt install gcc, or {package}"
    return [
        Check("cross compiler", "Cortex-M firmware", _cross_compiler(), cross, is_essential=True),
        Check("host compiler", "generated C on this machine", _host_compiler(), host, is_essential=True),
        Check("qemu", "a second simulator", shutil.which("qemu-system-arm"), "apt install qemu-system-arm"),
        Check("cmake", "firmware_examples", shutil.which("cmake"), "apt install cmake"),
        Check(
            "phone compiler",
            "programs for phones",
            _phone_compiler(),
            f"apt install gcc-aarch64-linux-gnu, or {package}",
        ),
        Check(
            "pyocd",
            "flashing through debug probes",
            find_program("pyocd"),
            "pip install pyocd, or --probe gdb:host:port",
        ),
        Check("esptool", "flashing chips of Espressif", find_program("esptool"), "pip install 'edgetx[flash]'"),
        Check("adb", "phones", shutil.which("adb"), "apt install adb"),
        Check("arecord", "edgetx listen --mic", shutil.which("arecord"), "apt install alsa-utils"),
    ]


def device_checks() -> Iterator[Check]:
    """Serial ports, probes and phones that are plugged in, and whether this user may use them."""
    from edgetx.device.attached import phones, usb_devices

    for path in sorted(p for pattern in ("ttyACM*", "ttyUSB*") for p in Path("/dev").glob(pattern)):
        may = os.access(path, os.R_OK | os.W_OK)
        fix = "sudo usermod -aG dialout $USER, then log in anew"
        yield Check(f"serial:{path}", "measuring on a board", "may be opened" if may else None, fix)
    for device in usb_devices():
        rule = f'SUBSYSTEM=="usb", ATTR{{idVendor}}=="{device.vendor}", MODE="0666"'
        fix = f"echo '{rule}' | sudo tee /etc/udev/rules.d/50-{device.vendor}.rules; sudo udevadm trigger"
        yield Check(device.name, "flashing", "may be opened" if device.is_open else None, fix)
    for serial, state in phones().items():
        fix = _PHONE_FIXES.get(state, f"it is {state}: plug it in anew, or adb reconnect")
        yield Check(f"adb:{serial}", "phones", "answers" if state == "device" else None, fix)


def package_checks() -> Iterator[Check]:
    """Python packages of every extra, as the metadata of edgetx lists them; each in the first extra that has it."""
    extras: dict[str, str] = {}
    for requirement in importlib.metadata.requires("edgetx") or ():
        match = _REQUIREMENT_OF_EXTRA.match(requirement)
        if match and match[2] not in _HIDDEN_EXTRAS:
            extras.setdefault(match[1], match[2])
    for package, extra in extras.items():
        yield Check(package, f"extra '{extra}'", _version(package), f"pip install 'edgetx[{extra}]'")


def _cross_compiler() -> str | None:
    from edgetx.firmware import find_toolchain

    try:
        return find_toolchain().version()
    except ToolchainError:
        return None


def _host_compiler() -> str | None:
    from edgetx.firmware.host import host_compiler

    try:
        return " ".join(host_compiler())
    except ToolchainError:
        return None


def _phone_compiler() -> str | None:
    from edgetx.firmware.phone import phone_compiler

    try:
        return " ".join(phone_compiler())
    except ToolchainError:
        return None


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _text(checks: list[Check]) -> str:
    return "\n".join(f"{_mark(c)} {c.name:<20} {c.purpose:<30} {c.found or c.fix}" for c in checks)


def _mark(check: Check) -> str:
    if check.found is not None:
        return "ok     "
    return "MISSING" if check.is_essential else "absent "
