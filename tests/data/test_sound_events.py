"""What comes before YAMNet in the file that the sound model of the zoo learns from."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parents[2] / "tools" / "sound_events"))
import yamnet

from edgetx.runtimes.onnxruntime import OnnxRuntime


@pytest.mark.runtimes
def test_patches_are_those_of_the_formula():
    audio = np.random.default_rng(0).normal(0, 0.1, 2 * yamnet.RATE).astype(np.float32)
    session = OnnxRuntime(yamnet.front_end(len(audio)).SerializeToString(), optimize=True)
    (patches,) = session.run([audio[None]])
    frames = np.lib.stride_tricks.sliding_window_view(audio.astype(float), yamnet.WINDOW)[:: yamnet.HOP]
    magnitude = np.abs(np.fft.rfft(frames * np.hanning(yamnet.WINDOW + 1)[:-1], yamnet.FFT))
    log_mel = np.log(magnitude @ yamnet.mel_filters() + yamnet.FLOOR)
    assert patches.shape == (3, 1, yamnet.PATCH, yamnet.MELS)
    for number, patch in enumerate(patches):
        expected = log_mel[number * yamnet.PATCH_HOP :][: yamnet.PATCH] / yamnet.SCALE + yamnet.ZERO_POINT
        assert np.abs(patch[0] - np.clip(expected, 0, 255)).max() < 0.51


def test_a_tone_is_heard_in_its_band():
    bins = np.linspace(0, yamnet.RATE / 2, yamnet.FFT // 2 + 1)
    edges = 700 * np.expm1(np.linspace(*(1127 * np.log1p(np.array([125, 7500]) / 700)), yamnet.MELS + 2) / 1127)
    for band in (10, 40, 63):
        centre = int(np.abs(bins - edges[band + 1]).argmin())
        assert yamnet.mel_filters()[centre].argmax() == band
