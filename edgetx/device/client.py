"""A model on a device, as the host sees it."""

import secrets
import time
from collections.abc import Callable

import numpy as np

from edgetx.device.frame import FrameReader, encode_frame
from edgetx.device.protocol import MAX_DATA, REASONS, REPLY, VERSION, Hello, Kind, Message
from edgetx.device.streams import Stream
from edgetx.errors import DeviceError

REPLY_SECONDS = 1.0
ATTEMPTS = 5
BOOT_SECONDS = 20.0
RUN_SECONDS = 60.0
_WRITE_BYTES = MAX_DATA - 5
_SEQUENCES = 2**32


class DeviceClient:
    """Asks a device to run its model.

    Every request has a number of its own, and is repeated until its reply arrives whole; replies to anything else are
    dropped. So a wire that damages, repeats, delays or loses bytes costs time, never a wrong figure.

    Args:
        stream: The way to the device.
        where: Its URL, for messages.
        reply_seconds: How long to wait before asking again.
        boot_seconds: How long it may take to boot, and to check itself.
        run_seconds: How long one inference may take.
    """

    def __init__(
        self,
        stream: Stream,
        where: str = "",
        *,
        reply_seconds: float = REPLY_SECONDS,
        boot_seconds: float = BOOT_SECONDS,
        run_seconds: float = RUN_SECONDS,
    ) -> None:
        self._stream, self._where = stream, where
        self._reply_seconds, self._boot_seconds, self._run_seconds = reply_seconds, boot_seconds, run_seconds
        self._frames = FrameReader()
        self._sequence = secrets.randbelow(_SEQUENCES)

    @property
    def text(self) -> str:
        """What the firmware printed beside the protocol."""
        return self._frames.text.decode("utf-8", "replace")

    def hello(self) -> Hello:
        """What the device is.

        Raises:
            DeviceError: If nobody answers, or not in this protocol.
        """
        hello = Hello.unpack(self._ask(Kind.HELLO, seconds=self._boot_seconds))
        if hello is None:
            raise self._problem("answers in a form of its own")
        return hello

    def reset(self) -> None:
        """Put every state of the model back to its initial contents."""
        self._ask(Kind.RESET)

    def write(self, index: int, data: bytes) -> None:
        """Fill an input."""
        for start in range(0, len(data), _WRITE_BYTES):
            part = data[start : start + _WRITE_BYTES]
            self._ask(Kind.WRITE, bytes([index]) + start.to_bytes(4, "little") + part)

    def run(self) -> None:
        """One invocation."""
        self._ask(Kind.RUN, seconds=self._run_seconds)

    def cycles(self, layers: int) -> list[int]:
        """Cycles of each layer in the last invocation."""
        found: list[int] = []
        while len(found) < layers:
            data = self._ask(Kind.CYCLES, len(found).to_bytes(2, "little"))
            if not data or len(data) % 4:
                raise self._problem("sent figures that are not whole")
            found += np.frombuffer(data, "<u4").tolist()
        return found[:layers]

    def read(self, index: int, size: int) -> bytes:
        """The bytes of an output."""
        data = bytearray()
        while len(data) < size:
            count = min(MAX_DATA, size - len(data))
            part = self._ask(Kind.READ, bytes([index]) + len(data).to_bytes(4, "little") + bytes([count]))
            if len(part) != count:
                raise self._problem("sent an output that is not whole")
            data += part
        return bytes(data)

    def _ask(self, kind: Kind, data: bytes = b"", seconds: float | None = None) -> bytes:
        self._sequence = (self._sequence + 1) % _SEQUENCES
        request = encode_frame(Message(kind, self._sequence, data).pack())
        deadline = time.monotonic() + max(seconds or 0.0, ATTEMPTS * self._reply_seconds)
        while time.monotonic() < deadline:
            self._stream.write(request)
            until = min(deadline, time.monotonic() + self._reply_seconds)
            if (reply := self._await(lambda m: m.sequence == self._sequence, until)) is not None:
                return self._checked(kind, reply)
        raise self._silence(kind)

    def _await(self, is_wanted: Callable[[Message], bool], deadline: float) -> Message | None:
        while (left := deadline - time.monotonic()) > 0:
            for contents in self._frames.feed(self._stream.read(left)):
                message = Message.unpack(contents)
                if message is not None and message.kind & REPLY and is_wanted(message):
                    return message
        return None

    def _checked(self, kind: Kind, reply: Message) -> bytes:
        if reply.version != VERSION:
            raise self._problem(f"speaks version {reply.version} of the protocol, this edgetx version {VERSION}")
        if reply.kind == Kind.REFUSED:
            reason = REASONS.get(reply.data[0] if reply.data else 0, "it does not say why")
            raise self._problem(f"refuses {kind.name}: {reason}")
        if reply.kind != kind | REPLY:
            raise self._problem(f"answers {kind.name} with something else")
        return reply.data

    def _problem(self, what: str) -> DeviceError:
        return DeviceError(f"the device {what}", where=self._where, hint="flash it anew: edgetx flash OUT --target T")

    def _silence(self, kind: Kind) -> DeviceError:
        printed = self.text.strip().splitlines()
        said = f"; it printed: {printed[-1]!r}" if printed else ""
        return DeviceError(
            f"the device does not answer {kind.name}{said}",
            where=self._where,
            hint="is it flashed (edgetx flash OUT --target T), and is this its port?",
        )
