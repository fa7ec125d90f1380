"""Firmware of a generated model: on every board and with every compiler the bits of the integer reference."""

import shutil
import subprocess
import zlib

import numpy as np
import pytest

from edgetx.backends.c import emit_c, write_c
from edgetx.firmware import GoldenCase, build_firmware, elf_symbols, has_float_symbols
from edgetx.passes.pipeline import canonicalize
from edgetx.quant import apply_plan, calibrate, make_plan, parse_recipe
from edgetx.reference import execute
from edgetx.resources import data_dir
from edgetx.targets import list_targets

pytest.importorskip("torch")
from encoders import HandEncoder, build

from edgetx.frontends.torch import export_module

BOARDS = [t for t in list_targets() if t.kind == "mcu"]
ONE_BOARD_PER_CORE = tuple({t.core: t for t in BOARDS}.values())
TIMED_CORES = {path.stem for path in (data_dir("targets") / "cores").glob("*.toml")}


@pytest.fixture(scope="module")
def graph():
    graph = canonicalize(export_module(*build(HandEncoder), "encoder"))
    noise = np.random.default_rng(0).standard_normal((8, *graph.inputs[0].shape)).astype(np.float32)
    ranges = calibrate(graph, [(x,) for x in noise])
    return apply_plan(graph, make_plan(graph, ranges, parse_recipe("static_wi8_ai8")))


@pytest.fixture(scope="module")
def sources(graph, tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoder")
    write_c(emit_c(graph), folder)
    return folder


@pytest.fixture(scope="module")
def golden(graph):
    x = np.random.default_rng(1).integers(-128, 128, (4, *graph.inputs[0].shape)).astype(np.int8)
    return [GoldenCase(case.tobytes(), zlib.crc32(execute(graph, (case,))[0].tobytes())) for case in x]


@pytest.mark.toolchain
@pytest.mark.parametrize("target", [t for t in BOARDS if t.name.startswith("mps2")], ids=lambda t: t.name)
def test_in_qemu(toolchain, target, sources, golden, tmp_path):
    if not shutil.which("qemu-system-arm"):
        pytest.skip("qemu-system-arm is not installed")
    firmware = build_firmware(sources, target, tmp_path / "firmware.elf", golden, toolchain=toolchain)
    command = ["qemu-system-arm", "-M", target.name, "-semihosting", "-nographic", "-kernel", str(firmware.elf)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=False)
    assert done.stdout.splitlines()[-1] == "PASS", done.stdout
    assert done.stdout.count(" ok\n") == len(golden)


@pytest.mark.toolchain
@pytest.mark.simulator
@pytest.mark.parametrize("target", ONE_BOARD_PER_CORE, ids=lambda t: t.name)
def test_in_the_simulator(toolchain, target, graph, golden, tmp_path):
    pytest.importorskip("unicorn")
    from edgetx.profile import Simulator

    if target.core not in TIMED_CORES:
        pytest.skip(f"there is no timing model of the {target.core} yet")
    write_c(emit_c(graph, target.kernels), tmp_path / "c")
    firmware = build_firmware(tmp_path / "c", target, tmp_path / "firmware.elf", golden, toolchain=toolchain)
    simulator = Simulator(target, firmware.elf)
    simulator.run()
    assert simulator.exit_status == 0
    (vectors,) = (s.address for s in elf_symbols(firmware.elf) if s.name == "vectors")
    top = int.from_bytes(simulator.read(vectors, 4), "little")
    stack = simulator.read(top - firmware.stack_bytes, firmware.stack_bytes)
    assert 0 < len(stack.lstrip(b"\0")) <= firmware.worst_case_stack_bytes
    assert simulator.cycles >= simulator.instructions / 2 > 0  # no core issues more than two at a time


@pytest.mark.toolchain
def test_no_heap_no_float_no_library(toolchain, sources, golden, tmp_path):
    (target,) = (t for t in BOARDS if t.name == "nucleo-g0b1re")
    firmware = build_firmware(sources, target, tmp_path / "firmware.elf", golden, toolchain=toolchain)
    names = {s.name for s in elf_symbols(firmware.elf)}
    assert not has_float_symbols(firmware.elf)
    assert not names & {"malloc", "calloc", "realloc", "free", "_sbrk", "printf", "exp", "expf", "sqrtf"}
    assert 0 < firmware.worst_case_stack_bytes < 1024
    assert firmware.arena_bytes > 0
