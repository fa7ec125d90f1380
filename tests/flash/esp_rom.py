"""The loader in the ROM of an ESP32-C3, behind a TCP port as Espressif's QEMU has it: as much as esptool asks of it.

The protocol is SLIP frames of commands and answers, as in Espressif's "Serial Protocol". A stub that esptool loads into
RAM and starts is taken to speak the same.
"""

import contextlib
import hashlib
import socket
import struct
import threading
import zlib

ESP32_C3, ESP32_S3 = 5, 9
_SYNC, _MEM_END, _READ_REGISTER, _MD5, _SECURITY = 0x08, 0x06, 0x0A, 0x13, 0x14
_BEGIN, _DATA, _DEFLATED_BEGIN, _DEFLATED_DATA = 0x02, 0x03, 0x10, 0x11
_REFUSED = b"\1\6"


class EspRom:
    """Serves until stopped.

    Attributes:
        flash: What was written.
        chip: What it says that it is.
        is_locked: Whether it refuses to write.
        decays: Whether the flash loses what was written.
        cable: Bytes until the connection breaks; None for a whole cable.
    """

    def __init__(self) -> None:
        self.flash = bytearray(b"\xff" * (4 << 20))
        self.chip, self.is_locked, self.decays, self.cable = ESP32_C3, False, False, None
        self._has_stub = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self) -> str:
        return f"esptool:socket://127.0.0.1:{self._listener.getsockname()[1]}"

    def stop(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection, contextlib.suppress(OSError):
                    self._converse(connection)

    def _converse(self, connection: socket.socket) -> None:
        received, left = b"", self.cable
        while data := connection.recv(4096):
            if left is not None:
                left -= len(data)
                if left < 0:
                    return
            received += data
            while (end := received.find(b"\xc0", 1)) >= 0:
                frame, received = received[1:end], received[end + 1 :]
                self._answer(connection, frame.replace(b"\xdb\xdc", b"\xc0").replace(b"\xdb\xdd", b"\xdb"))

    def _answer(self, connection: socket.socket, frame: bytes) -> None:
        if len(frame) < 8:
            return
        _, command, _, _ = struct.unpack_from("<BBHI", frame)
        answer, status = self._do(command, frame[8:])
        value = 0 if self._has_stub else 0x20120707
        if command == _READ_REGISTER:
            value = 0
        packet = struct.pack("<BBHI", 1, command, len(answer) + 4, value) + answer + status + b"\0\0"
        for _ in range(8 if command == _SYNC else 1):
            connection.sendall(_framed(packet))
        if command == _MEM_END:
            self._has_stub = True
            connection.sendall(_framed(b"OHAI"))

    def _do(self, command: int, data: bytes) -> tuple[bytes, bytes]:
        """The answer's data and status."""
        if command == _SECURITY:
            return bytes(12) + struct.pack("<II", self.chip, 0), b"\0\0"
        if command in (_BEGIN, _DEFLATED_BEGIN):
            if self.is_locked:
                return b"", _REFUSED
            self._place, self._unpacked = struct.unpack_from("<I", data, 12)[0], zlib.decompressobj()
        if command in (_DATA, _DEFLATED_DATA):
            (size,) = struct.unpack_from("<I", data)
            part = data[16 : 16 + size]
            part = self._unpacked.decompress(part) if command == _DEFLATED_DATA else part
            self.flash[self._place : self._place + len(part)] = part
            self._place += len(part)
        if command == _MD5:
            place, size = struct.unpack_from("<II", data)
            if self.decays:
                self.flash[place] ^= 1
            digest = hashlib.md5(self.flash[place : place + size])
            return (digest.digest() if self._has_stub else digest.hexdigest().encode()), b"\0\0"
        return b"", b"\0\0"


def _framed(packet: bytes) -> bytes:
    return b"\xc0" + packet.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc") + b"\xc0"
