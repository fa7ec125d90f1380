"""The C of a chip whose firmware a framework builds, as a program for 32-bit RISC-V Linux, bit for bit."""

import importlib.util
import shutil
import sys

import pytest

from edgetx.compiler import CompileOptions, compile_model, load_artifact
from edgetx.compiler.device import profile_on_device
from edgetx.device import DeviceClient
from edgetx.device.streams import ProcessStream
from edgetx.firmware.phone import build_phone_program
from edgetx.targets import load_target


@pytest.mark.slow
@pytest.mark.skipif(
    not (shutil.which("qemu-riscv32-static") and importlib.util.find_spec("ziglang")),
    reason="needs qemu-riscv32-static and ziglang",
)
def test_equal_to_the_host(compiled, tmp_path):
    target = load_target("esp32-c3")
    compile_model(CompileOptions(str(compiled.model), target, tmp_path / "out", ("c",), compiled.data, cases=2))
    artifact = load_artifact(tmp_path / "out")
    # Atomic instructions are for the C library alone: the chip has none.
    compiler = [sys.executable, "-m", "ziglang", "cc", "-target", "riscv32-linux-musl", "-mcpu=generic_rv32+m+a+c"]
    linux = load_target("phone-cortex-a53")
    program = build_phone_program(artifact.file("c"), linux, tmp_path / "program", compiler=compiler)
    stream = ProcessStream(["qemu-riscv32-static", str(program), "--serve"], "qemu")
    try:
        report = profile_on_device(artifact, target, DeviceClient(stream, "qemu"))
    finally:
        stream.close()
    assert report["comparison"]["mismatches"] == 0
