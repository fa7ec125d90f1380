"""Every model of the shared data either compiles with the recorded bits, or is refused with the reason."""

from pathlib import Path

import numpy as np
import pytest
import third_party
from third_party import Record, compiled, imported, load_record, model_files

from edgetx.compiler import CompileOptions, compile_model, load_artifact
from edgetx.compiler.invoke import run_file
from edgetx.errors import UnsupportedOpError
from edgetx.targets import load_target

FILES = model_files()
REFUSED = {
    "deeploy_mlperf_kws_int8.onnx": r"RequantShift of domain 'PACTOps'",
    "tflm_audio_preprocessor_int8.tflite": r"CUSTOM:SignalWindow",
}
COMPILING = [path for path in FILES if path.name not in REFUSED]
INTEGER = [path for path in COMPILING if load_record(path) and not imported(path).outputs[0].type.is_float]
FLOAT = [path for path in COMPILING if imported(path).outputs[0].type.is_float]
LEAST_DB = {"kwt1_keyword_transformer_f32.tflite": 6.0, "silero_vad_16k_op15.onnx": 14.0}
"""Ratios of models that eight bits do not suit: a spectrum in eight bits is mostly noise."""

pytestmark = pytest.mark.skipif(not FILES, reason="no shared data; set EDGETX_DATA")


def by_name(path: Path) -> str:
    return path.name


def recorded(path: Path) -> Record:
    record = load_record(path)
    assert record is not None
    return record


def test_at_least_nine_of_ten_compile() -> None:
    assert len(COMPILING) >= 0.9 * len(FILES)


@pytest.mark.parametrize("path", [path for path in FILES if path.name in REFUSED], ids=by_name)
def test_refusal_names_the_operator(path: Path) -> None:
    with pytest.raises(UnsupportedOpError, match=REFUSED[path.name]):
        imported(path)


@pytest.mark.parametrize("path", [path for path in INTEGER if path.suffix == ".tflite"], ids=by_name)
def test_integer_graph_has_the_recorded_bits(path: Path) -> None:
    record = recorded(path)
    outputs = third_party.run(compiled(path).graph, record)
    value = compiled(path).graph.outputs[0]
    assert third_party.largest_difference(outputs, [step.output for step in record.steps], value) == 0


@pytest.mark.parametrize("path", FLOAT, ids=by_name)
def test_float_graph_computes_what_was_recorded(path: Path) -> None:
    record = recorded(path)
    found = third_party.run(imported(path), record)
    wanted = [step.output for step in record.steps]
    tolerance = 0.02 if path.name == "mlperf_kws_dscnn_f32.tflite" else 1e-5  # recorded with activations in 8 bits
    ours, theirs = (np.stack([y.ravel() for y in ys]) for ys in (found, wanted))
    # sums of large products are rounded in the order of the machine's matrix library, also where they cancel
    np.testing.assert_allclose(ours, theirs, tolerance, tolerance * max(1.0, float(np.abs(theirs).max()) / 10))


def decibels(path: Path) -> float:
    return float(third_party.agreement(path).removesuffix(" dB"))


@pytest.mark.parametrize("path", FLOAT, ids=by_name)
def test_quantized_graph_is_near_the_record(path: Path) -> None:
    assert decibels(path) > LEAST_DB.get(path.name, 20)


@pytest.mark.parametrize("path", [path for path in COMPILING if load_record(path)], ids=by_name)
def test_generated_c_equals_the_integer_graph(path: Path) -> None:
    expected, found = third_party.run_c(compiled(path).graph, recorded(path))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("path", FILES, ids=by_name)
def test_table_in_the_documentation_is_current(path: Path) -> None:
    """Every machine sums floating point in its own order, so calibrated models differ a little in their decibels."""
    line = next(line for line in third_party.PAGE.read_text().splitlines() if line.startswith(f"| `{path.name}` |"))
    if path in FLOAT:
        assert float(line.split("|")[3].removesuffix(" dB ")) == pytest.approx(decibels(path), abs=1)
    else:
        assert line.startswith(third_party.outcome(path))


@pytest.mark.parametrize("name", ["mlperf_kws_dscnn_int8.tflite", "kaijiang_kws_ref.onnx"])
def test_integer_models_keep_their_accuracy(name: str) -> None:
    share = third_party.accuracy(third_party.MODELS / name)
    assert share == pytest.approx(third_party.RECORDED_ACCURACY[name], abs=1e-4)


@pytest.mark.slow
def test_keyword_transformer_on_raw_audio_keeps_its_accuracy() -> None:
    name = "kwt1_keyword_transformer_f32.tflite"
    assert third_party.accuracy(third_party.MODELS / name) > third_party.RECORDED_ACCURACY[name] - 0.012


@pytest.mark.runtimes
@pytest.mark.parametrize("name", ["microww_v2_vad", "tflm_micro_speech_int8"])
def test_compiled_model_gives_its_integers_everywhere(name: str, tmp_path: Path) -> None:
    path = third_party.MODELS / f"{name}.tflite"
    out = tmp_path / "out"
    compile_model(CompileOptions(str(path), load_target("nucleo-g0b1re"), out, ("c",), cases=4, simulated_cases=1))
    record = recorded(path)
    wanted = np.stack([step.output.ravel() for step in record.steps])
    np.savez(tmp_path / "x.npz", in0_seq=np.stack([step.inputs[0] for step in record.steps]))
    for runtime in ("int", "c", "simulator"):
        run_file(load_artifact(out), runtime, tmp_path / "x.npz", tmp_path / "y.npz")
        with np.load(tmp_path / "y.npz") as file:
            np.testing.assert_array_equal(file["out0_seq"].reshape(wanted.shape), wanted, runtime)


@pytest.mark.runtimes
def test_states_are_written_as_resource_variables() -> None:
    from edgetx.backends.tflite import write_tflite
    from edgetx.runtimes.litert import LitertRuntime

    path = third_party.MODELS / "microww_v2_vad.tflite"
    runtime = LitertRuntime(write_tflite(compiled(path).graph))
    for _ in range(2):
        runtime.reset()
        for step in recorded(path).steps:
            (found,) = runtime.run([step.inputs[0].reshape(compiled(path).graph.inputs[0].shape)])
            np.testing.assert_array_equal(found.ravel(), step.output.ravel())
