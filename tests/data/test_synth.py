import json
from collections import Counter, defaultdict

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from edgetx.audio import read_clip
from edgetx.cli import main
from edgetx.data.check import check_folder
from edgetx.data.synth import Synthesis, effects, speaker, synthesize
from edgetx.data.synth.keywords import SHARES, split_voices
from edgetx.data.synth.speaker import start_speaker
from edgetx.errors import DataError, ToolchainError
from edgetx.recipe import load_recipe
from edgetx.train import train

RATE = 16_000
SMALL = Synthesis(("yes", "hey computer"), clips=20, clip_ms=1200)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    pytest.importorskip("espeakng_loader")
    out = tmp_path_factory.mktemp("synth") / "words"
    return out, synthesize(SMALL, out)


def test_counts_by_class_and_split(made):
    _, rows = made
    counts = Counter((row.label, row.split) for row in rows)
    assert counts["yes", "train"] == counts["hey computer", "train"] == 14
    assert counts["yes", "valid"] == counts["yes", "test"] == 3
    assert sum(row.label == "_unknown_" for row in rows) == 40
    assert sum(row.label == "_silence_" for row in rows) == 20


def test_no_voice_is_in_two_splits(made):
    _, rows = made
    splits = defaultdict(set)
    for row in rows:
        splits[row.speaker].add(row.split)
    del splits[""]
    assert all(len(where) == 1 for where in splits.values())
    assert len(splits) > 20


def test_folder_passes_its_own_check(made):
    out, _ = made
    report = check_folder(out)
    assert not report.has_errors
    assert {finding.kind for finding in report.findings} <= {"clipping"}
    assert report.seconds == (1.2, 1.2, 1.2)


def test_unknown_words_are_not_keywords(made):
    _, rows = made
    words = [row.word.lower().split() for row in rows if row.label == "_unknown_"]
    assert not any({"yes", "hey", "computer"} & set(word) for word in words)
    assert len({tuple(word) for word in words}) > 20


def test_same_seed_gives_the_same_bits(made, tmp_path):
    out, rows = made
    again = synthesize(SMALL, tmp_path / "again")
    assert again == rows
    for row in rows[::7]:
        np.testing.assert_array_equal(read_clip(out / row.path, RATE), read_clip(tmp_path / "again" / row.path, RATE))


def test_words_sound_different_and_silence_is_quiet_speech_free_noise(made):
    out, rows = made
    levels = defaultdict(list)
    for row in rows:
        clip = read_clip(out / row.path, RATE) / 32768
        levels[row.label].append(20 * np.log10(np.sqrt((clip**2).mean()) + 1e-9))
    assert min(levels["yes"]) > -45
    assert min(levels["_silence_"]) < -50
    assert max(levels["_silence_"]) > -30


def test_recipe_trains(made, tmp_path, monkeypatch):
    monkeypatch.setenv("EDGETX_CACHE", str(tmp_path / "cache"))
    out, _ = made
    recipe = load_recipe(out)
    assert recipe.data.classes == ("yes", "hey computer", "_unknown_", "_silence_")
    text = (
        (out / "recipe.toml")
        .read_text()
        .replace("epochs = 40", "epochs = 1")
        .replace("warmup_epochs = 3", "warmup_epochs = 0")
    )
    (tmp_path / "short.toml").write_text(text)
    metrics = train(tmp_path / "short.toml", out, tmp_path / "model")
    assert metrics.test.clips == 15
    assert "" not in metrics.test.speakers


def test_real_noise_is_mixed_in_by_split(tmp_path):
    pytest.importorskip("espeakng_loader")
    noise = tmp_path / "noise"
    noise.mkdir()
    soundfile.write(noise / "n.wav", 0.1 * np.random.default_rng(0).standard_normal(20 * RATE), RATE)
    rows = synthesize(Synthesis(("no",), clips=20, noise=noise), tmp_path / "out")
    assert len(rows) == 80
    assert soundfile.info(tmp_path / "out" / "_noise_" / "recorded_0.flac").frames == 14 * RATE


def test_other_languages(tmp_path):
    pytest.importorskip("espeakng_loader")
    arguments = ["data", "synth", "--words", "ja,nein", "--languages", "de", "--unknown", "Haus,Baum,Katze,Wasser"]
    result = CliRunner().invoke(main, [*arguments, "--clips", "20", "-o", str(tmp_path / "de"), "--json"])
    assert json.loads(result.stdout)["classes"] == ["_silence_", "_unknown_", "ja", "nein"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Synthesis(()), "no words"),
        (Synthesis(("a", "a")), "given twice"),
        (Synthesis(("../x",)), "not a word"),
        (Synthesis(("yes",), languages=("xx-none",)), "has no voice 'xx-none"),
        (
            Synthesis(("the quick brown fox jumps over the lazy dog again and again",), clip_ms=500),
            "longer than a clip",
        ),
    ],
)
def test_what_cannot_be_said_is_explained(tmp_path, settings, message):
    pytest.importorskip("espeakng_loader")
    with pytest.raises(DataError, match=message):
        synthesize(settings, tmp_path / "out")
    assert not any(tmp_path.iterdir())


def test_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(speaker.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ToolchainError, match="espeakng-loader"), start_speaker():
        pass


def test_synthesizer_that_dies_is_explained(monkeypatch):
    pytest.importorskip("espeakng_loader")
    monkeypatch.setattr(speaker, "_PROGRAM", ("false",))
    with pytest.raises(ToolchainError, match="has ended"), start_speaker():
        pass


def test_voices_are_split_by_seed():
    names = [f"v{i}" for i in range(40)] + ["robosoft", "UniRobot"]
    voices = split_voices(names, 0)
    assert [len(voices[split]) for split in SHARES] == [28, 6, 6]
    assert not any("robo" in name.lower() for part in voices.values() for name in part)
    assert split_voices(names, 0) == voices != split_voices(names, 1)


def test_coloured_noise_has_its_slope():
    rng = np.random.default_rng(0)
    for exponent in (0, 1, 2):
        power = np.abs(np.fft.rfft(effects.coloured(exponent)(rng, 1 << 16, RATE))) ** 2
        hz = np.fft.rfftfreq(1 << 16, 1 / RATE)
        low, high = (power[(hz > f) & (hz < 2 * f)].mean() for f in (200, 3200))
        assert abs(np.log2(low / high) - 4 * exponent) < 0.3


def test_reverberation_has_a_tail_and_keeps_the_start():
    pulse = np.zeros(RATE)
    pulse[100] = 1.0
    heard = effects.reverberate(pulse, np.random.default_rng(0), RATE)
    assert np.abs(heard[:100]).max() < 1e-9
    assert heard[100] == pytest.approx(1.0)
    energy = np.cumsum(heard[::-1] ** 2)[::-1]
    assert 0 < energy[200] < 2.1
    assert energy[RATE // 2] < energy[RATE // 10]


def test_trim_and_level():
    audio = np.pad(np.sin(np.arange(3200)), 5000)
    assert len(effects.trim(audio)) in range(3200, 3700)
    assert len(effects.trim(np.zeros(1000))) == 0
    assert np.sqrt((effects.at_level(audio, -20) ** 2).mean()) == pytest.approx(3276.8)
