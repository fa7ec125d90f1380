"""A phone of this machine: the real adbd, on the loopback address, with programs run by qemu-aarch64.

`tools/build-adbd.sh` builds it; `phone.c` is what makes this machine look like a phone.
"""

import contextlib
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ADBD = Path(sys.prefix) / "bin" / "adbd"
EMULATOR = shutil.which("qemu-aarch64-static")


def needs_adbd() -> None:
    for what, found in {"adbd": ADBD.is_file(), "adb": shutil.which("adb"), "qemu-aarch64-static": EMULATOR}.items():
        if not found:
            pytest.skip(f"needs {what}")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@dataclass
class LoopbackPhone:
    """An adbd.

    Attributes:
        folder: The phone's home, where programs land.
        port: Where it listens.
        machine: What its kernel says that it is for.
        core: What QEMU calls its core.
        programs: A folder of programs that the phone has before others.
        largest_file: How long files can become until its storage is full.
    """

    folder: Path
    port: int = field(default_factory=free_port)
    machine: str = "aarch64"
    core: str = "max"
    programs: str = ""
    largest_file: int = resource.RLIM_INFINITY

    def start(self) -> "LoopbackPhone":
        library = self.folder.parent / "phone.so"
        if not library.exists():
            source = Path(__file__).with_name("phone.c")
            subprocess.run(
                ["gcc", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", source, "-o", library], check=True
            )
        self.folder.mkdir(exist_ok=True)
        settings = {
            "ADBD_PORT": str(self.port),
            "LD_PRELOAD": str(library),
            "PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}",
            "PHONE_EMULATOR": EMULATOR,
            "PHONE_HOME": str(self.folder),
            "PHONE_MACHINE": self.machine,
            "QEMU_CPU": self.core,
        }
        with (self.folder.parent / "adbd.log").open("ab") as log:
            self._process = subprocess.Popen(
                [ADBD], env={**os.environ, **settings}, stdout=log, stderr=log, preexec_fn=self._limit
            )
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.05)
        raise AssertionError("adbd does not listen")

    def _limit(self) -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.largest_file, self.largest_file))

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    @property
    def serial(self) -> str:
        return f"127.0.0.1:{self.port}"


class Cable:
    """Leads to a phone until so many bytes have gone to it: then it is cut, both ways."""

    def __init__(self, phone: LoopbackPhone, length: int) -> None:
        self.port, self._to, self._left = free_port(), phone.port, length
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def serial(self) -> str:
        return f"127.0.0.1:{self.port}"

    def cut(self) -> None:
        for end in [self._listener, *self._ends]:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._to))
            self._ends += [near, far]
            threading.Thread(target=self._carry, args=(near, far, True), daemon=True).start()
            threading.Thread(target=self._carry, args=(far, near, False), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, is_counted: bool) -> None:
        with contextlib.suppress(OSError):
            while self._left > 0 and (data := source.recv(4096)):
                if is_counted:
                    data = data[: self._left]
                    self._left -= len(data)
                sink.sendall(data)
        self.cut()
