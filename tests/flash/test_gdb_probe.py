"""Flashing through a debug server whose device locks, forgets, differs, or is unplugged."""

import random
import socket
import threading

import pytest
from gdb_server import BLOCK, Device, GdbServer

from edgetx.device.gdb import GdbClient
from edgetx.errors import DeviceError
from edgetx.flash import flash, make_plan, open_probe
from edgetx.flash.gdb_probe import flash_areas
from edgetx.profile.image import Image, Segment
from edgetx.targets import load_target

BASE, CPUID, IDCODE = 0x0800_0000, 0xE000_ED00, 0xE004_2000
DATA = (0x2000_4000).to_bytes(4, "little") + (BASE + 0x101).to_bytes(4, "little") + random.Random(2).randbytes(3000)


@pytest.fixture
def plan(tmp_path):
    return make_plan(load_target("nucleo-l4r5zi"), Image(tmp_path / "image.elf", (Segment(BASE, DATA),)))


@pytest.fixture
def device():
    return Device(BASE, {CPUID: 0x410F_C241, IDCODE: 0x1001_6470})


@pytest.fixture
def server(device):
    opened = GdbServer(device)
    yield opened
    opened.close()


def write(plan, server):
    with open_probe(server.url, plan) as probe:
        return flash(plan, probe)


def test_the_image_is_written_verified_and_started(plan, device, server):
    assert "read back and equal" in write(plan, server)
    assert device.flash[: len(DATA)] == DATA
    assert device.flash[3 * BLOCK :] == b"\xaa" * (len(device.flash) - 3 * BLOCK)  # only what the image touches
    assert device.registers == {13: 0x2000_4000, 15: BASE + 0x100}
    assert device.log == ["erase"] * 3 + ["write", "write", "M", "D"]


@pytest.mark.parametrize(("address", "value"), [(CPUID, 0x411F_C271), (CPUID, 0x1234_5678), (IDCODE, 0x1000_6421)])
def test_another_chip_keeps_its_firmware(plan, device, server, address, value):
    device.words[address] = value
    with pytest.raises(DeviceError, match="another chip"):
        write(plan, server)
    assert device.log == []


def test_locked_flash(plan, device, server):
    device.is_locked = True
    with pytest.raises(DeviceError, match="cannot erase 0x08000000: E05"):
        write(plan, server)
    device.is_locked = False
    write(plan, server)
    assert device.flash[: len(DATA)] == DATA


def test_flash_that_does_not_hold_what_was_written(plan, device, server):
    device.bad_byte = 1234
    with pytest.raises(DeviceError, match="0x080004d2 reads") as caught:
        write(plan, server)
    assert "does not start" in caught.value.hint
    assert device.flash[:8] == b"\xff" * 8
    device.bad_byte = None
    write(plan, server)


def total_bytes(plan, device, server):
    device.cut = 10**9
    write(plan, server)
    total = 10**9 - device.cut
    device.cut = None
    return total


def test_cable_pulled_at_any_byte(plan, device, server):
    """Every 97th place, and the first and last: an error each time, no half image that starts, and a retry works."""
    total = total_bytes(plan, device, server)
    for cut in [1, 2, *range(7, total, 97), total - 1]:
        device.flash[:] = b"\xaa" * len(device.flash)
        device.log.clear()
        device.pending.clear()
        device.cut = cut
        problem = None
        try:
            write(plan, server)
        except DeviceError as error:
            problem = error
        if problem is None:
            assert cut > total - 8  # all that was lost is an acknowledgement
        else:
            assert "lost" in problem.what or "does not answer" in problem.what
        if problem and "erase" in device.log:
            assert "flash again" in problem.hint or "verified" in problem.hint
        is_whole = device.flash[: len(DATA)] == DATA
        is_old = device.flash == b"\xaa" * len(device.flash)
        assert is_whole or is_old or device.flash[:8] in (b"\xff" * 8, b"\xaa" * 8)
        device.cut = None
    write(plan, server)
    assert device.flash[: len(DATA)] == DATA


@pytest.mark.parametrize("seed", range(20))
def test_a_server_that_sends_garbage(plan, device, server, seed):
    device.reply = random.Random(seed).randbytes(seed * 5)
    with pytest.raises(DeviceError):
        write(plan, server)


@pytest.mark.parametrize("wire", [b"", b"+", b"+$OK#00", b"$", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"-" * 50])
def test_not_a_gdb_server(wire):
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        client, _ = listener.accept()
        with client:
            client.sendall(wire)
            client.recv(100)
            client.recv(100)

    threading.Thread(target=serve, daemon=True).start()
    with pytest.raises(DeviceError):
        GdbClient("127.0.0.1", listener.getsockname()[1], answer_seconds=0.3)
    listener.close()


def test_nobody_listens(plan):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(DeviceError, match="cannot connect"), open_probe(f"gdb:127.0.0.1:{port}", plan):
        pass


@pytest.mark.parametrize("url", ["gdb:", "gdb:host", "gdb:host:99999", "gbd:host:1", "", "gdb:host:x"])
def test_urls(plan, url):
    with pytest.raises(DeviceError), open_probe(url, plan):
        pass


MEMORY = b'<m><memory type="flash" start="%s" length="1">%s</memory></m>'


@pytest.mark.parametrize(
    "text",
    [
        b"<",
        b"<a/>x",
        MEMORY % (b"x", b""),
        MEMORY % (b"0", b""),
        MEMORY % (b"0", b'<property name="blocksize">0</property>'),
    ],
)
def test_damaged_memory_maps(text):
    with pytest.raises(DeviceError, match="damaged"):
        flash_areas(text, "here")


@pytest.mark.parametrize(
    ("segments", "problem"),
    [
        ([Segment(0x0900_0000, DATA)], "has no memory"),
        ([Segment(BASE + 16, DATA)], "begins at"),
        ([Segment(BASE, DATA[:4] + bytes(4) + DATA[8:])], "reset vector"),
    ],
)
def test_images_for_something_else(tmp_path, segments, problem):
    with pytest.raises(DeviceError, match=problem):
        make_plan(load_target("nucleo-l4r5zi"), Image(tmp_path / "image.elf", tuple(segments)))
