"""Version 1 of the protocol between a host and firmware that edgetx built.

The host asks and the device answers, one request at a time. A message is version (1 byte), kind (1), sequence number
(4) and data, all little endian, in a frame (`edgetx.device.frame`). A reply repeats the sequence number, and its kind
is that of the request with the top bit set, or REFUSED with a reason. The device answers a request that comes a second
time with the reply it has given, without carrying it out again; so the host may repeat what stays without an answer.

| kind | request | reply |
|------|---------|-------|
| HELLO | – | image id (4), CPUID (4), clock in Hz (4), counter (1), layers (2), inputs (1), outputs (1) |
| RESET | – | – |
| WRITE | input (1), offset (4), bytes | – |
| RUN | – | – |
| CYCLES | first layer (2) | cycles (4 each), as many as fit |
| READ | output (1), offset (4), count (1) | bytes |
"""

import struct
from dataclasses import dataclass
from enum import IntEnum

VERSION = 1
MAX_DATA = 240
REPLY = 0x80
_HEADER = struct.Struct("<BBI")
_HELLO = struct.Struct("<IIIBHBB")


class Kind(IntEnum):
    """What a request asks for."""

    HELLO = 1
    RESET = 2
    WRITE = 3
    RUN = 4
    CYCLES = 5
    READ = 6
    REFUSED = 0xFF


REASONS = {
    1: "it speaks another version of the protocol",
    2: "it does not know this request",
    3: "that is outside of the model's inputs, outputs or layers",
    4: "it has no cycle counter that counts",
}
COUNTERS = {0: "none", 1: "DWT", 2: "SysTick", 3: "clock", 4: "perf events"}


@dataclass(frozen=True)
class Message:
    """A request or a reply."""

    kind: int
    sequence: int
    data: bytes = b""
    version: int = VERSION

    def pack(self) -> bytes:
        """As bytes."""
        return _HEADER.pack(self.version, self.kind, self.sequence) + self.data

    @classmethod
    def unpack(cls, contents: bytes) -> "Message | None":
        """From the contents of a frame; None if there is no room for a header."""
        if len(contents) < _HEADER.size:
            return None
        version, kind, sequence = _HEADER.unpack_from(contents)
        return cls(kind, sequence, contents[_HEADER.size :], version)


@dataclass(frozen=True)
class Hello:
    """What a device says of itself.

    Attributes:
        image_id: CRC of the C from which its image was built.
        cpuid: The core's CPUID register; 0 on a phone.
        clock_hz: Clock for which the image was built.
        counter: What counts cycles, by the numbers of `COUNTERS`.
        layers: Layers of the model.
        inputs: Inputs of the model.
        outputs: Outputs of the model.
    """

    image_id: int
    cpuid: int
    clock_hz: int
    counter: int
    layers: int
    inputs: int
    outputs: int

    @classmethod
    def unpack(cls, data: bytes) -> "Hello | None":
        """From the data of a reply; None if it has another length."""
        return cls(*_HELLO.unpack(data)) if len(data) == _HELLO.size else None
