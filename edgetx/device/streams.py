"""Ways to a device: `serial:/dev/ttyACM0`, `tcp:host:port`, `semihost:host:port`, `adb:SERIAL`."""

import contextlib
import os
import select
import socket
import subprocess
import tempfile
import termios
import time
import tty
from collections.abc import Callable, Sequence
from typing import Protocol

from edgetx.errors import DeviceError

CONNECT_SECONDS = 5.0
_CHUNK = 4096


class Stream(Protocol):
    """Bytes to and from a device."""

    def read(self, seconds: float) -> bytes:
        """What has arrived; waits until something has, at most this long, and is empty if nothing did.

        Raises:
            DeviceError: If the device is gone.
        """

    def write(self, data: bytes) -> None:
        """Send everything.

        Raises:
            DeviceError: If the device is gone, or takes nothing.
        """

    def close(self) -> None:
        """Let go of the device."""


class TcpStream:
    """A serial port behind a TCP server, as QEMU and ser2net offer."""

    def __init__(self, host: str, port: int) -> None:
        self._where = f"tcp:{host}:{port}"
        self._socket = connect(host, port)

    def read(self, seconds: float) -> bytes:
        return _read(self._socket, lambda: self._socket.recv(_CHUNK), seconds, self._where)

    def write(self, data: bytes) -> None:
        try:
            self._socket.settimeout(CONNECT_SECONDS)
            self._socket.sendall(data)
        except OSError as problem:
            raise lost(self._where, problem) from problem

    def close(self) -> None:
        self._socket.close()


class SerialStream:
    """A serial port of this machine at 115200 baud, 8N1."""

    def __init__(self, path: str) -> None:
        self._where = f"serial:{path}"
        try:
            self._file = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError as problem:
            hint = "sudo usermod -aG dialout $USER, then log in anew" if isinstance(problem, PermissionError) else ""
            hint = hint or "is the board plugged in? `edgetx doctor` lists serial ports"
            raise DeviceError(f"cannot be opened: {problem.strerror}", where=self._where, hint=hint) from problem
        try:
            self._configure()
        except (OSError, termios.error) as problem:
            os.close(self._file)
            raise DeviceError(f"not a serial port: {problem}", where=self._where) from problem

    def _configure(self) -> None:
        tty.setraw(self._file)
        settings = termios.tcgetattr(self._file)
        settings[2] |= termios.CLOCAL | termios.CREAD
        settings[4] = settings[5] = termios.B115200
        termios.tcsetattr(self._file, termios.TCSANOW, settings)
        termios.tcflush(self._file, termios.TCIOFLUSH)

    def read(self, seconds: float) -> bytes:
        return _read(self._file, lambda: os.read(self._file, _CHUNK), seconds, self._where)

    def write(self, data: bytes) -> None:
        deadline = time.monotonic() + CONNECT_SECONDS
        while data:
            if time.monotonic() > deadline:
                raise DeviceError("takes no bytes", where=self._where, hint="is it the right port?")
            try:
                select.select([], [self._file], [], 0.1)
                data = data[os.write(self._file, data) :]
            except BlockingIOError:
                continue
            except OSError as problem:
                raise lost(self._where, problem) from problem

    def close(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self._file)


class ProcessStream:
    """A program of this machine, or what it leads to.

    Args:
        command: How to start it; its standard error is kept for messages.
        where: Its URL, for messages.
        hint: What to do if it ends.
    """

    def __init__(self, command: Sequence[str], where: str, hint: str = "") -> None:
        self._where, self._hint = where, hint
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 -- closed in close()
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, bufsize=0
            )
        except OSError as problem:
            self._errors.close()
            raise DeviceError(f"cannot run {command[0]}: {problem.strerror}", where=where) from problem

    def read(self, seconds: float) -> bytes:
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], seconds)[0]:
            return b""
        data = os.read(self._process.stdout.fileno(), _CHUNK)
        if not data:
            raise self._ended()
        return data

    def write(self, data: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(data)
        except OSError as problem:
            raise self._ended() from problem

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._errors):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _ended(self) -> DeviceError:
        self._errors.seek(0)
        said = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        what = f"the program ended: {said[-1] if said else 'it says nothing'}"
        return DeviceError(what, where=self._where, hint=self._hint)


def _read(file: int | socket.socket, receive: Callable[[], bytes], seconds: float, where: str) -> bytes:
    """What has arrived at a file or socket, as `receive` takes it; see `Stream.read`."""
    try:
        if not select.select([file], [], [], seconds)[0]:
            return b""
        data = receive()
    except OSError as problem:
        raise lost(where, problem) from problem
    if not data:
        raise lost(where)
    return data


def connect(host: str, port: int) -> socket.socket:
    """A TCP connection.

    Raises:
        DeviceError: If nobody listens there.
    """
    try:
        found = socket.create_connection((host, port), CONNECT_SECONDS)
    except OSError as problem:
        raise DeviceError(
            f"cannot connect: {problem.strerror or problem}",
            where=f"{host}:{port}",
            hint="is the debug server or emulator running, and the port right?",
        ) from problem
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return found


def lost(where: str, problem: OSError | None = None) -> DeviceError:
    """The error of a connection that broke."""
    reason = f": {problem.strerror or problem}" if problem else ""
    return DeviceError(f"the connection was lost{reason}", where=where, hint="check the cable, then try again")


def host_and_port(place: str, url: str) -> tuple[str, int]:
    """The parts of `host:port`.

    Raises:
        DeviceError: If it is not of that form.
    """
    host, _, port = place.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise DeviceError("expected host:port", where=url, hint=f"such as {url.partition(':')[0]}:localhost:5555")
    return host.strip("[]"), int(port)
