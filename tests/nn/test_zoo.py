"""Every trained model in the zoo is whole, and is what its metrics say."""

import json
from dataclasses import replace

import pytest

from edgetx.audio import load_dataset
from edgetx.nn import load_zoo_model
from edgetx.resources import data_dir
from edgetx.train.evaluate import evaluate
from edgetx.train.examples import Examples
from edgetx.train.metrics import count_macs

MODELS = sorted(path.parent.name for path in data_dir("models").glob("*/weights.safetensors"))
DATA = {"sound-esc10-micro": "esc10", "kws-english-micro": "mlperf_tiny_kws_test"}
REAL = ("float", "distilled")
"""What the stage of the float model may be called."""
OTHER_DATA = "arabic_speech_commands"


def stated(name):
    return json.loads((data_dir("models") / name / "metrics.json").read_text())


@pytest.mark.parametrize("name", MODELS)
def test_size_is_as_stated(name):
    model, recipe, calibration = load_zoo_model(name)
    float_stage = next(stage for stage in stated(name)["stages"] if stage["name"] in REAL)
    assert recipe.name == name
    assert sum(p.numel() for p in model.parameters()) == float_stage["parameters"]
    assert count_macs(model, recipe.input_shape) == float_stage["macs"]
    assert calibration.shape == (recipe.quantization.calibration_count, *recipe.input_shape)


@pytest.mark.parametrize("name", MODELS)
def test_accuracy_is_as_stated(name, shared_data):
    model, recipe, _ = load_zoo_model(name)
    recipe = replace(recipe, data=replace(recipe.data, test_fold=stated(name)["training"].get("fold", 0)))
    test = load_dataset(shared_data / "audio" / DATA.get(name, OTHER_DATA), recipe).part("test")
    accuracy = evaluate(model, Examples.of(test)).accuracy
    assert accuracy == pytest.approx(stated(name)["test"]["accuracy"], abs=0.002)


@pytest.mark.parametrize("name", MODELS)
def test_eight_bits_lose_little(name):
    stages = {stage["name"]: stage["accuracy"] for stage in stated(name)["stages"]}
    if "int8" in stages:
        assert stages["int8"] >= max(stages[name] for name in REAL if name in stages) - 0.005


def test_micro_transformer_keeps_to_its_budget():
    model, _, calibration = load_zoo_model("kws-transformer-micro")
    assert sum(p.numel() for p in model.parameters()) <= 40_000
    assert len(calibration.tobytes()) // 2 <= 400_000
