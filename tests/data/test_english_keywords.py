"""What makes other speakers and places out of recordings, for the English model of the zoo."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parents[2] / "tools" / "english_keywords"))
from dry import RATE, read_dry, write_dry
from scenes import Scenes, placed
from voices import another_speaker, change_pace, warp_formants


def tone(hz, seconds=0.5):
    return 8000 * np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE)) / RATE)


def loudest_hz(audio):
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(len(audio))))
    return spectrum.argmax() * RATE / len(audio)


@pytest.mark.parametrize("factor", [0.8, 1.0, 1.25])
def test_pace_changes_the_length_and_not_the_pitch(factor):
    slower = change_pace(tone(440), factor)
    assert len(slower) == int(RATE / 2 / factor)
    assert loudest_hz(slower) == pytest.approx(440, abs=4)


def test_formants_move_and_the_pitch_stays():
    harmonics = np.sum([tone(120 * k) / 60 * np.exp(-(((120 * k - 1000) / 300) ** 2)) for k in range(1, 30)], axis=0)
    np.testing.assert_allclose(warp_formants(harmonics, 1.0)[600:-600], harmonics[600:-600], atol=1e-6)
    for factor in (0.9, 1.12):
        peak = loudest_hz(warp_formants(harmonics, factor))
        assert peak == pytest.approx(1000 * factor, abs=90)
        assert peak % 120 == pytest.approx(0, abs=5) or peak % 120 == pytest.approx(120, abs=5)


def test_speakers_and_scenes_are_clips_of_a_second():
    rng = np.random.default_rng(0)
    scenes = Scenes([rng.normal(0, 100, 3 * RATE)], rng)
    for _ in range(20):
        spoken = another_speaker(tone(200, 0.6), rng)
        for clip in (scenes.word(spoken[:RATE]), scenes.recording(spoken)):
            assert clip.shape == (RATE,)
            assert clip.dtype == np.int16
            assert clip.any()


def test_what_lies_outside_a_second_is_cut():
    ramp = np.arange(RATE, dtype=float)
    assert placed(ramp, -10)[:3].tolist() == [10.0, 11.0, 12.0]
    assert placed(ramp, -10)[-10:].tolist() == [0.0] * 10
    assert placed(ramp, 5)[:7].tolist() == [0, 0, 0, 0, 0, 0.0, 1.0]
    assert len(placed(ramp, 5)) == RATE


def test_dry_words_are_trimmed_and_long_ones_left_out(tmp_path):
    silence = np.zeros(RATE)
    spoken = [("yes", np.concatenate([silence, tone(300, 0.3), silence])), ("long", tone(300, 1.5)), ("none", silence)]
    write_dry(tmp_path, "made", spoken)
    ((word, audio),) = read_dry(tmp_path)
    assert word == "yes"
    assert len(audio) == pytest.approx(0.3 * RATE + 1440, abs=80)
