"""Flashing through pyOCD: its debug server, started for the occasion."""

import socket
import subprocess
import tempfile
import time
from collections.abc import Callable

from edgetx.errors import DeviceError, ToolchainError
from edgetx.flash.gdb_probe import GdbProbe
from edgetx.flash.plan import FlashPlan
from edgetx.flash.programs import find_program
from edgetx.targets import Target

START_SECONDS = 20.0


class PyocdProbe:
    """A CMSIS-DAP, ST-Link or J-Link probe that pyOCD knows.

    Args:
        unique_id: Of the probe, or empty if only one is plugged in.
        target: The board.
    """

    def __init__(self, unique_id: str, target: Target) -> None:
        self.where = f"pyocd:{unique_id}"
        program = find_program("pyocd")
        if program is None:
            raise ToolchainError("pyocd is not installed", hint="pip install pyocd, or --probe gdb:host:port")
        if not target.debug_name:
            raise DeviceError("pyOCD has no name for this chip", where=target.name, hint="--probe gdb:host:port")
        port = _free_port()
        command = [program, "gdbserver", "--port", str(port), "--telnet-port", "0", "--target", target.debug_name]
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 -- closed in close()
        self._server = subprocess.Popen(
            [*command, *(["--uid", unique_id] if unique_id else [])], stdout=self._log, stderr=subprocess.STDOUT
        )
        try:
            self._probe = self._connected(port)
        except BaseException:
            self._end()
            raise

    def identify(self, plan: FlashPlan) -> str:
        return self._probe.identify(plan)

    def write(self, plan: FlashPlan, progress: Callable[[str], None]) -> None:
        self._probe.write(plan, progress)

    def verify(self, plan: FlashPlan) -> str:
        return self._probe.verify(plan)

    def start(self, plan: FlashPlan) -> None:
        self._probe.start(plan)

    def close(self) -> None:
        self._probe.close()
        self._end()

    def _end(self) -> None:
        self._server.terminate()
        try:
            self._server.wait(5)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        self._log.close()

    def _connected(self, port: int) -> GdbProbe:
        deadline = time.monotonic() + START_SECONDS
        while self._server.poll() is None and time.monotonic() < deadline:
            try:
                return GdbProbe("127.0.0.1", port)
            except DeviceError:
                time.sleep(0.2)
        self._log.seek(0)
        said = self._log.read().decode("utf-8", "replace").strip().splitlines()
        reason = said[-1] if said else "it says nothing"
        raise DeviceError(f"pyOCD finds no device: {reason}", where=self.where, hint="pyocd list; edgetx doctor")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
