"""A spiking model end to end: every runtime has the reference's bits, event-driven or dense, by clip and by hop."""

import json

import numpy as np
import pytest
import torch
from architectures import recipe

from edgetx.compiler import CompileOptions, compile_model
from edgetx.compiler.settings import spike_kernels
from edgetx.errors import ConfigError, UnsupportedOpError
from edgetx.nn import build
from edgetx.targets import load_target

OPTIONS = {"width": 16, "layers": 1, "mlp": 16, "stem": [4], "mixer": ["spiking_lmu(4, 8)"]}


@pytest.fixture(scope="module")
def spiking(tmp_path_factory):
    """A causal spiking LMUFormer as `.pt2`, its normalizations those of its inputs, and labelled inputs."""
    folder = tmp_path_factory.mktemp("spiking")
    torch.manual_seed(0)
    made = recipe("spiking-lmuformer-causal", OPTIONS, mels=8, classes=3, clip_ms=300.0)
    model = build(made)
    x = torch.randn(20, *made.input_shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
                module.weight.fill_(4.0)  # currents that make neurons fire
        for _ in range(20):
            model.train()(x)
        y = model.eval()(x).argmax(1)
    torch.export.save(torch.export.export(model, (x[:1],)), folder / "model.pt2")
    np.savez(folder / "data.npz", x=x.numpy(), y=y.numpy())
    return folder


def compiled(folder, out, **options):
    target = load_target("nucleo-l4r5zi")
    return compile_model(
        CompileOptions(
            str(folder / "model.pt2"), target, out, data=folder / "data.npz", cases=8, simulated_cases=2, **options
        )
    )


def assert_exact(report, *runtimes):
    rows = report["verification"]
    assert {name: rows[name]["mismatches"] for name in runtimes} == dict.fromkeys(runtimes, 0)
    assert rows["onnxruntime"]["max_lsb"] <= 1


@pytest.mark.toolchain
@pytest.mark.simulator
def test_clip_model_has_the_same_bits_event_driven_and_dense(spiking, tmp_path):
    reports = {}
    for kernels in ("events", "dense"):
        settings = {"spikes.kernels": kernels, "lmu.form": "fir"}
        reports[kernels] = compiled(spiking, tmp_path / kernels, settings=settings, lenient=True)
        assert_exact(reports[kernels], "c_host", "simulator")
    events, dense = (reports[name]["spikes"] for name in ("events", "dense"))
    assert len(events["layers"]) > 4
    assert all(0 <= row["rate"] < 1 and 0 <= row["break_even"] <= 1 for row in events["layers"])
    assert sum(row["rate"] > 0 for row in events["layers"]) > 2
    assert events["synaptic_operations"] == pytest.approx(sum(r["rate"] * r["macs"] for r in events["layers"]))
    assert {row["event_driven"] for row in events["layers"]} == {True}
    assert {row["event_driven"] for row in dense["layers"]} == {False}
    kernels_of = {name: {p["kernel"] for p in report["placement"]} for name, report in reports.items()}
    assert "event_matmul_s8" in kernels_of["events"] - kernels_of["dense"]


@pytest.mark.toolchain
@pytest.mark.simulator
@pytest.mark.runtimes
def test_hops_have_the_same_bits_in_tflite_too(spiking, tmp_path):
    settings = {"streaming.frame_ms": "20", "lmu.form": "fir"}
    report = compiled(spiking, tmp_path / "out", settings=settings, stream=True)
    assert_exact(report, "c_host", "simulator", "tflm", "litert")
    assert report["streaming"]["mismatches"] == 0


def test_clip_without_a_tflite_form_says_why(spiking, tmp_path):
    report = compiled(spiking, tmp_path / "out", forms=("tflite", "onnx"), lenient=True)
    assert report["artifacts"] == {"onnx": "model.onnx"}
    assert "operators of TFLite per step" in report["left_out"]["tflite"]
    written = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert written["left_out"] == report["left_out"]
    with pytest.raises(UnsupportedOpError, match="operators of TFLite per step"):
        compiled(spiking, tmp_path / "strict", forms=("tflite",))
    assert not (tmp_path / "strict").exists()


def test_kernels_that_are_asked_for():
    assert spike_kernels({}) == "auto"
    assert spike_kernels({"spikes.kernels": "dense"}) == "dense"
    with pytest.raises(ConfigError, match="'sparse'"):
        spike_kernels({"spikes.kernels": "sparse"})
