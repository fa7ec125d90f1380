"""Flashing, whatever the probe: identify, write, verify, start, and say what state a failure leaves behind."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from edgetx.config import did_you_mean
from edgetx.device.streams import host_and_port
from edgetx.errors import DeviceError
from edgetx.flash.gdb_probe import GdbProbe
from edgetx.flash.plan import FlashPlan
from edgetx.flash.pyocd import PyocdProbe
from edgetx.flash.uf2 import Uf2Probe

Progress = Callable[[str], None]


class Probe(Protocol):
    """A way to write firmware. Every method raises DeviceError if the device does not do as it should."""

    where: str

    def identify(self, plan: FlashPlan) -> str:
        """Check that it is the right chip, and say what it is; changes nothing."""

    def write(self, plan: FlashPlan, progress: Progress) -> None:
        """Replace the firmware; the device cannot start it before all but the vector table is there and compared."""

    def verify(self, plan: FlashPlan) -> str:
        """Compare what is left to compare, and say how it was done."""

    def start(self, plan: FlashPlan) -> None:
        """Reset the device, and let it run."""

    def close(self) -> None:
        """Let go of the probe."""


def flash(plan: FlashPlan, probe: Probe, progress: Progress = lambda _: None) -> str:
    """Write an image.

    Args:
        plan: What to write.
        probe: The way to the device.
        progress: Called with each step as it begins.

    Returns:
        What was found and done, for people.

    Raises:
        DeviceError: If any step fails; it says whether the device still holds its old firmware.
    """
    progress("identify")
    chip = probe.identify(plan)
    with _saying("the old firmware is gone and the new one not complete, so it does not start; flash again"):
        probe.write(plan, progress)
        verified = probe.verify(plan)
    progress("start")
    with _saying("the image is complete and verified, but was not started; reset the board"):
        probe.start(plan)
    return f"{plan.size} bytes on {plan.target.name} ({chip}), {verified}"


def split_probe(url: str) -> tuple[str, str]:
    """Kind of a probe, and where it is; opens nothing.

    Raises:
        DeviceError: If there is no such probe, or it is at no `host:port` where it has to be.
    """
    scheme, _, place = url.partition(":")
    if scheme not in PROBES:
        known = ", ".join(f"{name}:" for name in PROBES)
        raise DeviceError(f"no such probe; {known}", where=url, hint=did_you_mean(scheme, PROBES))
    if scheme == "gdb":
        host_and_port(place, url)
    return scheme, place


@contextmanager
def open_probe(url: str, plan: FlashPlan) -> Iterator[Probe]:
    """The probe of a URL; closed at the end of the block.

    Args:
        url: `gdb:host:port`, `pyocd:` with or without a probe's id, or `uf2:` with or without the drive.
        plan: What it is to write.

    Raises:
        DeviceError: If there is no such probe.
    """
    scheme, place = split_probe(url)
    probe = PROBES[scheme](place, url, plan)
    try:
        yield probe
    finally:
        probe.close()


PROBES: Mapping[str, Callable[[str, str, FlashPlan], Probe]] = {
    "gdb": lambda place, url, plan: GdbProbe(*host_and_port(place, url)),
    "pyocd": lambda place, url, plan: PyocdProbe(place, plan.target),
    "uf2": lambda place, url, plan: Uf2Probe(place, plan.target),
}


@contextmanager
def _saying(state: str) -> Iterator[None]:
    """Add to an error, or an interruption, in which state the device is."""
    try:
        yield
    except DeviceError as problem:
        hint = f"{state}; {problem.hint}" if problem.hint else state
        raise DeviceError(problem.what, where=problem.where, hint=hint) from problem
    except KeyboardInterrupt as interruption:
        raise DeviceError("interrupted", hint=state) from interruption
