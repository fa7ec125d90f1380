"""Semihosting: what firmware asks of a debugger."""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol

BREAKPOINT = b"\xab\xbe"


class Operation(IntEnum):
    """Operations, as numbered by Arm."""

    OPEN = 0x01
    CLOSE = 0x02
    WRITEC = 0x03
    WRITE0 = 0x04
    WRITE = 0x05
    ISTTY = 0x09
    CLOCK = 0x10
    ERRNO = 0x13
    HEAPINFO = 0x16
    EXIT = 0x18
    EXIT_EXTENDED = 0x20


_APPLICATION_EXIT = 0x20026
_FAILED = 0xFFFF_FFFF


class Memory(Protocol):
    """What semihosting reads of the core."""

    def read(self, address: int, size: int) -> bytes:
        """Bytes of memory."""

    def read_word(self, address: int) -> int:
        """A word of memory."""


@dataclass
class Semihosting:
    """Answers semihosting calls.

    Attributes:
        output: What the firmware printed.
        exit_status: Status with which the firmware ended, once it has.
    """

    output: bytearray = field(default_factory=bytearray)
    exit_status: int | None = None

    def call(self, operation: int, parameter: int, memory: Memory, centiseconds: int) -> int:
        """Carry out one call; the answer goes to r0."""
        match operation:
            case Operation.WRITEC:
                self.output += memory.read(parameter, 1)
            case Operation.WRITE0:
                self.output += _text(parameter, memory)
            case Operation.WRITE:
                address, length = memory.read_word(parameter + 4), memory.read_word(parameter + 8)
                self.output += memory.read(address, length)
                return 0
            case Operation.OPEN | Operation.ISTTY:
                return 1
            case Operation.CLOCK:
                return centiseconds
            case Operation.EXIT:
                self.exit_status = 0 if parameter == _APPLICATION_EXIT else 1
            case Operation.EXIT_EXTENDED:
                reason, status = memory.read_word(parameter), memory.read_word(parameter + 4)
                self.exit_status = status if reason == _APPLICATION_EXIT else 1
            case Operation.CLOSE | Operation.ERRNO | Operation.HEAPINFO:
                return 0
            case _:
                return _FAILED
        return 0


def _text(address: int, memory: Memory) -> bytes:
    text = bytearray()
    while (byte := memory.read(address + len(text), 1)) != b"\0":
        text += byte
    return bytes(text)
