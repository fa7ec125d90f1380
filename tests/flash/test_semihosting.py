"""Boards whose console is the debug probe: QEMU, stopped at every semihosting call as a core under a probe stops."""

import json
import re
import shutil

import pytest
from boards import flash, powered, profile
from compiled import write_model

from edgetx.compiler import CompileOptions, compile_model
from edgetx.device import DeviceClient, open_stream
from edgetx.device.gdb import GdbClient
from edgetx.device.semihost import BREAKPOINT, SemihostStream
from edgetx.errors import DeviceError
from edgetx.profile.image import load_image
from edgetx.resources import data_dir
from edgetx.targets import load_target

pytestmark = [
    pytest.mark.toolchain,
    pytest.mark.skipif(not shutil.which("qemu-system-arm"), reason="needs qemu-system-arm"),
]


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    """A board without serial port, and a folder compiled for it."""
    folder = tmp_path_factory.mktemp("semihosting")
    text = (data_dir("targets") / "mps2-an386.toml").read_text()
    text = re.sub(r"console = .*\n", "", text).replace(', "console.*"', "").replace('"mps2-an386"', '"probe-only"')
    (folder / "probe-only.toml").write_text(text)
    model, data = write_model(folder, "pre-norm class token")
    target = load_target(str(folder / "probe-only.toml"))
    compile_model(CompileOptions(str(model), target, folder / "out", ("c",), data, cases=2, simulated_cases=1))
    return folder / "probe-only.toml", folder / "out"


@pytest.fixture
def debug(board, monkeypatch):
    """The debug server of a board that is flashed; whoever connects has the core stop at every semihosting call."""
    target, out = board
    image = load_image(out / "firmware.elf")

    class Probe(GdbClient):
        def __init__(self, host, port):
            super().__init__(host, port)
            for segment in image.segments:
                for place in range(0, len(segment.data) - 1, 2):
                    if segment.data[place : place + 2] == BREAKPOINT:
                        self.expect_ok(b"Z1,%x,2" % (segment.address + place), "set a breakpoint")

    with powered("mps2-an386") as (port, _):
        assert flash(target, out, port).exit_code == 0
        monkeypatch.setattr("edgetx.device.open.GdbClient", Probe)
        yield f"semihost:127.0.0.1:{port}"


def test_profiled_through_the_probe(board, debug):
    target, out = board
    result = profile(target, out, debug)
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["comparison"] == {**report["comparison"], "cases": 4, "mismatches": 0}
    assert all(layer["cycles"] > 0 for layer in report["layers"])


def test_what_firmware_prints_is_kept(debug):
    with open_stream(debug) as stream:
        client = DeviceClient(stream)
        assert client.hello().layers > 0
        assert client.text.splitlines()[-1] == "PASS"
        assert stream.read(0.05) == b""


def test_another_stop_is_an_error(debug, board):
    entry = load_image(board[1] / "firmware.elf").segments[0].data[4:8]
    probe = GdbClient("127.0.0.1", int(debug.rpartition(":")[2]))
    probe.expect_ok(b"Z1,%x,2" % (int.from_bytes(entry, "little") & ~1), "set a breakpoint")
    stream = SemihostStream(probe)
    with pytest.raises(DeviceError, match="no semihosting call"):
        stream.read(5.0)
    stream.close()
