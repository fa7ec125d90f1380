"""Every trained model in the zoo is whole, and is what its metrics say."""

import json

import pytest
import torch

from edgetx.audio import load_dataset
from edgetx.nn import load_zoo_model
from edgetx.resources import data_dir
from edgetx.train.evaluate import evaluate
from edgetx.train.metrics import count_macs

MODELS = sorted(path.parent.name for path in data_dir("models").glob("*/weights.safetensors"))
DATA = dict.fromkeys(("kws-dscnn-micro", "kws-transformer-micro"), "arabic_speech_commands")


def stated(name):
    return json.loads((data_dir("models") / name / "metrics.json").read_text())


@pytest.mark.parametrize("name", MODELS)
def test_size_is_as_stated(name):
    model, recipe, calibration = load_zoo_model(name)
    float_stage = stated(name)["stages"][0]
    assert recipe.name == name
    assert sum(p.numel() for p in model.parameters()) == float_stage["parameters"]
    assert count_macs(model, recipe.input_shape) == float_stage["macs"]
    assert calibration.shape == (recipe.quantization.calibration_count, *recipe.input_shape)


@pytest.mark.parametrize("name", MODELS)
def test_accuracy_is_as_stated(name, shared_data):
    model, recipe, _ = load_zoo_model(name)
    test = load_dataset(shared_data / "audio" / DATA[name], recipe).part("test")
    accuracy = evaluate(model, torch.from_numpy(test.x), torch.from_numpy(test.y)).accuracy
    assert accuracy == pytest.approx(stated(name)["test"]["accuracy"], abs=0.002)


def test_micro_transformer_keeps_to_its_budget():
    model, _, calibration = load_zoo_model("kws-transformer-micro")
    assert sum(p.numel() for p in model.parameters()) <= 40_000
    assert len(calibration.tobytes()) // 2 <= 400_000
