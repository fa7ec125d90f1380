import dataclasses
import subprocess
import sys

import pytest

from edgetx.errors import ConfigError, ExitCode
from edgetx.recipe import FRONT_ENDS, load_recipe

MINIMAL = """
name = "demo"
[data]
classes = ["a", "b"]
[model]
architecture = "kwt-1"
"""


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "recipe.toml"
        path.write_text(text)
        return path

    return write


def test_minimal_recipe_gets_defaults(write):
    recipe = load_recipe(write(MINIMAL))
    assert recipe.input_shape == (49, 40)
    assert recipe.data.samples == 16_000
    assert recipe.quantization.recipe == "static_wi8_ai8"


def test_input_shape_follows_front_end(write):
    front = "[frontend]\nkind = 'mfcc'\nwindow_ms = 25\nhop_ms = 10\ncoefficients = 13\n"
    assert load_recipe(write(MINIMAL + front)).input_shape == (98, 13)


def test_preset_of_the_front_end_and_keys_that_override_it(write):
    front = load_recipe(write(MINIMAL + "[frontend]\npreset = 'mlperf_tiny_kws'\n")).frontend
    assert front == FRONT_ENDS["mlperf_tiny_kws"]
    other = load_recipe(write(MINIMAL + "[frontend]\npreset = 'mlperf_tiny_kws'\ncoefficients = 13\n"))
    assert other.frontend == dataclasses.replace(front, coefficients=13)
    assert other.input_shape == (49, 13)


@pytest.mark.parametrize("name", FRONT_ENDS)
def test_presets_are_valid(write, name):
    assert load_recipe(write(MINIMAL + f"[frontend]\npreset = '{name}'\n")).frontend == FRONT_ENDS[name]


def test_folder_stands_for_its_recipe(write):
    assert load_recipe(write(MINIMAL).parent).name == "demo"


@pytest.mark.parametrize(
    ("addition", "message"),
    [
        ("[frontend]\nhop_sm = 10\n", "did you mean 'hop_ms'?"),
        ("[training]\nepochs = 1.5\n", "expected an integer"),
        ("[training.augmentation]\nmix_up = 1\n", "did you mean 'mixup'?"),
        ("[frontend]\npreset = 'micro_wakeword'\n", "did you mean 'micro_wake_word'?"),
        ("[frontend]\nspectrum = 'energy'\n", "expected one of power, magnitude"),
        ("[frontend]\nkind = 'gammatone'\n", "expected one of log_mel, mfcc"),
        ("[frontend]\nkind = 'mfcc'\n", "between 1 and mels = 40"),
        ("[frontend]\nhigh_hz = 9000\n", "8000 Hz"),
        ("[frontend]\nhop_ms = 40\n", "at least hop_ms"),
        ("[frontend]\nstd = 0\n", "must be positive"),
        ("[training]\nepochs = 0\n", "at least 1"),
        ("[distillation]\nviews = 0\n", "distillation.views: must be at least 1"),
        ("[distillation]\nweight = 1.5\n", "between 0 and 1"),
        ("[distillation]\ntemperature = 0\n", "must be positive"),
        ("[pruning]\nstep = 0\n", "at least 1"),
        ("[pruning]\nkeep = 1.0\n", "between 0 and 1"),
        ("[pretraining]\nobjective = 'positions'\nmasked = 1.0\n", "between 0 and 1"),
        ("[quantization]\nrecipe = 'int8'\n", "expected one of static_wi8_ai8"),
        ("[data]\n", "not valid TOML"),
    ],
)
def test_mistakes_are_named(write, addition, message):
    with pytest.raises(ConfigError) as caught:
        load_recipe(write(MINIMAL + addition))
    assert message in str(caught.value)
    assert "recipe.toml" in str(caught.value)
    assert caught.value.exit_code is ExitCode.TARGET


def test_repeated_class_is_refused(write):
    with pytest.raises(ConfigError, match="distinct"):
        load_recipe(write(MINIMAL.replace('"b"', '"a"')))


def test_unknown_name_gets_the_nearest():
    with pytest.raises(ConfigError) as caught:
        load_recipe("kws-transformer-mirco")
    assert "did you mean 'kws-transformer-micro'?" in str(caught.value)


def test_recipes_need_neither_numpy_nor_torch():
    check = "import edgetx.recipe, sys; assert not {'numpy', 'torch'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", check], check=True)
