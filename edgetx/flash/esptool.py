"""Chips of Espressif: what their framework built, written by the program esptool through the loader in their ROM."""

import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgetx.errors import DeviceError, ToolchainError
from edgetx.flash.programs import find_program
from edgetx.targets import Target

SECONDS = 600.0
ARGUMENTS = "flasher_args.json"
"""What ESP-IDF writes into its build folder: which file goes where."""
_FATAL = "A fatal error occurred: "
_VERIFIED = "Hash of data verified"


@dataclass(frozen=True)
class EspFile:
    """A file, and where in the flash it goes."""

    offset: int
    path: Path
    data: bytes


def esp_files(artifact: Path, target: Target, base: int | None = None) -> list[EspFile]:
    """What to write, the first offset last: until the end the chip starts by the bootloader that it had.

    Args:
        artifact: A build folder of ESP-IDF, or a file in the form of the flash.
        target: The chip.
        base: Offset of a file; by default it is the whole flash from its beginning.

    Raises:
        DeviceError: If there is nothing to write, it does not fit, or it was built for another chip.
    """
    listed = _listed(artifact, target) if artifact.is_dir() else [(base or 0, artifact)]
    files = [EspFile(offset, path, _contents(path)) for offset, path in sorted(listed, reverse=True)]
    end = target.memory["flash"].size_bytes
    for file, above in zip(files, [end, *(file.offset for file in files)], strict=False):
        if file.offset < 0 or file.offset + len(file.data) > min(above, end):
            limit = f"0x{min(above, end):06x}"
            what = f"{len(file.data)} bytes at 0x{file.offset:06x} reach beyond {limit}"
            raise DeviceError(what, where=str(file.path), hint=f"{target.name} has {end} bytes of flash")
    return files


def _listed(folder: Path, target: Target) -> list[tuple[int, Path]]:
    path = folder / ARGUMENTS
    if not path.is_file():
        hint = "idf.py build, then flash its build folder; or flash one .bin file"
        raise DeviceError(f"has no {ARGUMENTS}", where=str(folder), hint=hint)
    try:
        arguments = json.loads(path.read_text(encoding="utf-8"))
        chip = arguments["extra_esptool_args"]["chip"]
        files = [(int(offset, 0), folder / name) for offset, name in arguments["flash_files"].items()]
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        what = f"lacks {problem}" if isinstance(problem, KeyError) else "is not what ESP-IDF writes"
        raise DeviceError(what, where=str(path), hint="idf.py build makes it anew") from problem
    if chip != target.esptool:
        raise DeviceError(
            f"was built for {chip}, not for {target.esptool}", where=str(folder), hint="idf.py set-target"
        )
    if not files:
        raise DeviceError("lists no files", where=str(path), hint="idf.py build")
    return files


def _contents(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise DeviceError(f"cannot be read: {problem.strerror}", where=str(path)) from problem
    if not data or data.startswith(b"\x7fELF"):
        what = "is empty" if not data else "is an ELF file, which the flash does not take"
        raise DeviceError(what, where=str(path), hint="idf.py build makes .bin files; esptool elf2image another")
    return data


class EspProbe:
    """The loader in a chip's ROM, at a serial port.

    Args:
        port: The port, or a URL that pyserial knows; empty to have esptool look for one.
        target: The chip.

    Raises:
        ToolchainError: If esptool is not installed.
    """

    def __init__(self, port: str, target: Target) -> None:
        program = find_program("esptool")
        if program is None:
            raise ToolchainError("esptool is not installed", hint="pip install 'edgetx[flash]'")
        self.where = f"esptool:{port}"
        self._command = [program, "--chip", target.esptool, *(["--port", port] if port else [])]

    def flash(self, files: Sequence[EspFile], progress: Callable[[str], None]) -> str:
        """Identify the chip, write, compare, and start.

        Returns:
            What was found and done, for people.

        Raises:
            DeviceError: If any step fails; it says whether the chip still holds its old firmware.
        """
        progress("identify")
        said = self._run("--after", "no-reset-stub", "chip-id", hint="nothing was erased; is it in download mode?")
        chip = next((line.partition(":")[2].strip() for line in said if line.startswith("Chip type:")), "")
        progress("write and compare")
        places = [part for file in files for part in (f"0x{file.offset:x}", str(file.path))]
        state = "what is in the flash is neither the old firmware nor the new; flash again"
        said = self._run("--after", "hard-reset", "write-flash", "--flash-size", "keep", *places, hint=state)
        if sum(line.startswith(_VERIFIED) for line in said) != len(files):
            raise DeviceError("esptool did not compare what it wrote", where=self.where, hint=state)
        return f"{sum(len(file.data) for file in files)} bytes on {chip or self.where}, compared by MD5 sums"

    def _run(self, *arguments: str, hint: str) -> list[str]:
        command = [*self._command, *arguments]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired as problem:
            raise DeviceError("esptool does not come to an end", where=self.where, hint=hint) from problem
        except KeyboardInterrupt as interruption:
            raise DeviceError("interrupted", where=self.where, hint=hint) from interruption
        lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        if done.returncode != 0:
            reason = next((line for line in lines if _FATAL in line), lines[-1] if lines else "esptool failed")
            raise DeviceError(reason.rpartition(_FATAL)[2], where=self.where, hint=hint)
        return lines
