"""The GDB remote serial protocol, client side: what a probe's debug server or an emulator understands.

Packets are `$data#checksum`, acknowledged by `+`; see "Remote Protocol" in the GDB manual. OpenOCD, pyOCD, J-Link and
QEMU serve it.
"""

import re
import select
import time

from edgetx.device.streams import connect, lost
from edgetx.errors import DeviceError

ANSWER_SECONDS = 5.0
ERASE_SECONDS = 60.0
ATTEMPTS = 3
_LARGEST = 1 << 20
_NO_COMMAND = ("unknown", "invalid", "not found", "error")
_STOPPED = re.compile(rb"[ST][0-9a-f]{2}")
_DEFAULT_PACKET = 1024
_ESCAPED = {ord("#"), ord("$"), ord("}"), ord("*")}


class GdbClient:
    """A core behind a debug server.

    Args:
        host: Where the server runs.
        port: Its port.
        answer_seconds: How long to wait for an answer.
    """

    def __init__(self, host: str, port: int, answer_seconds: float = ANSWER_SECONDS) -> None:
        self.where = f"gdb:{host}:{port}"
        self._answer_seconds = answer_seconds
        self._socket = connect(host, port)
        self._received = bytearray()
        try:
            self._features = self._negotiate()
            if self.supports("qXfer:features:read"):  # QEMU gives single registers only to those who have asked
                self.ask(b"qXfer:features:read:target.xml:0,%x" % (self.packet_bytes - 16))
            self.ask(b"?")
        except DeviceError:
            self.close()
            raise

    def close(self) -> None:
        """Drop the connection."""
        self._socket.close()

    @property
    def packet_bytes(self) -> int:
        """Largest packet that the server takes."""
        try:
            return max(64, int(self._features.get("PacketSize", ""), 16))
        except ValueError:
            return _DEFAULT_PACKET

    def supports(self, feature: str) -> bool:
        """Whether the server says that it has a feature."""
        return self._features.get(feature) == "+"

    def ask(self, packet: bytes, seconds: float | None = None) -> bytes:
        """Send a packet and wait for the answer; empty if the server does not know the packet.

        Raises:
            DeviceError: If the connection breaks or nothing whole comes back.
        """
        self.send(packet)
        answer = self.receive(seconds or self._answer_seconds)
        while _STOPPED.match(answer) and packet != b"?":  # a running core is stopped by the connection, some time later
            answer = self.receive(seconds or self._answer_seconds)
        return answer

    def send(self, packet: bytes) -> None:
        """Send a packet, again if it arrives damaged."""
        framed = b"$" + packet + b"#%02x" % (sum(packet) & 0xFF)
        for _ in range(ATTEMPTS):
            self._write(framed)
            if self._acknowledged():
                return
        raise DeviceError("the debug server refuses every packet", where=self.where, hint="is it a GDB server?")

    def receive(self, seconds: float) -> bytes:
        """The next packet from the server."""
        deadline = time.monotonic() + seconds
        while True:
            start = self._find(b"$", deadline)
            del self._received[: start + 1]
            end = self._find(b"#", deadline)
            while len(self._received) < end + 3:
                self._fill(deadline)
            body, checksum = bytes(self._received[:end]), bytes(self._received[end + 1 : end + 3])
            del self._received[: end + 3]
            if checksum.lower() == b"%02x" % (sum(body) & 0xFF):
                self._write(b"+")
                return _expanded(body)
            self._write(b"-")

    def read(self, address: int, size: int) -> bytes:
        """Memory.

        Raises:
            DeviceError: If the device cannot read it.
        """
        data = bytearray()
        step = min(1024, self.packet_bytes // 2 - 8)
        while len(data) < size:
            count = min(step, size - len(data))
            answer = self.ask(b"m%x,%x" % (address + len(data), count))
            try:
                part = bytes.fromhex(answer.decode("ascii"))
            except (ValueError, UnicodeDecodeError):
                part = b""
            if not part or len(part) > count:
                where = f"0x{address + len(data):08x}"
                raise DeviceError(f"cannot read memory at {where}: {_text(answer)}", where=self.where)
            data += part
        return bytes(data)

    def read_word(self, address: int) -> int:
        """A word of memory."""
        return int.from_bytes(self.read(address, 4), "little")

    def write(self, address: int, data: bytes) -> None:
        """Write to memory that needs no erasing.

        Raises:
            DeviceError: If the device refuses.
        """
        step = min(1024, self.packet_bytes // 2 - 24)
        for start in range(0, len(data), step):
            part = data[start : start + step]
            packet = b"M%x,%x:" % (address + start, len(part)) + part.hex().encode()
            self.expect_ok(packet, f"write memory at 0x{address + start:08x}")

    def write_word(self, address: int, value: int) -> None:
        """Write a word of memory."""
        self.write(address, value.to_bytes(4, "little"))

    def read_register(self, number: int) -> int:
        """A core register by GDB's number: 13 sp, 15 pc, 25 xPSR."""
        answer = self.ask(b"p%x" % number)
        try:
            return int.from_bytes(bytes.fromhex(answer.decode("ascii"))[:4], "little")
        except (ValueError, UnicodeDecodeError):
            raise DeviceError(f"cannot read register {number}: {_text(answer)}", where=self.where) from None

    def write_register(self, number: int, value: int) -> None:
        """Set a core register."""
        self.expect_ok(b"P%x=" % number + value.to_bytes(4, "little").hex().encode(), f"set register {number}")

    def monitor(self, command: str) -> str:
        """Pass a command to the server itself; what it says, or nothing if it takes none."""
        self.send(b"qRcmd," + command.encode().hex().encode())
        said = ""
        while True:
            answer = self.receive(self._answer_seconds)
            if answer.startswith(b"O") and answer != b"OK":
                said += bytes.fromhex(answer[1:].decode("ascii", "ignore")).decode("utf-8", "replace")
                continue
            return said

    def expect_ok(self, packet: bytes, what: str, seconds: float | None = None) -> None:
        """Send a packet that is answered by OK.

        Raises:
            DeviceError: If it is answered by anything else.
        """
        answer = self.ask(packet, seconds)
        if answer != b"OK":
            raise DeviceError(f"cannot {what}: {_text(answer)}", where=self.where)

    def resume(self) -> None:
        """Let the core run."""
        self.send(b"c")

    def reset(self) -> None:
        """Reset, and stay stopped: OpenOCD, pyOCD and J-Link know the one command, QEMU the other."""
        said = self.monitor("reset halt")
        if any(word in said.lower() for word in _NO_COMMAND):
            self.monitor("system_reset")

    def event(self, seconds: float) -> bytes | None:
        """What a running core comes up with; None if it runs on."""
        deadline = time.monotonic() + seconds
        while b"$" not in self._received:
            if not self._wait(deadline):
                return None
            self._fill(time.monotonic() + self._answer_seconds)
        return self.receive(self._answer_seconds)

    def memory_map(self) -> bytes:
        """The XML in which the server describes flash; empty if it has none."""
        if not self.supports("qXfer:memory-map:read"):
            return b""
        text, more = b"", True
        while more:
            answer = self.ask(b"qXfer:memory-map:read::%x,%x" % (len(text), self.packet_bytes - 16))
            if answer[:1] not in (b"l", b"m") or len(text) > _LARGEST:
                raise DeviceError(f"cannot read the memory map: {_text(answer)}", where=self.where)
            text, more = text + answer[1:], answer[:1] == b"m"
        return text

    def detach(self) -> None:
        """Let the core run on its own, and drop the connection."""
        try:
            self.expect_ok(b"D", "detach")
        finally:
            self.close()

    def _negotiate(self) -> dict[str, str]:
        answer = self.ask(b"qSupported:multiprocess-;swbreak+;hwbreak+")
        features: dict[str, str] = {}
        for item in answer.decode("ascii", "replace").split(";"):
            name, equals, value = item.partition("=")
            if equals:
                features[name] = value
            elif item[-1:] in ("+", "-"):
                features[item[:-1]] = item[-1]
        return features

    def _acknowledged(self) -> bool:
        deadline = time.monotonic() + self._answer_seconds
        while True:
            for place, byte in enumerate(self._received):
                if byte in b"+-":
                    del self._received[: place + 1]
                    return byte == ord("+")
                if byte == ord("$"):
                    return True
            self._received.clear()
            self._fill(deadline)

    def _find(self, mark: bytes, deadline: float) -> int:
        while (place := self._received.find(mark)) < 0:
            if len(self._received) > _LARGEST:
                raise DeviceError("the server sends without end", where=self.where, hint="is it a GDB server?")
            self._fill(deadline)
        return place

    def _fill(self, deadline: float) -> None:
        try:
            data = self._socket.recv(65536) if self._wait(deadline) else None
        except OSError as problem:
            raise lost(self.where, problem) from problem
        if data is None:
            raise DeviceError(
                "the debug server does not answer", where=self.where, hint="is another debugger connected to it?"
            )
        if not data:
            raise lost(self.where)
        self._received += data

    def _wait(self, deadline: float) -> bool:
        left = deadline - time.monotonic()
        return left > 0 and bool(select.select([self._socket], [], [], left)[0])

    def _write(self, data: bytes) -> None:
        try:
            self._socket.settimeout(self._answer_seconds)
            self._socket.sendall(data)
        except OSError as problem:
            raise lost(self.where, problem) from problem


def escaped(data: bytes) -> bytes:
    """Binary data as packets carry it."""
    out = bytearray()
    for byte in data:
        out += bytes([ord("}"), byte ^ 0x20]) if byte in _ESCAPED else bytes([byte])
    return bytes(out)


def _expanded(body: bytes) -> bytes:
    """A packet without escapes and run lengths."""
    out = bytearray()
    items = iter(body)
    for byte in items:
        if byte == ord("}"):
            out.append(next(items, 0) ^ 0x20)
        elif byte == ord("*") and out:
            out += out[-1:] * max(0, next(items, 29) - 29)
        else:
            out.append(byte)
    return bytes(out)


def _text(answer: bytes) -> str:
    """An answer for messages."""
    return answer.decode("ascii", "replace")[:80] if answer else "the server does not support it"
