"""`edgetx compile --stream`: a clip model to hops in every form, run hop by hop in the real runtimes."""

import json

import numpy as np
import pytest
import torch
from architectures import recipe
from click.testing import CliRunner

from edgetx.backends.tflite.micro import builtins
from edgetx.cli import main
from edgetx.compiler import CompileOptions, compile_model, load_artifact
from edgetx.compiler.invoke import run_file
from edgetx.compiler.streaming import FROM_RESET
from edgetx.errors import ConfigError, DataError, ModelError
from edgetx.nn import build
from edgetx.targets import load_target

CLIP_MS, FRAME_MS = 300.0, 20.0
OPTIONS = {"width": 8, "layers": 1, "mlp": 16, "mixer": ["lmu(4, 8)"]}


def write_model(folder, name="lmuformer-causal", options=None):
    """A causal model as `.pt2`, and calibration inputs with labels."""
    torch.manual_seed(0)
    made = recipe(name, OPTIONS if options is None else options, mels=8, classes=3, clip_ms=CLIP_MS)
    model = build(made).eval()
    x = np.random.default_rng(0).normal(size=(20, *made.input_shape)).astype(np.float32)
    torch.export.save(torch.export.export(model, (torch.from_numpy(x[:1]),)), folder / "model.pt2")
    with torch.no_grad():
        y = model(torch.from_numpy(x)).argmax(1).numpy()
    np.savez(folder / "data.npz", x=x, y=y)
    return folder / "model.pt2", folder / "data.npz", x


