"""Boards as QEMU has them, with their debug server and serial port."""

import socket
import subprocess
import time
from contextlib import contextmanager

import pytest
from click.testing import CliRunner

from edgetx.cli import main

NANOSECONDS = 32
"""Per instruction, with -icount shift=5: time that QEMU makes of instructions, so that SysTick counts them."""


@contextmanager
def powered(name):
    """Ports of debug server and serial port of a board without firmware."""
    ports = free_ports(2)
    command = ["qemu-system-arm", "-M", name, "-nographic", "-monitor", "none", "-icount", "shift=5", "-S"]
    places = ["-gdb", f"tcp:127.0.0.1:{ports[0]}", "-serial", f"tcp:127.0.0.1:{ports[1]},server=on,wait=off"]
    with subprocess.Popen([*command, *places], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as qemu:
        try:
            wait_for(ports[0])
            yield ports
        finally:
            qemu.kill()


def free_ports(count):
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def wait_for(port):
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    pytest.fail("QEMU does not start")


def edgetx(*arguments):
    return CliRunner().invoke(main, [str(a) for a in arguments])


def flash(target, out, port):
    return edgetx("flash", out, "--target", target, "--probe", f"gdb:127.0.0.1:{port}", "--quiet")


def profile(target, out, device, *more):
    return edgetx("profile", out, "--target", target, "--engine", "device", "--device", device, "--json", *more)
