"""What is plugged in: debug probes and chips on USB, and phones that an adb server knows."""

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

USB = Path("/sys/bus/usb/devices")
NODES = Path("/dev/bus/usb")
ADB_PORT = 5037
_SECONDS = 1.0
_NAMES = {
    "0483:37": "ST-Link",
    "0d28:0204": "CMSIS-DAP probe",
    "1366:": "J-Link",
    "2e8a:0003": "RP2040 in its bootloader",
    "2e8a:000c": "Raspberry Pi Debug Probe",
    "2e8a:000f": "RP2350 in its bootloader",
    "303a:": "chip of Espressif",
}
"""Beginnings of vendor:product."""


@dataclass(frozen=True)
class UsbDevice:
    """A device on USB that edgetx can do something with.

    Attributes:
        name: What it is.
        vendor: Its vendor's number, as udev rules write it.
        is_open: Whether this user may use it.
    """

    name: str
    vendor: str
    is_open: bool


def usb_devices(usb: Path = USB, nodes: Path = NODES) -> Iterator[UsbDevice]:
    """Debug probes, and chips in their bootloaders.

    Args:
        usb: Where the kernel lists devices.
        nodes: Where they are opened.
    """
    for folder in sorted(usb.glob("*")):
        read = {name: _text(folder / name) for name in ("idVendor", "idProduct", "busnum", "devnum")}
        number = f"{read['idVendor']}:{read['idProduct']}"
        name = next((name for start, name in _NAMES.items() if number.startswith(start)), None)
        if name and read["busnum"].isdigit() and read["devnum"].isdigit():
            node = nodes / f"{int(read['busnum']):03}" / f"{int(read['devnum']):03}"
            yield UsbDevice(name, read["idVendor"], os.access(node, os.R_OK | os.W_OK))


def phones(port: int | None = None) -> dict[str, str]:
    """Phones and their state as the running adb server knows them; starts none.

    Args:
        port: Where the server listens; by default where adb has it.
    """
    port = port or int(os.environ.get("ANDROID_ADB_SERVER_PORT", ADB_PORT))
    try:
        with socket.create_connection(("127.0.0.1", port), _SECONDS) as server:
            server.sendall(b"000chost:devices")
            server.settimeout(_SECONDS)
            answer = b""
            while part := server.recv(4096):
                answer += part
    except OSError:
        return {}
    if not answer.startswith(b"OKAY"):
        return {}
    lines = answer[8:].decode("utf-8", "replace").splitlines()
    return dict(line.split("\t", 1) for line in lines if line.find("\t") > 0)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
