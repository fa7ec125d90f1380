"""The front end beside a compiled model: the very inputs that `edgetx evaluate` gives the model."""

import ctypes
import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest
from recordings import DATA

from edgetx.audio import load_dataset, read_clip
from edgetx.compiler.frontend import write_frontend
from edgetx.firmware import TOOLCHAINS, GoldenAudio, build_firmware, build_host_library
from edgetx.fixedpoint import quantize
from edgetx.ir import QuantParams, TensorType
from edgetx.profile import Simulator
from edgetx.recipe import FRONT_ENDS, FrontEnd, Model, Recipe
from edgetx.targets import load_target

MODEL = Path(__file__).parents[1] / "firmware" / "model"
SETTINGS = {"log_mel": FrontEnd(mean=12.5, std=7.0), **FRONT_ENDS}
SCALE, ZERO_POINT = 0.0213, -11


def write(folder, setting, dtype="int8"):
    recipe = Recipe("demo", DATA, Model("keyword_transformer"), frontend=setting)
    quant = QuantParams((SCALE,), ZERO_POINT)
    return recipe, write_frontend(recipe, TensorType((1, *recipe.input_shape), dtype, quant), (), folder)


@pytest.mark.parametrize("name", SETTINGS)
def test_rows_are_the_inputs_that_evaluate_uses(recordings, tmp_path, monkeypatch, name):
    monkeypatch.setenv("EDGETX_CACHE", str(tmp_path / "cache"))
    recipe, _ = write(tmp_path, SETTINGS[name])
    expected = quantize(load_dataset(recordings, recipe).x, SCALE, ZERO_POINT, "int8")
    library = ctypes.CDLL(str(build_host_library(tmp_path, tmp_path / "front.so", sanitizers=("undefined",))))
    hop, window = (round(16 * ms) for ms in (recipe.frontend.hop_ms, recipe.frontend.window_ms))
    state, row = ctypes.create_string_buffer(8192), np.empty(recipe.frontend.features, np.int8)
    files = [line.split(",")[0] for line in (recordings / "split.csv").read_text().splitlines()[1:]]
    for file, rows in zip(files, expected, strict=True):
        clip = np.ascontiguousarray(read_clip(recordings / file, DATA.sample_rate_hz))
        library.edgetx_frontend_start(state, ctypes.c_void_p(clip.ctypes.data))
        for i, wanted in enumerate(rows):
            samples = clip.ctypes.data + 2 * (window - hop + i * hop)
            library.edgetx_frontend_push(state, ctypes.c_void_p(samples), ctypes.c_void_p(row.ctypes.data))
            np.testing.assert_array_equal(row, wanted)


@pytest.mark.toolchain
@pytest.mark.simulator
@pytest.mark.parametrize("toolchain", [t for t in TOOLCHAINS if t.is_available()], ids=lambda t: t.name)
def test_firmware_checks_its_front_end(tmp_path, toolchain):
    for file in MODEL.iterdir():
        shutil.copy(file, tmp_path)
    _, audio = write(tmp_path, FRONT_ENDS["mlperf_tiny_kws"])
    for clip, verdict in (
        (audio, "PASS"),
        (dataclasses.replace(audio, rows_crc32=1), "FAIL"),
        (dataclasses.replace(audio, samples=[*audio.samples[1:], 0]), "FAIL"),
    ):
        target = load_target("nucleo-g0b1re")
        firmware = build_firmware(tmp_path, target, tmp_path / "out.elf", [], audio=clip, toolchain=toolchain)
        assert firmware.worst_case_stack_bytes is not None
        sim = Simulator(target, firmware.elf, count=False)
        sim.run()
        assert sim.output.splitlines()[-1] == verdict, sim.output


def test_nothing_without_a_recipe_or_for_other_inputs(tmp_path):
    assert write_frontend(None, TensorType((1, 4), "int8", QuantParams((1.0,))), (), tmp_path) == GoldenAudio()
    assert write(tmp_path, FrontEnd(), "int16")[1] == GoldenAudio()
    assert not list(tmp_path.iterdir())
