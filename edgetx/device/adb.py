"""Android phones, and Linux boards that run adbd: through the `adb` program."""

import hashlib
import shutil
import subprocess
from pathlib import Path

from edgetx.errors import DeviceError, ToolchainError

PROGRAM = "edgetx-model"
SECONDS = 60.0
_FOLDER = "cd /data/local/tmp 2>/dev/null || cd"  # where Android lets adb's user run programs; boards have a home
_MACHINE = "aarch64"
_CONNECTED = ("connected to", "already connected to")


class Phone:
    """A phone that adb reaches.

    Args:
        serial: Its serial number, or host:port, to which adb is then told to connect; empty if there is only one.

    Raises:
        ToolchainError: If `adb` is not installed.
        DeviceError: If nothing answers at host:port.
    """

    def __init__(self, serial: str) -> None:
        program = shutil.which("adb")
        if program is None:
            raise ToolchainError("adb is not installed", hint="apt install adb, or Android's platform tools")
        self.where = f"adb:{serial}"
        self._adb = [program]
        if ":" in serial:
            self._connect(serial)
        if serial:
            self._adb += ["-s", serial]

    def serve_command(self) -> list[str]:
        """The command that leads to the model on the phone."""
        return [*self._adb, "shell", "-T", f"{_FOLDER}; exec ./{PROGRAM} --serve"]

    def install(self, program: Path) -> str:
        """Put a program there, compare what arrived, and let it check itself; only then does it replace the last one.

        Args:
            program: A static program for 64-bit Arm.

        Returns:
            What was done, for people.

        Raises:
            DeviceError: If there is no such phone, it is of another kind, something else arrived, or the program does
                not compute there what it does here.
        """
        machine = self._shell("uname -m")
        if machine != _MACHINE:
            raise DeviceError(f"another chip: its kernel is for {machine!r}, not for {_MACHINE}", where=self.where)
        folder = self._shell(f"{_FOLDER}; pwd")
        part = f"{folder}/{PROGRAM}.part"
        kept = "what was there before is still there"
        self._run("push", str(program), part, hint=f"{kept}; connect it, and try again")
        digest = self._shell(f"sha256sum {part}").split(" ")[0]
        if digest != hashlib.sha256(program.read_bytes()).hexdigest():
            raise DeviceError("the phone does not hold what was sent", where=self.where, hint=f"{kept}; try again")
        said = self._shell(f"chmod 755 {part} && {part} || true").splitlines()
        if said[-1:] != ["PASS"]:
            what = f"the program does not pass its own test there: {said[-1] if said else 'it says nothing'}"
            raise DeviceError(what, where=self.where, hint=f"{kept}; does --target have the cores of this phone?")
        self._shell(f"mv {part} {folder}/{PROGRAM}")
        done = f"{program.stat().st_size} bytes at {folder}/{PROGRAM} on {self.where} ({machine})"
        return f"{done}, compared by SHA-256, passes its own test"

    def _connect(self, address: str) -> None:
        said = self._run("connect", address).lower()
        if said.startswith(_CONNECTED) and self._run("-s", address, "get-state", is_checked=False) != "device":
            self._run("disconnect", address)  # adb keeps a connection that broke
            said = self._run("connect", address).lower()
        if not said.startswith(_CONNECTED):
            hint = "on the phone: wireless debugging, or `adb tcpip 5555` over USB"
            raise DeviceError(said or "adb cannot connect", where=self.where, hint=hint)

    def _shell(self, command: str) -> str:
        return self._run("shell", command)

    def _run(self, *arguments: str, is_checked: bool = True, hint: str = "") -> str:
        command = [*self._adb, *arguments]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired as problem:
            what = "the phone does not answer"
            raise DeviceError(what, where=self.where, hint="adb devices; adb kill-server") from problem
        if is_checked and done.returncode != 0:
            hint = hint or "adb devices: is it connected, and USB debugging allowed?"
            raise DeviceError(_reason(done.stderr + done.stdout), where=self.where, hint=hint)
        return done.stdout.strip()


def _reason(said: str) -> str:
    """Why adb failed, among its other lines."""
    lines = said.strip().splitlines() or ["adb failed"]
    return next((line for line in lines if "error" in line), lines[-1]).removeprefix("adb: ").removeprefix("error: ")
