"""A debug server with flash that must be erased, and with faults."""

import re
import socket
import threading
from dataclasses import dataclass, field

FLASH_SIZE, BLOCK = 64 * 1024, 1024


@dataclass
class Device:
    """What is behind the server.

    `cut` is how many bytes may still arrive before the cable is pulled.
    """

    base: int
    words: dict[int, int]
    is_locked: bool = False
    bad_byte: int | None = None
    cut: int | None = None
    reply: bytes | None = None
    flash: bytearray = field(default_factory=lambda: bytearray(b"\xaa" * FLASH_SIZE))
    registers: dict[int, int] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    pending: dict[int, bytes] = field(default_factory=dict)

    def memory_map(self):
        return (
            f'<memory-map><memory type="flash" start="{self.base:#x}" length="{FLASH_SIZE:#x}">'
            f'<property name="blocksize">{BLOCK:#x}</property></memory></memory-map>'
        ).encode()

    def answer(self, packet: bytes) -> bytes:
        if self.reply is not None:
            return self.reply
        text = packet.decode("latin-1")
        if text.startswith("qSupported"):
            return b"PacketSize=400;qXfer:memory-map:read+"
        if text.startswith("qXfer:memory-map:read::"):
            start, size = (int(n, 16) for n in text.rsplit(":", 1)[1].split(","))
            part = self.memory_map()[start : start + size]
            return (b"l" if start + size >= len(self.memory_map()) else b"m") + part
        if text.startswith("?"):
            return b"T05thread:01;"
        if match := re.fullmatch("m([0-9a-f]+),([0-9a-f]+)", text):
            return self.read(*(int(n, 16) for n in match.groups())).hex().encode() or b"E01"
        if text.startswith("vFlashErase:"):
            start, size = (int(n, 16) for n in text[12:].split(","))
            self.log.append("erase")
            if self.is_locked:
                return b"E05"
            assert start % BLOCK == 0 == size % BLOCK
            self.flash[start - self.base : start - self.base + size] = b"\xff" * size
            return b"OK"
        if text.startswith("vFlashWrite:"):
            address, _, data = packet[12:].partition(b":")
            self.pending[int(address, 16)] = re.sub(rb"}(.)", lambda m: bytes([m[1][0] ^ 0x20]), data, flags=re.DOTALL)
            return b"OK"
        if text == "vFlashDone":
            self.log.append("write")
            for address, data in self.pending.items():
                place = address - self.base
                assert all(byte == 0xFF for byte in self.flash[place : place + len(data)]), "written without erasing"
                self.flash[place : place + len(data)] = data
            self.pending.clear()
            if self.bad_byte is not None and self.log[-2:] != ["write", "write"]:
                self.flash[self.bad_byte] ^= 0x10
            return b"OK"
        if match := re.fullmatch("P([0-9a-f]+)=([0-9a-f]+)", text):
            self.registers[int(match[1], 16)] = int.from_bytes(bytes.fromhex(match[2]), "little")
            return b"OK"
        if text.startswith("M") or text == "D":
            self.log.append(text[:1])
            return b"OK"
        return b"OK" if text.startswith("qRcmd") else b""

    def read(self, address, size):
        if address in self.words:
            return self.words[address].to_bytes(4, "little")
        place = address - self.base
        return bytes(self.flash[place : place + size]) if 0 <= place < FLASH_SIZE else b""


class GdbServer:
    """Serves one device to one client after the other."""

    def __init__(self, device: Device):
        self.device = device
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"gdb:127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        self._listener.close()

    def _serve(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client:
                self._talk(client)

    def _talk(self, client):
        received = bytearray()
        while data := client.recv(4096):
            if self.device.cut is not None:
                data = data[: self.device.cut]
                self.device.cut -= len(data)
            received += data
            while match := re.search(rb"\$([^#]*)#..", received, re.DOTALL):
                packet = bytes(match[1])
                del received[: match.end()]
                answer = self.device.answer(packet)
                client.sendall(b"+$" + answer + b"#%02x" % (sum(answer) & 0xFF))
            if self.device.cut == 0:
                return
