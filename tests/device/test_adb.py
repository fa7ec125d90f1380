"""Phones through adb. The program `adb` is a stand-in here, which runs what it is sent under qemu-aarch64."""

import json
import os
import shutil

import pytest
from click.testing import CliRunner

from edgetx.cli import main
from edgetx.compiler import CompileOptions, compile_model
from edgetx.targets import load_target

pytestmark = [
    pytest.mark.toolchain,
    pytest.mark.skipif(not shutil.which("qemu-aarch64-static"), reason="needs qemu-aarch64-static"),
]

ADB = """#!/bin/sh
[ "$1" = -s ] && {{ [ "$2" = phone ] || {{ echo "adb: device '$2' not found" >&2; exit 1; }}; shift 2; }}
place() {{ echo "$1" | sed 's|/data/local/tmp|{tmp}|g'; }}
case "$1" in
push) [ -f {tmp}/damage ] && head -c 1000 "$2" > "$(place "$3")" || cp "$2" "$(place "$3")" ;;
shell)
  shift; [ "$1" = -T ] && shift
  case "$1" in
  "uname -m") cat {tmp}/machine ;;
  *--serve) exec qemu-aarch64-static $(place "$1") ;;
  *) sh -c "$(place "$1")" | sed 's|{tmp}|/data/local/tmp|' ;;
  esac ;;
esac
"""


@pytest.fixture
def phone(tmp_path, monkeypatch):
    (tmp_path / "adb").write_text(ADB.format(tmp=tmp_path))
    (tmp_path / "adb").chmod(0o755)
    (tmp_path / "machine").write_text("aarch64\n")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


@pytest.fixture(scope="module", params=["phone-cortex-a53", "phone-cortex-a55"])
def out(request, compiled, tmp_path_factory):
    folder = tmp_path_factory.mktemp("phone") / "out"
    target = load_target(request.param)
    compile_model(CompileOptions(str(compiled.model), target, folder, ("c",), compiled.data, cases=2))
    return folder


def edgetx(verb, out, *arguments):
    target = json.loads((out / "target.json").read_text())["name"]
    return CliRunner().invoke(main, [verb, str(out), "--target", target, *arguments])


def test_installed_and_profiled(out, phone):
    flashed = edgetx("flash", out, "--probe", "adb:phone")
    assert flashed.exit_code == 0, flashed.output
    assert "compared by SHA-256" in flashed.output
    result = edgetx("profile", out, "--engine", "device", "--device", "adb:phone", "--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["comparison"]["mismatches"] == 0
    assert report["counter"] in ("clock", "perf events")
    assert all(layer["cycles"] > 0 for layer in report["layers"])


def test_the_program_checks_itself(out):
    import subprocess

    done = subprocess.run(["qemu-aarch64-static", out / "program"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "PASS"


def test_faults(out, phone):
    assert "not found" in edgetx("flash", out, "--probe", "adb:other").output
    (phone / "damage").touch()
    damaged = edgetx("flash", out, "--probe", "adb:phone")
    assert damaged.exit_code == 5
    assert "does not hold what was sent" in damaged.output
    (phone / "machine").write_text("armv7l\n")
    assert "another chip" in edgetx("flash", out, "--probe", "adb:phone").output
    missing = edgetx("profile", out, "--engine", "device", "--device", "adb:phone")
    assert missing.exit_code == 5
