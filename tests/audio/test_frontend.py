import numpy as np
import pytest
import torch
from recordings import RATE, tone

from edgetx.audio import extract
from edgetx.audio.clip import to_int16
from edgetx.audio.frontend import mel_filters, projection
from edgetx.recipe import FrontEnd
from edgetx.train.frontend import TorchFrontEnd

FRONT_ENDS = {
    "log_mel": FrontEnd(mean=10.0, std=5.0),
    "mfcc": FrontEnd(kind="mfcc", window_ms=25, hop_ms=10, coefficients=13),
}


@pytest.fixture
def audio():
    noise = np.random.default_rng(1).integers(-20_000, 20_000, RATE // 4).astype(np.int16)
    return np.stack([to_int16(tone(440)), noise, np.zeros(RATE // 4, np.int16)])


@pytest.mark.parametrize("kind", FRONT_ENDS)
def test_training_hears_what_the_reference_hears(audio, kind):
    reference = extract(audio, FRONT_ENDS[kind], RATE)
    trained = TorchFrontEnd(FRONT_ENDS[kind], RATE)(torch.from_numpy(audio).float())
    np.testing.assert_allclose(trained, reference, atol=2e-4)


def test_silence_is_zero_before_normalisation():
    assert not extract(np.zeros((1, 4000), np.int16), FrontEnd(), RATE).any()


def test_tone_peaks_in_the_filter_of_its_frequency():
    features = extract(to_int16(tone(1000.0))[None], FrontEnd(), RATE)[0]
    response = mel_filters(FrontEnd(), 512, RATE)[round(1000 * 512 / RATE)]
    assert (features.argmax(axis=1) == response.argmax()).all()


def test_log_mel_of_one_frame_by_hand():
    frontend = FrontEnd(window_ms=1.0, hop_ms=1.0, mels=2, low_hz=0.0, high_hz=8000.0)
    frame = np.arange(16, dtype=np.int16) ** 2
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(16) / 16)
    spectrum = [abs(sum(window * frame * np.exp(-2j * np.pi * k * np.arange(16) / 16))) ** 2 / 16 for k in range(9)]
    mels = 2595 * np.log10(1 + np.arange(9) * 1000 / 700)
    step = mels[-1] / 3
    energy = [
        sum(e * max(0, 1 - abs(m - centre) / step) for e, m in zip(spectrum, mels, strict=True))
        for centre in (step, 2 * step)
    ]
    np.testing.assert_allclose(extract(frame[None], frontend, RATE)[0, 0], np.log2(np.array(energy) + 1), rtol=1e-5)


def test_cosine_transform_is_orthonormal():
    full = projection(FrontEnd(kind="mfcc", mels=20, coefficients=20))
    np.testing.assert_allclose(full.T @ full, np.eye(20), atol=1e-6)
