"""`edgetx doctor`."""

import json

import pytest
from click.testing import CliRunner

from edgetx.cli.doctor import command, package_checks
from edgetx.errors import ExitCode, ToolchainError


@pytest.fixture
def no_compilers(monkeypatch):
    def refuse(*_: object) -> None:
        raise ToolchainError("none")

    monkeypatch.setattr("edgetx.firmware.find_toolchain", refuse)
    monkeypatch.setattr("edgetx.firmware.host.host_compiler", refuse)


def test_packages_of_every_extra():
    names = {check.name for check in package_checks()}
    assert {"torch", "tflite-micro", "ai-edge-litert", "onnxruntime", "unicorn", "ziglang"} <= names
    assert "ruff" not in names


def test_json():
    result = CliRunner().invoke(command, ["--json"])
    checks = json.loads(result.stdout)
    assert {"name", "purpose", "found", "fix", "is_essential"} == set(checks[0])
    missing = any(c["is_essential"] and c["found"] is None for c in checks)
    assert result.exit_code == (ExitCode.TOOLCHAIN if missing else 0)


def test_missing_compilers_are_essential(no_compilers):
    result = CliRunner().invoke(command)
    assert result.exit_code == ExitCode.TOOLCHAIN
    line = next(line for line in result.stdout.splitlines() if "cross compiler" in line)
    assert line.startswith("MISSING")
    assert "apt install gcc-arm-none-eabi" in line


def test_missing_qemu_is_not(monkeypatch):
    monkeypatch.setattr("edgetx.cli.doctor.shutil.which", lambda name, **_: None)
    monkeypatch.setattr("edgetx.cli.doctor._host_compiler", lambda: "cc")
    monkeypatch.setattr("edgetx.cli.doctor._cross_compiler", lambda: "gcc")
    result = CliRunner().invoke(command)
    assert result.exit_code == 0
    assert "absent  qemu" in result.stdout
