"""From a device's URL to its stream."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from edgetx.config import did_you_mean
from edgetx.device.adb import Phone
from edgetx.device.gdb import GdbClient
from edgetx.device.semihost import SemihostStream
from edgetx.device.streams import ProcessStream, SerialStream, Stream, TcpStream, host_and_port
from edgetx.errors import DeviceError


def _tcp(place: str, url: str) -> Stream:
    return TcpStream(*host_and_port(place, url))


def _serial(place: str, url: str) -> Stream:
    if not place:
        raise DeviceError("names no port", where=url, hint="serial:/dev/ttyACM0")
    return SerialStream(place)


def _adb(place: str, url: str) -> Stream:
    return ProcessStream(Phone(place).serve_command(), url, hint="edgetx flash OUT --target T --probe adb:")


def _semihost(place: str, url: str) -> Stream:
    return SemihostStream(GdbClient(*host_and_port(place, url)))


SCHEMES: Mapping[str, Callable[[str, str], Stream]] = {
    "adb": _adb,
    "semihost": _semihost,
    "serial": _serial,
    "tcp": _tcp,
}


def may_be_emulated(url: str) -> bool:
    """Whether an emulator may be behind a URL: they serve TCP ports and pseudoterminals."""
    return url.startswith(("tcp:", "serial:/dev/pts/"))


@contextmanager
def open_stream(url: str) -> Iterator[Stream]:
    """The way to a device; closed at the end of the block.

    Raises:
        DeviceError: If the URL is of no known kind, or the device cannot be reached.
    """
    scheme, colon, place = url.partition(":")
    if not colon or scheme not in SCHEMES:
        forms = "serial:/dev/ttyACM0, tcp:host:port, semihost:host:port or adb:SERIAL"
        raise DeviceError(f"no such way to a device; {forms}", where=url, hint=did_you_mean(scheme, SCHEMES))
    stream = SCHEMES[scheme](place, url)
    try:
        yield stream
    finally:
        stream.close()
