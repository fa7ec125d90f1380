"""Activations of two widths: which are raised, what that is said to cost, and that every runtime computes the same."""

import json
from dataclasses import replace

import numpy as np
import pytest
from compiled import write_model

from edgetx.compiler import CompileOptions, compile_model
from edgetx.compiler.mixed import with_raised
from edgetx.compiler.on_target import built_and_simulated
from edgetx.compiler.quantized import as_inputs, quantize_model
from edgetx.errors import ConfigError
from edgetx.ir import Graph, GraphBuilder
from edgetx.ops import FullyConnected
from edgetx.quant import QuantRecipe
from edgetx.targets import load_target

BOARD = load_target("nucleo-l4r5zi")
MIXED = QuantRecipe(mixed=True, extra_cycles=20.0)


def with_an_outlier() -> Graph:
    """Channel 0 of the first layer reaches a hundred times as far as the others, and the second layer ignores it."""
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(8, 16)).astype(np.float32), rng.normal(size=(4, 8)).astype(np.float32)
    first[0] *= 100
    second[:, 0] = 0
    b = GraphBuilder("outlier")
    x = b.input("x", (1, 6, 16))
    hidden = b.op(FullyConnected(), x, b.const(first, "first"), name="hidden")
    return b.graph(b.op(FullyConnected(), hidden, b.const(second, "second"), name="y"))


def samples() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(16, 6, 16)).astype(np.float32)


def test_raises_what_loses_most_and_says_what_it_costs() -> None:
    recipe, mixed = with_raised(with_an_outlier(), samples(), MIXED, BOARD)
    assert mixed is not None
    assert "hidden" in recipe.raised
    assert "hidden" in mixed.sensitivities[0].tensors
    assert mixed.sensitivities[0].error > 0.5
    assert mixed.snr_db > mixed.narrow_snr_db + 6
    model = quantize_model(with_an_outlier(), samples(), recipe)
    profile, _, _ = built_and_simulated(model.graph, as_inputs(model.graph, samples())[0], BOARD)
    assert profile is not None
    assert mixed.narrow_cycles < mixed.cycles <= 21 * mixed.narrow_cycles
    assert profile["cycles"] == pytest.approx(mixed.cycles, rel=0.1)  # calls of the layers come on top


def test_raises_nothing_that_is_too_dear() -> None:
    recipe, mixed = with_raised(with_an_outlier(), samples(), replace(MIXED, extra_cycles=1e-6), BOARD)
    assert mixed is not None
    assert recipe.raised == frozenset()
    assert mixed.cycles == mixed.narrow_cycles


def test_needs_a_core_whose_cycles_are_known() -> None:
    with pytest.raises(ConfigError, match="not simulated"):
        with_raised(with_an_outlier(), samples(), MIXED, load_target("phone-cortex-a53"))


def test_every_runtime_computes_two_widths_alike_and_an_edited_plan_is_taken(tmp_path) -> None:  # type: ignore[no-untyped-def]
    model, data = write_model(tmp_path, "convolutional stem")
    settings = {"quantization.recipe": "static_wi8_mixed", "quantization.extra_cycles": "3"}
    report = compile_model(CompileOptions(str(model), BOARD, tmp_path / "out", data=data, settings=settings, cases=8))
    plan = json.loads((tmp_path / "out" / "plan.json").read_text())
    assert {tensor["bits"] for tensor in plan["tensors"].values()} == {8, 16}
    assert {name: report["verification"][name]["mismatches"] for name in EXACT} == dict.fromkeys(EXACT, 0)
    assert report["verification"]["onnxruntime"]["max_lsb"] <= 1

    wide = next(name for name, tensor in plan["tensors"].items() if tensor["bits"] == 16 and name in raised(report))
    for name in next(row["tensors"] for row in report["mixed"]["sensitivities"] if wide in row["tensors"]):
        plan["tensors"][name] = {"bits": 8, "scale": plan["tensors"][name]["scale"] * 256, "zero_point": 0}
    (tmp_path / "edited.json").write_text(json.dumps(plan))
    settings = {"quantization.plan": str(tmp_path / "edited.json")}
    options = CompileOptions(str(model), BOARD, tmp_path / "again", ("c", "tflite"), data, settings, cases=8)
    verified = compile_model(options)["verification"]
    assert {name: verified[name]["mismatches"] for name in EXACT} == dict.fromkeys(EXACT, 0)
    assert json.loads((tmp_path / "again" / "plan.json").read_text())["tensors"] == plan["tensors"]


EXACT = ("c_host", "tflm", "litert", "simulator")


def raised(report) -> set[str]:  # type: ignore[no-untyped-def]
    return {name for row in report["mixed"]["sensitivities"] if row["raised"] for name in row["tensors"]}