@pytest.fixture(scope="module")
def stream(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stream")
    model, data, x = write_model(folder)
    settings = {"streaming.frame_ms": str(FRAME_MS), "lmu.form": "fir"}
    target = load_target("nucleo-l4r5zi")
    compile_model(CompileOptions(str(model), target, folder / "out", data=data, settings=settings, stream=True))
    return load_artifact(folder / "out"), x


def test_report_says_what_streams(stream):
    section = stream[0].report["streaming"]
    assert (section["hop_ms"], section["look_ahead_ms"]) == (FRAME_MS, 0.0)
    assert section["claim"] == FROM_RESET
    assert section["windows_compared"] == 32
    assert section["mismatches"] == 0


def test_report_bounds_the_distance_from_the_float_model(stream):
    section = stream[0].report["streaming"]
    assert section["memory"] == {"hops": section["warm_up_hops"], "proven": True, "starts": 6, "residual": 0.0}
    assert section["error"]["saturated"] == 0
    assert section["error"]["largest"] <= section["error"]["hour"]


def test_every_runtime_agrees_over_a_sequence_of_hops(stream):
    verification = stream[0].report["verification"]
    exact = {name: row["mismatches"] for name, row in verification.items() if name != "onnxruntime"}
    assert exact == dict.fromkeys(("c_host", "tflm", "litert", "simulator"), 0)
    assert verification["tflm"]["contract_max_lsb"] == 0
    assert verification["onnxruntime"]["max_lsb"] <= 1
    assert verification["c_host"]["cases"] >= 256


def test_accuracy_is_that_of_the_clip(stream):
    (_, integer) = stream[0].report["stages"]
    assert integer["accuracy"] > 0.8


@pytest.mark.parametrize("runtime", ["int", "c", "tflm", "onnxruntime"])
def test_sequence_keeps_state_and_a_new_run_begins_from_reset(stream, runtime, tmp_path):
    artifact, x = stream
    np.savez(tmp_path / "in.npz", in0_seq=x[0][:, None, None, :])
    for out in ("a.npz", "b.npz"):
        run_file(artifact, runtime, tmp_path / "in.npz", tmp_path / out)
    first, again = (np.load(tmp_path / out)["out0_seq"] for out in ("a.npz", "b.npz"))
    np.testing.assert_array_equal(first, again)
    run_file(artifact, "int", tmp_path / "in.npz", tmp_path / "int.npz")
    expected = np.load(tmp_path / "int.npz")["out0_seq"]
    step = artifact.graph.outputs[0].type.scale
    assert np.abs(first - expected).max() <= (2.01 if runtime == "onnxruntime" else 0) * step
    assert len(first) == len(x[0])


@pytest.mark.parametrize("runtime", ["int", "c", "tflm", "onnxruntime", "simulator"])
def test_reset_in_mid_stream_is_a_new_start(stream, runtime):
    artifact, x = stream
    opened = artifact.runtime(runtime)
    hops = [artifact.quantized((row[None, None],)) for row in x[0][:5]]
    opened.reset()
    first = [opened.run(hop)[0] for hop in hops[:3]]
    opened.reset()
    np.testing.assert_array_equal([opened.run(hop)[0] for hop in hops[:3]], first)


def test_hop_of_the_wrong_size_is_refused(stream, tmp_path):
    artifact, x = stream
    np.savez(tmp_path / "in.npz", in0_seq=x[0][None, None, :2, :])
    with pytest.raises(DataError, match="the model takes"):
        run_file(artifact, "c", tmp_path / "in.npz", tmp_path / "out.npz")


def test_rails_for_minutes_saturate_and_recover(stream):
    """Full-scale input saturates what it will; after a reset nothing of it is left."""
    artifact, x = stream
    model, reference = artifact.runtime("c"), artifact.runtime("int")
    rails = [np.full(artifact.graph.inputs[0].shape, q, np.int8) for q in (127, -128)]
    for step in range(400):
        hop = (rails[step // 7 % 2],)
        np.testing.assert_array_equal(model.run(hop)[0], reference.run(hop)[0])
    model.reset()
    fresh = artifact.runtime("int")
    hop = artifact.quantized((x[0][None, :1],))
    np.testing.assert_array_equal(model.run(hop)[0], fresh.run(hop)[0])


def test_command_line_prints_the_stream(tmp_path):
    model, data, _ = write_model(tmp_path)
    arguments = ["compile", str(model), "--stream", "--target", "phone-cortex-a55", "--data", str(data), "--to", "c"]
    result = CliRunner().invoke(main, [*arguments, "-o", str(tmp_path / "out"), "--set", "streaming.hop_frames=3"])
    assert result.exit_code == 0, result.output
    assert "3 frames" in result.output
    assert json.loads((tmp_path / "out" / "report.json").read_text())["streaming"]["hop_ms"] is None


_SMALL = {"width": 8, "layers": 1, "mlp": 16, "positions": "none"}
KEPT = {
    "neurons": ("spiking-lmuformer-causal", {**OPTIONS, "mixer": ["spiking_lmu(4, 8)"]}, 0.0),
    "look-back": ("masformer-micro", {**_SMALL, "mixer": ["window(3)"], "causal": True, "heads": 2}, 0.0),
    "look-ahead": ("masformer-micro", {**_SMALL, "mixer": ["window(2)"], "heads": 2}, 2 * FRAME_MS),
    "state space": ("ssamba-micro", {**_SMALL, "mixer": ["selective_ssm(4)"]}, 0.0),
    "linear attention": ("gla-micro", {**_SMALL, "causal": True, "heads": 2}, 0.0),
}
"""By what they keep: models, and how far they look ahead in milliseconds."""


def compiled(folder, kept, states, forms):
    """Report of a stream of some kind."""
    name, options, _ = KEPT[kept]
    model, data, _ = write_model(folder, name, options)
    settings = {"tflite.states": states, "lmu.form": "fir", "streaming.frame_ms": str(FRAME_MS)}
    target = load_target("phone-cortex-a55")
    return compile_model(
        CompileOptions(str(model), target, folder / "out", forms, data=data, settings=settings, stream=True)
    )


@pytest.mark.runtimes
@pytest.mark.parametrize("kept", KEPT)
def test_states_of_every_kind_run_hop_by_hop_in_every_runtime(kept, tmp_path):
    report = compiled(tmp_path, kept, "variables", ("tflite", "onnx", "c"))
    rows, section = report["verification"], report["streaming"]
    assert [rows[name]["mismatches"] for name in ("c_host", "tflm", "litert")] == [0, 0, 0]
    assert rows["onnxruntime"]["max_lsb"] <= 1
    assert section["windows_compared"] > 0
    assert (section["mismatches"], section["look_ahead_ms"]) == (0, KEPT[kept][2])
    assert all(row["bits"] == (16 if row["recurrent"] else 8) for row in section["states"]["kept"])


@pytest.mark.runtimes
@pytest.mark.parametrize("kept", KEPT)
def test_states_of_every_kind_are_inputs_where_asked(kept, tmp_path):
    rows = compiled(tmp_path, kept, "inputs", ("tflite",))["verification"]
    assert [rows[name]["mismatches"] for name in ("tflm", "litert")] == [0, 0]
    assert "VAR_HANDLE" not in builtins((tmp_path / "out" / "model.tflite").read_bytes())


def test_tflite_states_as_inputs_give_the_same_bits(tmp_path):
    model, data, x = write_model(tmp_path)
    settings = {"tflite.states": "inputs", "lmu.form": "fir"}
    target = load_target("phone-cortex-a55")
    options = CompileOptions(
        str(model), target, tmp_path / "out", ("tflite",), data=data, settings=settings, stream=True
    )
    compile_model(options)
    artifact = load_artifact(tmp_path / "out")
    assert "VAR_HANDLE" not in builtins((tmp_path / "out" / "model.tflite").read_bytes())
    np.savez(tmp_path / "in.npz", in0_seq=x[0][:, None, None, :])
    run_file(artifact, "tflm", tmp_path / "in.npz", tmp_path / "tflm.npz")
    run_file(artifact, "int", tmp_path / "in.npz", tmp_path / "int.npz")
    found, expected = (np.load(tmp_path / name)["out0_seq"] for name in ("tflm.npz", "int.npz"))
    np.testing.assert_array_equal(found, expected)


def test_bidirectional_model_is_refused_and_leaves_nothing(tmp_path):
    model, data, _ = write_model(
        tmp_path, "masformer-micro", {"width": 8, "layers": 1, "mlp": 16, "mixer": ["full"], "positions": "none"}
    )
    options = CompileOptions(str(model), load_target("nucleo-l4r5zi"), tmp_path / "out", data=data, stream=True)
    with pytest.raises(ModelError, match="both directions") as error:
        compile_model(options)
    assert "attention" in error.value.where
    assert "look_back" in error.value.hint
    assert not (tmp_path / "out").exists()


def test_bounded_look_back_is_another_model_and_says_so(tmp_path):
    model, data, _ = write_model(
        tmp_path, "masformer-micro", {"width": 8, "layers": 1, "mlp": 16, "mixer": ["full"], "positions": "none"}
    )
    settings = {"streaming.look_back": "4"}
    target = load_target("phone-cortex-a55")
    report = compile_model(
        CompileOptions(str(model), target, tmp_path / "out", data=data, settings=settings, stream=True)
    )
    assert report["streaming"]["look_back"] == 4
    assert report["streaming"]["mismatches"] == 0
    assert report["verification"]["tflm"]["mismatches"] == 0


@pytest.mark.parametrize(("key", "value"), [("look_back", "many"), ("hop_frames", "-1"), ("hop_frames", "0.5")])
def test_settings_that_are_no_numbers_are_refused(tmp_path, key, value):
    model, data, _ = write_model(tmp_path)
    settings = {f"streaming.{key}": value}
    with pytest.raises(ConfigError):
        compile_model(
            CompileOptions(
                str(model), load_target("nucleo-l4r5zi"), tmp_path / "out", data=data, settings=settings, stream=True
            )
        )
