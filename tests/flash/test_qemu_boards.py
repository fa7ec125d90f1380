"""Boards as QEMU has them: flashed through its debug server, profiled over their serial port, as a user would."""

import json
import random
import shutil
import socket
import threading
from contextlib import contextmanager, suppress
from functools import cache

import pytest
from boards import NANOSECONDS, edgetx, flash, powered, profile
from compiled import write_model

from edgetx.compiler import CompileOptions, compile_model
from edgetx.targets import load_target

pytestmark = [
    pytest.mark.toolchain,
    pytest.mark.skipif(not shutil.which("qemu-system-arm"), reason="needs qemu-system-arm"),
]

BOARDS = ["mps2-an385", "mps2-an386", "mps2-an500", "mps2-an505", "microbit"]


@pytest.fixture(scope="module")
def firmware(tmp_path_factory):
    """A small encoder compiled for a board, once."""
    folder = tmp_path_factory.mktemp("boards")
    model, data = write_model(folder, "pre-norm class token")

    @cache
    def compiled_for(name):
        options = CompileOptions(str(model), load_target(name), folder / name, ("c",), data, cases=2, simulated_cases=1)
        compile_model(options)
        return folder / name

    return compiled_for


@pytest.mark.parametrize("name", BOARDS)
def test_flashed_and_profiled(firmware, name, tmp_path):
    out = firmware(name)
    with powered(name) as (debug, serial):
        flashed = flash(name, out, debug)
        assert flashed.exit_code == 0, flashed.output
        assert "read back and equal" in flashed.output
        profiled = profile(name, out, f"tcp:127.0.0.1:{serial}", "--record-to", tmp_path)
        assert profiled.exit_code == 0, profiled.output
        again = flash(name, out, debug)
        assert again.exit_code == 0, again.output
    report = json.loads(profiled.stdout)
    assert report["engine"] == "device"
    assert report["counter"] == "SysTick"
    assert report["comparison"]["mismatches"] == 0
    assert report["cycles"] == sum(layer["cycles"] for layer in report["layers"])
    assert "measured_cycles" in (tmp_path / f"{report['core']}.toml").read_text()
    per_instruction = NANOSECONDS * 1e-9 * report["clock_hz"]
    for layer in report["layers"]:
        counted = layer["instructions"] * per_instruction
        assert layer["cycles"] == pytest.approx(counted, abs=6 + 0.02 * counted), layer["name"]


def test_another_board_keeps_its_firmware(firmware):
    name, out = "mps2-an386", firmware("mps2-an386")
    with powered("mps2-an385") as (debug, _):
        result = flash(name, out, debug)
    assert result.exit_code == 5
    assert "another chip: its core is cortex-m3" in result.output


def test_other_firmware_is_noticed(firmware, tmp_path):
    name, out = "mps2-an386", firmware("mps2-an386")
    other = shutil.copytree(out, tmp_path / "other")
    (other / "c" / "model.h").write_text((other / "c" / "model.h").read_text() + "\n")
    with powered(name) as (debug, serial):
        assert flash(name, out, debug).exit_code == 0
        result = profile(name, other, f"tcp:127.0.0.1:{serial}")
    assert result.exit_code == 5
    assert "another model or another build" in result.output


@contextmanager
def proxy(port, limit=None, rate=0.0, seed=0):
    """A wire to `port` that breaks after `limit` bytes, or damages chunks at a rate."""
    listener = socket.create_server(("127.0.0.1", 0))
    rng, left = random.Random(seed), [limit]

    def pump(source, sink):
        try:
            while data := source.recv(1024):
                if left[0] is not None:
                    data = data[: left[0]]
                    left[0] -= len(data)
                if data and rng.random() < rate:
                    place = rng.randrange(len(data))
                    data = rng.choice([b"", data[:place], data + data, data[:place] + b"\x55" + data[place + 1 :]])
                sink.sendall(data)
                if left[0] == 0:
                    break
        except OSError:
            pass
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def serve():
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            device = socket.create_connection(("127.0.0.1", port))
            for ends in ((client, device), (device, client)):
                threading.Thread(target=pump, args=ends, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1]
    listener.close()


@pytest.mark.parametrize("limit", [50, 700, 20_000])
def test_cable_pulled_while_flashing(firmware, limit):
    name, out = "mps2-an385", firmware("mps2-an385")
    with powered(name) as (debug, serial):
        with proxy(debug, limit) as port:
            result = flash(name, out, port)
        assert result.exit_code == 5, result.output
        assert "hint" in result.output
        assert flash(name, out, debug).exit_code == 0
        assert profile(name, out, f"tcp:127.0.0.1:{serial}").exit_code == 0


def test_profile_over_a_bad_wire(firmware):
    name, out = "mps2-an385", firmware("mps2-an385")
    with powered(name) as (debug, serial):
        assert flash(name, out, debug).exit_code == 0
        with proxy(serial, rate=0.02, seed=3) as port:
            damaged = profile(name, out, f"tcp:127.0.0.1:{port}")
        clean = profile(name, out, f"tcp:127.0.0.1:{serial}")
    assert damaged.exit_code == clean.exit_code == 0, damaged.output
    cycles = [[layer["cycles"] for layer in json.loads(r.stdout)["layers"]] for r in (damaged, clean)]
    assert cycles[0] == pytest.approx(cycles[1], abs=6)


@pytest.mark.parametrize("target", ["nucleo-l4r5zi", "rpi-pico"])
def test_dry_run(compiled, target):
    result = edgetx("flash", compiled.folder, "--target", target, "--dry-run")
    if target == "rpi-pico":
        assert result.exit_code == 5
        assert "was compiled for nucleo-l4r5zi, not for rpi-pico" in result.output
    else:
        assert result.exit_code == 0
        assert "identify nucleo-l4r5zi through pyocd:" in result.output
        assert "at 0x08000000 (flash)" in result.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--target", "nucleo-f446re"], "hint: --target nucleo-l4r5zi"),
        (["--target", "nucleo-l4r5zi", "--probe", "bogus:1"], "bogus:1: no such probe"),
        (["--target", "nucleo-l4r5zi", "--probe", "gdb:localhost"], "such as gdb:localhost:5555"),
    ],
    ids=["board of equal memory", "probe", "port"],
)
def test_dry_run_refuses_what_flashing_would(compiled, arguments, said):
    result = edgetx("flash", compiled.folder, *arguments, "--dry-run")
    assert result.exit_code == 5
    assert said in result.output
