"""What there is to flash, by kind of device: said as steps, or done."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from edgetx.device.adb import PROGRAM, Phone
from edgetx.errors import DeviceError
from edgetx.flash.esptool import EspProbe, esp_files
from edgetx.flash.plan import make_plan
from edgetx.flash.probes import flash, open_probe, split_probe
from edgetx.profile.image import load_image
from edgetx.targets import Target


class FlashJob(Protocol):
    """Firmware, checked against a device, and a way to it.

    Attributes:
        size: Bytes to write.
    """

    size: int

    def steps(self) -> list[str]:
        """What will be done, for people; nothing is opened."""

    def run(self, progress: Callable[[str], None]) -> str:
        """Do it, telling each step as it begins.

        Returns:
            What was found and done, for people.

        Raises:
            DeviceError: If any step fails; it says in which state the device is.
            ToolchainError: If a program that this takes is not installed.
        """


class BoardJob:
    """An image for a microcontroller, by way of a debug probe or a bootloader.

    Args:
        target: The board.
        image: ELF, Intel HEX, or raw with its address as `base`.
        base: Address of a raw image.
        probe: URL of the probe; None for what the board has.

    Raises:
        DeviceError: If the image cannot be read or does not suit the board, or there is no such probe.
    """

    def __init__(self, target: Target, image: Path, base: int | None, probe: str | None) -> None:
        self._plan = make_plan(target, load_image(image, base))
        self._probe = probe or ("uf2:" if target.uf2 else "pyocd:")
        split_probe(self._probe)
        self.size = self._plan.size

    def steps(self) -> list[str]:
        return [f"identify {self._plan.target.name} through {self._probe}", *self._plan.lines()]

    def run(self, progress: Callable[[str], None]) -> str:
        with open_probe(self._probe, self._plan) as opened:
            return flash(self._plan, opened, progress)


class EspJob:
    """What a framework built for a chip of Espressif, by way of esptool.

    Args:
        target: The chip.
        artifact: A build folder, or a file in the form of the flash.
        base: Offset of a file in the flash.
        probe: `esptool:PORT`; None to have esptool look for a port.

    Raises:
        DeviceError: If there is nothing to write, it does not suit the chip, or the probe is another one.
    """

    def __init__(self, target: Target, artifact: Path, base: int | None, probe: str | None) -> None:
        self._port = _place(probe, "esptool", f"a {target.name} is flashed through esptool", "esptool:/dev/ttyUSB0")
        self._target = target
        self._files = esp_files(artifact, target, base)
        self.size = sum(len(file.data) for file in self._files)

    def steps(self) -> list[str]:
        writes = [f"write {len(file.data)} bytes of {file.path.name} at 0x{file.offset:06x}" for file in self._files]
        return [f"identify {self._target.name} through esptool:{self._port}", *writes, "compare MD5 sums, reset"]

    def run(self, progress: Callable[[str], None]) -> str:
        return EspProbe(self._port, self._target).flash(self._files, progress)


class PhoneJob:
    """A program for a phone, by way of adb.

    Args:
        program: The program.
        probe: `adb:SERIAL`; None for the only phone there is.

    Raises:
        DeviceError: If there is no program, or the probe is another one.
    """

    def __init__(self, program: Path, probe: str | None) -> None:
        self._serial = _place(probe, "adb", "a phone is not flashed, but reached through adb", "adb:SERIAL")
        if not program.is_file():
            raise DeviceError("there is no such program", where=str(program), hint="compile with --to c for a phone")
        self._program = program
        self.size = program.stat().st_size

    def steps(self) -> list[str]:
        identify = f"identify the phone at adb:{self._serial}"
        return [identify, f"push {self._program}", f"let it check itself, then call it {PROGRAM}"]

    def run(self, progress: Callable[[str], None]) -> str:
        progress("install")
        return Phone(self._serial).install(self._program)


def _place(probe: str | None, scheme: str, what: str, example: str) -> str:
    """Where a probe of the one kind that will do is."""
    given, _, place = (probe or f"{scheme}:").partition(":")
    if given != scheme:
        raise DeviceError(what, where=probe or "", hint=f"--probe {example}")
    return place
