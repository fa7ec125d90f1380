"""Boards whose console is the debug probe: semihosting calls, served through a GDB server.

A call is the instruction BKPT 0xAB, at which the core halts, with the operation in r0 and its parameters in r1; see
"Semihosting for AArch32 and AArch64" by Arm. The answer goes to r0, and the core runs on behind the instruction.
Counters of the core stand still while it is halted, so that the wait for the host is in no figure.
"""

import time
from collections.abc import Callable, Mapping

from edgetx.device.gdb import GdbClient
from edgetx.errors import DeviceError

BREAKPOINT = b"\xab\xbe"
_OPEN, _CLOSE, _WRITE_CHARACTER, _WRITE_TEXT, _WRITE, _READ, _IS_TTY, _EXIT = 1, 2, 3, 4, 5, 6, 9, 0x18
_HANDLE = 1
_REFUSED = 0xFFFF_FFFF
_LARGEST = 4096
_R0, _R1, _PC = 0, 1, 15


class SemihostStream:
    """Bytes that firmware reads and writes by semihosting.

    The board is reset, since a call that nobody took before has failed for good.

    Args:
        client: The core; the stream closes it.
    """

    def __init__(self, client: GdbClient) -> None:
        self._client = client
        self._input, self._output = bytearray(), bytearray()
        self._asking: tuple[int, int] | None = None
        self._is_running = False
        self._calls: Mapping[int, Callable[[int], int]] = {
            _OPEN: lambda _: _HANDLE,
            _CLOSE: lambda _: 0,
            _IS_TTY: lambda _: 1,
            _EXIT: lambda _: 0,
            _WRITE_CHARACTER: lambda address: self._print(client.read(address, 1)),
            _WRITE_TEXT: lambda address: self._print(self._text(address)),
            _WRITE: self._write,
        }
        try:
            client.reset()
            self._resume()
        except DeviceError:
            client.close()
            raise

    def read(self, seconds: float) -> bytes:
        deadline = time.monotonic() + seconds
        while not self._output and (left := deadline - time.monotonic()) > 0:
            if not self._is_running:  # it waits for input, and so there will be no output
                time.sleep(left)
            elif (packet := self._client.event(left)) is not None:
                self._stopped(packet)
        data = bytes(self._output)
        self._output.clear()
        return data

    def write(self, data: bytes) -> None:
        self._input += data
        self._feed()

    def close(self) -> None:
        self._client.close()

    def _stopped(self, packet: bytes) -> None:
        self._is_running = False
        if packet[:1] in (b"W", b"X"):
            raise DeviceError("the program ended", where=self._client.where)
        place = self._client.read_register(_PC)
        if self._client.read(place, len(BREAKPOINT)) != BREAKPOINT:
            what = f"the core stopped at 0x{place:08x}, which is no semihosting call"
            raise DeviceError(what, where=self._client.where, hint="flash it anew: edgetx flash OUT --target T")
        operation, parameter = (self._client.read_register(number) for number in (_R0, _R1))
        if operation == _READ:
            _, address, size = self._words(parameter)
            self._asking = address, size
            self._feed()
        else:
            call = self._calls.get(operation)
            self._answer(call(parameter) if call else _REFUSED)

    def _feed(self) -> None:
        """Give the core what it waits for, as far as it is there; it takes part of what it asked for."""
        if self._asking is None or not self._input:
            return
        address, size = self._asking
        data = bytes(self._input[:size])
        del self._input[:size]
        self._asking = None
        self._client.write(address, data)
        self._answer(size - len(data))

    def _answer(self, value: int) -> None:
        self._client.write_register(_R0, value)
        self._client.write_register(_PC, self._client.read_register(_PC) + len(BREAKPOINT))
        self._resume()

    def _resume(self) -> None:
        self._client.resume()
        self._is_running = True

    def _print(self, data: bytes) -> int:
        self._output += data
        return 0

    def _write(self, parameter: int) -> int:
        _, address, size = self._words(parameter)
        return self._print(self._client.read(address, min(size, _LARGEST))) + max(0, size - _LARGEST)

    def _words(self, address: int) -> list[int]:
        data = self._client.read(address, 12)
        return [int.from_bytes(data[i : i + 4], "little") for i in (0, 4, 8)]

    def _text(self, address: int) -> bytes:
        text = b""
        while b"\0" not in text and len(text) < _LARGEST:
            text += self._client.read(address + len(text), 32)
        return text.partition(b"\0")[0]
