"""Frames, and the client against the firmware's own service, over wires that are clean and wires that are not."""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgetx.device.client import DeviceClient
from edgetx.device.frame import LARGEST, FrameReader, decode_frame, encode_frame
from edgetx.device.protocol import Kind, Message
from edgetx.errors import DeviceError

SIZE = 16


@given(st.binary(max_size=400))
def test_frames_come_back(contents):
    framed = encode_frame(contents)
    assert framed[0] == framed[-1] == 0
    assert 0 not in framed[1:-1]
    assert decode_frame(framed[1:-1]) == contents


@given(st.binary(max_size=300), st.lists(st.binary(max_size=40), max_size=4), st.integers(1, 50))
def test_frames_are_found_in_garbage(contents, garbage, piece):
    reader = FrameReader()
    wire = b"".join(part.replace(b"\0", b"x") + encode_frame(contents) for part in garbage)
    found = [frame for i in range(0, len(wire), piece) for frame in reader.feed(wire[i : i + piece])]
    assert found == [contents] * len(garbage)


@given(st.binary(min_size=1, max_size=120), st.data())
def test_no_single_damage_passes(contents, data):
    framed = bytearray(encode_frame(contents))
    place = data.draw(st.integers(0, len(framed) - 1))
    framed[place] ^= data.draw(st.integers(1, 255))
    assert all(frame == contents for frame in FrameReader().feed(bytes(framed)))


@given(st.binary(max_size=2000))
def test_any_bytes_are_read(data):
    reader = FrameReader()
    reader.feed(data)
    assert reader.feed(b"\0" + encode_frame(b"after")) == [b"after"]


def test_a_wire_without_end_takes_no_memory():
    reader = FrameReader()
    for _ in range(100):
        reader.feed(b"x" * 10_000)
    assert len(reader.text) + len(reader._partial) <= 8192 + LARGEST


def inputs(count=4):
    return [bytes((i * 37 + case * 11) % 256 for i in range(SIZE)) for case in range(count)]


def run(client, x):
    client.write(0, x)
    client.run()
    return client.read(0, SIZE)


def test_outputs_and_state_are_those_of_the_host(stream, host_model):
    client = DeviceClient(stream)
    hello = client.hello()
    assert (hello.layers, hello.inputs, hello.outputs, hello.clock_hz) == (1, 1, 1, 1_800_000_000)
    client.reset()
    for x in inputs():
        assert run(client, x) == host_model(x)
        assert len(client.cycles(1)) == 1


@pytest.mark.parametrize(
    ("kind", "data", "reason"),
    [
        (Kind.WRITE, bytes([1, 0, 0, 0, 0]), "outside"),
        (Kind.WRITE, bytes([0, 16, 0, 0, 0, 1]), "outside"),
        (Kind.WRITE, bytes([0, 255, 255, 255, 255, 1]), "outside"),
        (Kind.WRITE, b"", "outside"),
        (Kind.READ, bytes([0, 8, 0, 0, 0, 9]), "outside"),
        (Kind.READ, bytes([9, 0, 0, 0, 0, 1]), "outside"),
        (Kind.CYCLES, bytes([1, 0]), "outside"),
        (Kind.CYCLES, b"", "outside"),
        (77, b"", "does not know"),
    ],
)
def test_the_device_refuses_what_is_not_there(stream, kind, data, reason):
    client = DeviceClient(stream)
    if isinstance(kind, int) and not isinstance(kind, Kind):
        kind = type("Odd", (int,), {"name": "ODD"})(kind)
    with pytest.raises(DeviceError, match=reason):
        client._ask(kind, data)


def test_another_version_is_named(stream):
    stream.write(encode_frame(Message(Kind.HELLO, 5, version=9).pack()))
    reader, frames = FrameReader(), []
    while not frames:
        frames = reader.feed(stream.read(2.0))
    assert Message.unpack(frames[0]) == Message(Kind.REFUSED, 5, b"\1")


def test_the_service_survives_garbage(stream, host_model):
    rng = random.Random(1)
    for _ in range(300):
        part = rng.randbytes(rng.randrange(600))
        stream.write(encode_frame(part) if rng.random() < 0.5 else part)
    client = DeviceClient(stream, reply_seconds=2.0)
    client.reset()
    assert run(client, inputs()[0]) == host_model(inputs()[0])


class FaultyStream:
    """Loses, damages, repeats, cuts, delays and invents bytes in both directions."""

    def __init__(self, stream, seed, rate):
        self._stream, self._rng, self._rate = stream, random.Random(seed), rate
        self._late = []

    def read(self, seconds):
        late, self._late = self._late, []
        data = b"".join(late) or self._stream.read(seconds)
        if data and self._rng.random() < self._rate / 2:
            self._late.append(self._damaged(data))
            return b""
        return self._damaged(data)

    def write(self, data):
        self._stream.write(self._damaged(data))

    def _damaged(self, data):
        if not data or self._rng.random() > self._rate:
            return data
        place = self._rng.randrange(len(data))
        return {
            "lose": lambda: b"",
            "flip": lambda: data[:place] + bytes([data[place] ^ 1 << self._rng.randrange(8)]) + data[place + 1 :],
            "repeat": lambda: data + data,
            "cut": lambda: data[:place],
            "invent": lambda: data[:place] + self._rng.randbytes(9) + data[place:],
            "drop": lambda: data[:place] + data[place + 1 :],
        }[self._rng.choice(["lose", "flip", "repeat", "cut", "invent", "drop"])]()


@pytest.mark.parametrize("seed", range(8))
def test_a_faulty_wire_gives_the_right_figures_or_an_error(stream, host_model, seed):
    client = DeviceClient(FaultyStream(stream, seed, 0.25), reply_seconds=0.05, boot_seconds=2.0, run_seconds=2.0)
    expected = [host_model(x) for x in inputs(12)]
    start, found, problem = time.monotonic(), [], None
    try:
        client.reset()
        found = [run(client, x) for x in inputs(12)]
    except DeviceError as error:
        problem = error
    assert problem is None or "does not answer" in problem.what
    assert found == expected[: len(found)]
    assert time.monotonic() - start < 30


@pytest.mark.parametrize("seed", range(4))
def test_a_wire_of_nothing_but_garbage_ends_in_an_error(seed):
    rng = random.Random(seed)

    class Garbage:
        def read(self, seconds):
            time.sleep(min(seconds, 0.001))
            return rng.randbytes(rng.randrange(200))

        def write(self, data):
            pass

    with pytest.raises(DeviceError, match="does not answer"):
        DeviceClient(Garbage(), reply_seconds=0.02, boot_seconds=0.1).hello()


def test_a_program_that_ends_is_noticed(program):
    from edgetx.device.streams import ProcessStream

    stream = ProcessStream(["sh", "-c", "echo no such device >&2"], "sh")
    with pytest.raises(DeviceError, match="no such device"):
        DeviceClient(stream).hello()
    stream.close()
