import numpy as np
import pytest
import soundfile
from recordings import RATE, tone

from edgetx.audio.clip import fit_length, read_clip
from edgetx.errors import DataError


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_sixteen_bit_samples_come_back_exactly(tmp_path, suffix):
    samples = np.random.default_rng(0).integers(-32768, 32768, 1000).astype(np.int16)
    soundfile.write(tmp_path / f"x.{suffix}", samples, RATE)
    np.testing.assert_array_equal(read_clip(tmp_path / f"x.{suffix}", RATE), samples)


def test_float_wav_is_rounded_and_clipped(tmp_path):
    soundfile.write(tmp_path / "x.wav", np.array([0.5, -1.0, 1.0, 2.0]), RATE, "FLOAT")
    assert read_clip(tmp_path / "x.wav", RATE).tolist() == [16384, -32768, 32767, 32767]


def write(tmp_path, audio, rate=RATE, name="x.flac", subtype=None):
    soundfile.write(tmp_path / name, audio, rate, subtype)
    return tmp_path / name


def truncate(path, share):
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    return path


BROKEN = {
    "missing": (lambda p: p / "x.wav", "no such audio file"),
    "not audio": (lambda p: truncate(write(p, tone(300)), 0.0), "not readable as audio"),
    "text": (lambda p: (p / "x.wav").write_text("hello") and p / "x.wav", "not readable as audio"),
    "cut flac": (lambda p: truncate(write(p, tone(300, 2.0)), 0.5), "cut short|not readable"),
    "wrong rate": (lambda p: write(p, tone(300), 44_100), "sampled at 44100 Hz, 16000 Hz expected"),
    "stereo": (lambda p: write(p, np.zeros((100, 2))), "2 channels"),
    "empty": (lambda p: write(p, np.zeros(0), name="x.wav"), "no samples"),
    "nan": (lambda p: write(p, np.array([0.0, np.nan]), name="x.wav", subtype="FLOAT"), "not numbers"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_audio_is_explained(tmp_path, case):
    make, message = BROKEN[case]
    path = make(tmp_path)
    with pytest.raises(DataError, match=message) as caught:
        read_clip(path, RATE)
    assert caught.value.where == str(path)


@pytest.mark.parametrize(
    ("length", "placement", "expected"),
    [
        (6, "centre", [0, 1, 2, 3, 0, 0]),
        (6, "start", [1, 2, 3, 0, 0, 0]),
        (3, "centre", [1, 2, 3]),
        (1, "centre", [2]),
        (2, "start", [1, 2]),
    ],
)
def test_fit_length(length, placement, expected):
    assert fit_length(np.array([1, 2, 3], np.int16), length, placement).tolist() == expected
