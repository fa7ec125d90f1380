import numpy as np
import pytest
from compiled import write_model

from edgetx.compiler import CompileOptions, compile_model, load_artifact
from edgetx.compiler.verification import make_cases, verify_artifact
from edgetx.firmware import elf_symbols, has_float_symbols
from edgetx.targets import load_target

EVERY_RUNTIME = ("c", "simulator", "tflm", "litert", "onnxruntime")


def test_report_follows_its_schema(compiled):
    report = compiled.report
    assert (report["schema"], report["target"]) == (1, "nucleo-l4r5zi")
    assert report["source"]["kind"] == "pt2"
    assert len(report["source"]["sha256"]) == 64
    assert report["artifacts"] == {
        "tflite": "model.tflite", "onnx": "model.onnx", "c": "c", "firmware": "firmware.elf",
    }  # fmt: skip
    assert [stage["name"] for stage in report["stages"]] == ["float", "int8"]
    for stage in report["stages"]:
        assert set(stage) == {
            "name", "accuracy", "interval_95", "parameters", "macs", "flash_bytes", "ram_bytes", "cycles", "energy_uj",
        }  # fmt: skip
    assert set(report["memory"]) == {
        "weights_bytes", "code_bytes", "arena_bytes", "arena_lower_bound_bytes", "state_bytes", "stack_bytes",
    }  # fmt: skip
    assert set(report["verification"]) == {"c_host", "simulator", "tflm", "litert", "onnxruntime"}


def test_every_artifact_is_there(compiled):
    for path in compiled.report["artifacts"].values():
        assert (compiled.folder / path).exists()
    names = {path.name for path in (compiled.folder / "tflite").iterdir()}
    assert names == {"model_data.cc", "model_data.h", "op_resolver.h"}
    assert {"model.c", "model.h", "etx_kernels.h"} <= {path.name for path in (compiled.folder / "c").iterdir()}


def test_labelled_data_measures_accuracy(compiled):
    before, after = (stage["accuracy"] for stage in compiled.report["stages"])
    assert before == 1.0
    assert after >= 0.9


def test_profile_adds_up(compiled):
    profile = compiled.report["profile"]
    layers = sum(layer["cycles"] for layer in profile["layers"])
    assert 0.97 * profile["cycles"] < layers <= profile["cycles"]
    assert profile["latency_us"] == pytest.approx(profile["cycles"] / 120)
    assert profile["engine"] == "simulate"


def test_arena_is_near_its_lower_bound_and_below_tflms(compiled):
    memory = compiled.report["memory"]
    assert memory["arena_bytes"] <= 1.1 * memory["arena_lower_bound_bytes"]
    assert memory["arena_bytes"] <= compiled.report["tflm_arena"]["activation_bytes"]


def test_firmware_has_no_heap_and_no_float(compiled):
    elf = compiled.folder / "firmware.elf"
    assert not has_float_symbols(elf)
    assert not {symbol.name for symbol in elf_symbols(elf)} & {"malloc", "free", "calloc", "_sbrk"}


@pytest.mark.parametrize("target", ["nucleo-l4r5zi", "nucleo-g0b1re"])
@pytest.mark.parametrize("name", ["one head no bias", "hand interleaved", "convolutional stem", "small cnn"])
def test_runtimes_agree_bit_for_bit(tmp_path, name, target):
    model, data = write_model(tmp_path, name)
    compile_model(CompileOptions(str(model), load_target(target), tmp_path / "out", data=data, cases=1))
    artifact = load_artifact(tmp_path / "out")
    with np.load(data) as file:
        real = [artifact.quantized((x[None],)) for x in file["x"]]
    results = verify_artifact(artifact, make_cases(artifact.graph, real, 40), EVERY_RUNTIME)
    for runtime in ("c_host", "simulator", "tflm", "litert"):
        assert results[runtime]["mismatches"] == 0, runtime
    assert results["onnxruntime"]["max_lsb"] <= 1


def test_two_hundred_inputs_agree_on_host_and_simulated_core(compiled):
    artifact = compiled.artifact
    with np.load(compiled.data) as file:
        real = [artifact.quantized((x[None],)) for x in file["x"]]
    results = verify_artifact(artifact, make_cases(artifact.graph, real, 200), EVERY_RUNTIME)
    exact = ("c_host", "simulator", "tflm", "litert")
    assert {name: (results[name]["cases"], results[name]["mismatches"]) for name in exact} == dict.fromkeys(
        exact, (200, 0)
    )
    assert results["onnxruntime"]["max_lsb"] <= 1


def test_same_source_gives_the_same_bytes(compiled, tmp_path):
    options = CompileOptions(str(compiled.model), load_target("nucleo-l4r5zi"), tmp_path / "again", data=compiled.data)
    compile_model(options)
    for name in ("model.tflite", "model.onnx", "firmware.elf", "c/model.c", "report.json"):
        assert (tmp_path / "again" / name).read_bytes() == (compiled.folder / name).read_bytes(), name


def test_sixteen_bit_activations_come_nearer_to_float(compiled, tmp_path):
    settings = {"quantization.recipe": "static_wi8_ai16", "quantization.calibration": "minmax"}
    options = CompileOptions(
        str(compiled.model), load_target("nucleo-l4r5zi"), tmp_path / "out", ("c",), compiled.data, settings
    )
    report = compile_model(options)
    assert report["verification"]["c_host"]["mismatches"] == 0
    assert report["verification"]["simulator"]["mismatches"] == 0


def test_phone_target_gets_no_firmware(compiled, tmp_path):
    report = compile_model(
        CompileOptions(str(compiled.model), load_target("phone-cortex-a53"), tmp_path / "out", data=compiled.data)
    )
    assert "firmware" not in report["artifacts"]
    assert report["profile"]["core"] == "cortex-a53"
