import itertools
import json

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from recordings import RATE, SPEAKERS

from edgetx.audio import read_clip
from edgetx.audio.clip import to_int16
from edgetx.cli import main
from edgetx.data.check import check_folder
from edgetx.data.duplicates import fingerprint, near_duplicates
from edgetx.errors import DataError


def kinds(folder, severity):
    return {finding.kind for finding in check_folder(folder).findings if finding.severity == severity}


def speech(seed, seconds=1.0):
    """Noise in syllables, below 2 kHz, in ±1."""
    rng = np.random.default_rng(seed)
    count = round(seconds * RATE)
    spectrum = np.fft.rfft(rng.standard_normal(count))
    hz = np.fft.rfftfreq(count, 1 / RATE)
    noise = np.fft.irfft(spectrum / (1 + (hz / rng.uniform(500, 2000)) ** 2), count)
    envelope = np.interp(np.arange(count), np.linspace(0, count, 11), [0, *rng.uniform(0, 1, 9), 0])
    return 0.1 * envelope * noise / noise.std()


@pytest.fixture
def recordings(tmp_path):
    """Like the folder of the same name, with clips that differ as those of speech do."""
    folder = tmp_path / "clips"
    folder.mkdir()
    (folder / "split.csv").write_text("path,label,speaker,split\n")
    seeds = itertools.count(1000)
    for (speaker, split), label, take in itertools.product(SPEAKERS.items(), ("low", "high"), range(3)):
        add(folder, f"{label}_{speaker}_{take}.flac", speech(next(seeds)), label, speaker, split)
    return folder


def add(folder, name, audio, label, speaker, split, rate=RATE):
    soundfile.write(folder / name, audio, rate, "PCM_16")
    with (folder / "split.csv").open("a") as file:
        file.write(f"{name},{label},{speaker},{split}\n")


def edit(folder, change):
    table = folder / "split.csv"
    table.write_text(change(table.read_text()))


def test_nothing_to_complain_about(recordings):
    assert check_folder(recordings).findings == []
    result = CliRunner().invoke(main, ["data", "check", str(recordings)])
    assert result.exit_code == 0
    assert "nothing to complain about" in result.output
    assert "24 clips" in result.output


def test_json_holds_everything(recordings):
    add(recordings, "again.flac", speech(0), "low", "anna", "test")
    result = CliRunner().invoke(main, ["data", "check", str(recordings), "--json"])
    report = json.loads(result.stdout)
    assert result.exit_code == 1
    assert report["classes"]["low"] == {"train": 6, "valid": 3, "test": 4}
    assert report["speakers"] == {"train": 2, "valid": 1, "test": 2}
    assert report["findings"][0]["kind"] == "speaker leakage"


@pytest.mark.parametrize(
    ("damage", "text"),
    [(lambda p: p.unlink(), "no such audio file"), (lambda p: p.write_bytes(b"fLaC"), "not readable as audio")],
)
def test_missing_and_damaged_audio(recordings, damage, text):
    damage(recordings / "low_anna_0.flac")
    (finding,) = check_folder(recordings).findings
    assert finding.severity == "error"
    assert text in finding.text
    assert finding.clips == ["low_anna_0.flac"]


def test_other_sample_rate(recordings):
    add(recordings, "slow.flac", speech(0)[::2], "low", "anna", "train", rate=8000)
    assert "sample rate" in kinds(recordings, "error")


def test_levels_and_lengths(recordings):
    add(recordings, "loud.flac", np.clip(30 * speech(0), -1, 1), "low", "anna", "train")
    add(recordings, "none.flac", np.zeros(16000), "low", "anna", "train")
    add(recordings, "short.flac", speech(1, 0.05), "low", "anna", "train")
    assert {"clipping", "silence", "length"} <= kinds(recordings, "warning")


def test_silence_may_be_silent(recordings):
    for split, speaker in (("train", "anna"), ("valid", "carl"), ("test", "dora")):
        for i in range(3):
            add(recordings, f"{split}{i}.flac", np.zeros(16000), "_silence_", speaker, split)
    assert check_folder(recordings).findings == []


def test_class_without_training_clips(recordings):
    edit(recordings, lambda text: "\n".join(r for r in text.split() if not ("high" in r and "train" in r)) + "\n")
    (finding,) = (f for f in check_folder(recordings).findings if f.severity == "error")
    assert finding.text == "no clips in split 'train' of: high"


def test_imbalance(recordings):
    for i in range(50):
        add(recordings, f"more{i}.flac", speech(i), "low", "anna", "train")
    assert kinds(recordings, "warning") == {"class balance"}


def test_speakers_that_nobody_names(recordings):
    edit(recordings, lambda text: text.replace(",anna,", ",,").replace(",bert,", ",,"))
    edit(recordings, lambda text: text.replace(",carl,", ",,").replace(",dora,", ",,"))
    assert kinds(recordings, "warning") == {"speakers unknown"}


def test_exact_duplicates(recordings):
    audio = speech(0)
    add(recordings, "a.wav", audio, "low", "anna", "train")
    add(recordings, "b.wav", audio, "low", "dora", "test")
    add(recordings, "c.wav", audio, "high", "bert", "train")
    add(recordings, "d.flac", speech(1), "low", "anna", "train")
    add(recordings, "e.flac", speech(1), "low", "anna", "train")
    assert kinds(recordings, "error") == {"duplicates across splits", "label conflict"}
    assert kinds(recordings, "warning") == {"duplicates"}


def test_near_duplicates(recordings):
    for i in range(30):
        add(recordings, f"s{i}.flac", speech(i), "low", "anna", "train")
    add(recordings, "changed.flac", 0.4 * np.roll(speech(7), 500), "low", "dora", "test")
    assert kinds(recordings, "error") == {"near duplicates across splits"}
    (finding,) = (f for f in check_folder(recordings).findings if f.severity == "error")
    assert finding.clips == ["s7.flac (train) ≈ changed.flac (test)"]


CHANGES = {
    "gain": lambda x: (0.2 * x, RATE),
    "shift": lambda x: (np.roll(x, 1600), RATE),
    "half the rate": lambda x: (np.fft.irfft(np.fft.rfft(x)[: len(x) // 4 + 1], len(x) // 2) / 2, RATE // 2),
    "padding": lambda x: (np.pad(x, 3000), RATE),
    "noise": lambda x: (x + 0.1 * x.std() * np.random.default_rng(0).standard_normal(len(x)), RATE),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_changes_that_are_seen_through(shared_data, change):
    files = sorted((shared_data / "audio" / "arabic_speech_commands").glob("*/*.flac"))[::330]
    clips = [read_clip(file, RATE) for file in files]
    prints = [fingerprint(clip, RATE) for clip in clips]
    for i, clip in enumerate(clips):
        audio, rate = change(clip / 32768)
        again = fingerprint(to_int16(audio), rate)
        assert near_duplicates([*prints, again]) == [(i, len(clips))]


def test_table_that_cannot_be_read(tmp_path):
    with pytest.raises(DataError, match=r"none of split\.csv"):
        check_folder(tmp_path)
    (tmp_path / "split.csv").write_text("path,split\n")
    with pytest.raises(DataError, match="no column 'label'"):
        check_folder(tmp_path)
    (tmp_path / "split.csv").write_text("path,label\n")
    with pytest.raises(DataError, match="lists no clips"):
        check_folder(tmp_path)
