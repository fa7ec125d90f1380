"""Phones through adb: the real client and server, and a real adbd whose programs run under qemu-aarch64."""

import json
import subprocess

import adbd
import pytest
from click.testing import CliRunner

from edgetx.cli import main
from edgetx.compiler import CompileOptions, compile_model
from edgetx.targets import load_target

pytestmark = pytest.mark.toolchain


@pytest.fixture(scope="module", autouse=True)
def server(tmp_path_factory):
    """An adb server of our own, apart from the user's."""
    adbd.needs_adbd()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANDROID_ADB_SERVER_PORT", str(adbd.free_port()))
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        yield
        subprocess.run(["adb", "kill-server"], check=True)


@pytest.fixture(scope="module")
def phone(tmp_path_factory, server):
    started = adbd.LoopbackPhone(tmp_path_factory.mktemp("phone") / "storage").start()
    yield started
    started.stop()


@pytest.fixture(scope="module", params=["phone-cortex-a53", "phone-cortex-a55"])
def out(request, compiled, tmp_path_factory):
    folder = tmp_path_factory.mktemp("phone") / "out"
    target = load_target(request.param)
    compile_model(CompileOptions(str(compiled.model), target, folder, ("c",), compiled.data, cases=2))
    return folder


def edgetx(verb, out, *arguments):
    target = json.loads((out / "target.json").read_text())["name"]
    return CliRunner().invoke(main, [verb, str(out), "--target", target, *arguments])


def flash(out, serial, *arguments):
    return edgetx("flash", out, "--probe", f"adb:{serial}", *arguments)


def test_installed_and_profiled(out, phone):
    flashed = flash(out, phone.serial)
    assert flashed.exit_code == 0, flashed.output
    assert "compared by SHA-256, passes its own test" in flashed.output
    assert (phone.folder / "edgetx-model").read_bytes() == (out / "program").read_bytes()
    result = edgetx("profile", out, "--engine", "device", "--device", f"adb:{phone.serial}", "--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["comparison"]["mismatches"] == 0
    assert report["counter"] in ("clock", "perf events")
    simulated = json.loads((out / "report.json").read_text())["profile"]
    assert [row["name"] for row in report["layers"]] == [row["name"] for row in simulated["layers"]]
    assert all(layer["cycles"] > 0 for layer in report["layers"])


def test_dry_run(out, phone):
    steps = json.loads(flash(out, phone.serial, "--dry-run", "--json").stdout)
    assert steps["dry_run"]
    assert "push" in steps["steps"][1]


@pytest.mark.parametrize("out", ["phone-cortex-a55"], indirect=True)
class TestFaults:
    @pytest.mark.parametrize("length", [1_000, 30_000, 200_000])
    def test_cable_pulled(self, out, phone, length):
        """Whatever was there is still there, and trying again works."""
        (phone.folder / "edgetx-model").write_bytes(b"the last one")
        cable = adbd.Cable(phone, length)
        failed = flash(out, cable.serial)
        cable.cut()
        assert failed.exit_code == 5, failed.output
        assert (phone.folder / "edgetx-model").read_bytes() == b"the last one"
        again = flash(out, phone.serial)
        assert again.exit_code == 0, again.output

    def test_cable_pulled_while_measuring(self, out, phone):
        assert flash(out, phone.serial).exit_code == 0
        cable = adbd.Cable(phone, 1_500)
        failed = edgetx("profile", out, "--engine", "device", "--device", f"adb:{cable.serial}")
        cable.cut()
        assert failed.exit_code == 5, failed.output

    def test_storage(self, out, tmp_path):
        """Storage that is full, and storage that does not keep what it was given."""
        (tmp_path / "programs").mkdir()
        decaying = tmp_path / "programs" / "sha256sum"
        decaying.write_text(
            '#!/bin/sh\nprintf x | dd of="$1" bs=1 seek=5000 conv=notrunc\nexec /usr/bin/sha256sum "$1"\n'
        )
        decaying.chmod(0o755)
        faults = {
            "does not hold what was sent": {"programs": str(decaying.parent)},
            "too large": {"largest_file": 100_000},
        }
        for said, settings in faults.items():
            other = adbd.LoopbackPhone(tmp_path / "storage", **settings).start()
            failed = flash(out, other.serial)
            other.stop()
            assert failed.exit_code == 5
            assert said in failed.output.lower()
            assert "still there" in failed.output

    def test_nobody_there(self, out):
        failed = flash(out, f"127.0.0.1:{adbd.free_port()}")
        assert failed.exit_code == 5
        assert "adb tcpip" in failed.output
        assert flash(out, "no-such-phone").exit_code == 5

    def test_other_machines(self, out, phone, tmp_path):
        """A 32-bit phone, and one whose core lacks instructions of the program."""
        for settings, said in ({"machine": "armv7l"}, "another chip"), ({"core": "cortex-a53"}, "dot-product"):
            other = adbd.LoopbackPhone(tmp_path / "storage", **settings).start()
            failed = flash(out, other.serial)
            other.stop()
            assert failed.exit_code == 5
            assert said in failed.output
            assert not (other.folder / "edgetx-model").exists()

    def test_nothing_installed(self, out, phone):
        (phone.folder / "edgetx-model").unlink(missing_ok=True)
        failed = edgetx("profile", out, "--engine", "device", "--device", f"adb:{phone.serial}")
        assert failed.exit_code == 5
        assert "edgetx flash" in failed.output
