"""What is plugged in, from a made-up sysfs and an adb server."""

import socket
import threading

import pytest

from edgetx.cli.doctor import device_checks
from edgetx.device import attached


@pytest.fixture
def usb(tmp_path, monkeypatch):
    for name, numbers in {"1-1": ("0483", "374b", "1", "5"), "1-2": ("046d", "c52b", "1", "6")}.items():
        (tmp_path / "usb" / name).mkdir(parents=True)
        for file, text in zip(("idVendor", "idProduct", "busnum", "devnum"), numbers, strict=True):
            (tmp_path / "usb" / name / file).write_text(f"{text}\n")
    (tmp_path / "usb" / "usb1").mkdir()  # a hub without numbers
    (tmp_path / "nodes" / "001").mkdir(parents=True)
    (tmp_path / "nodes" / "001" / "005").touch()
    return tmp_path / "usb", tmp_path / "nodes"


def adb_server(answer):
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        connection, _ = listener.accept()
        with connection:
            assert connection.recv(100) == b"000chost:devices"
            connection.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


def test_probes(usb):
    (found,) = attached.usb_devices(*usb)
    assert found == attached.UsbDevice("ST-Link", "0483", is_open=True)
    (usb[1] / "001" / "005").unlink()
    (found,) = attached.usb_devices(*usb)
    assert not found.is_open


@pytest.mark.parametrize(
    ("answer", "phones"),
    [
        (b"OKAY0022emulator-5554\tdevice\nR5\tunauthorized\n", {"emulator-5554": "device", "R5": "unauthorized"}),
        (b"OKAY0000", {}),
        (b"FAIL0004oops", {}),
        (b"OKAY\xff\xff\xff\xff\xff\n\t\n", {}),
        (b"", {}),
    ],
)
def test_phones(answer, phones):
    found = attached.phones(adb_server(answer))
    assert found == phones


def test_doctor_says_how_to_fix_each(usb, monkeypatch):
    (usb[1] / "001" / "005").unlink()
    monkeypatch.setattr(attached, "phones", lambda: {"R5": "unauthorized", "R6": "device"})
    found = list(attached.usb_devices(*usb))
    monkeypatch.setattr(attached, "usb_devices", lambda: found)
    checks = {check.name: check for check in device_checks()}
    assert "idVendor" in checks["ST-Link"].fix
    assert "screen" in checks["adb:R5"].fix
    assert checks["adb:R6"].found
