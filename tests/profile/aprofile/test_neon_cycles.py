"""Products of int8 matrices take few cycles per multiply-accumulate on simulated phones."""

import numpy as np
import pytest

from edgetx import ops
from edgetx.backends.c import emit_c, write_c
from edgetx.firmware.phone import build_phone_program
from edgetx.ir import GraphBuilder
from edgetx.profile.aprofile.profiling import profile_phone
from edgetx.quant import apply_plan, calibrate, make_plan, parse_recipe
from edgetx.targets import load_target

pytestmark = pytest.mark.toolchain


@pytest.mark.parametrize(
    ("core", "shape", "most"), [("cortex-a53", (32, 256, 32), 0.6), ("cortex-a55", (64, 1024, 32), 0.15)]
)
def test_cycles_per_mac(core, shape, most, tmp_path) -> None:
    rows, inputs, outputs = shape
    rng, b = np.random.default_rng(0), GraphBuilder("matmul")
    x = b.input("x", (1, rows, inputs))
    weights = b.const(rng.standard_normal((outputs, inputs)).astype(np.float32) / 16)
    graph = b.graph(b.op(ops.FullyConnected(), x, weights, b.const(rng.standard_normal(outputs).astype(np.float32))))
    ranges = calibrate(graph, [(rng.standard_normal((1, rows, inputs)).astype(np.float32),)])
    quantized = apply_plan(graph, make_plan(graph, ranges, parse_recipe("static_wi8_ai8")))
    target = load_target(f"phone-{core}")
    write_c(emit_c(quantized, target.kernels), tmp_path / "c")
    report = profile_phone(build_phone_program(tmp_path / "c", target, tmp_path / "program"), target)
    assert isinstance(report["cycles"], int)
    per_mac = report["cycles"] / (rows * inputs * outputs)
    assert most / 4 < per_mac <= most
