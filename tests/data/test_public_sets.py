import csv
import functools
import json
import threading
from collections import Counter
from dataclasses import replace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pooch
import pytest
import soundfile
from archives import esc50, speech_commands, wav, write_tar
from click.testing import CliRunner
from recordings import RATE

from edgetx.audio import load_dataset
from edgetx.cli import main
from edgetx.data import esc
from edgetx.data import speech_commands as sc
from edgetx.data.check import check_folder
from edgetx.errors import DataError
from edgetx.recipe import load_recipe


@pytest.fixture
def archives(tmp_path, monkeypatch):
    """A folder with made-up archives, whose checksums take the place of the real ones."""
    monkeypatch.setenv("EDGETX_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "archives"
    folder.mkdir()
    speech_commands(folder)
    for name in ("TRAINING", "TEST"):
        archive = getattr(sc, name)
        own = replace(archive, checksum=pooch.file_hash(str(folder / archive.name)))
        monkeypatch.setattr(sc, name, own)
    return folder


@pytest.fixture
def server(archives):
    """Address of a server of that folder."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=archives)) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def run(*arguments):
    return CliRunner().invoke(main, [*map(str, arguments)])


def counts(rows):
    return Counter((row.label, row.split) for row in rows)


def test_twelve_classes_have_unknown_words_and_silence(archives, tmp_path):
    rows = sc.prepare(tmp_path / "out", 12, mirror=str(archives))
    found = counts(rows)
    assert {split: found["yes", split] for split in ("train", "valid", "test")} == {"train": 3, "valid": 1, "test": 1}
    assert {split: found["_unknown_", split] for split in ("train", "valid", "test")} == {
        "train": 3,
        "valid": 1,
        "test": 3,
    }
    assert {split: found["_silence_", split] for split in ("train", "valid", "test")} == {
        "train": 3,
        "valid": 1,
        "test": 2,
    }
    unknown = {row.word for row in rows if row.label == "_unknown_" and row.split != "test"}
    assert unknown <= set(sc.WORDS) - set(sc.COMMANDS)
    assert {row.speaker for row in rows if row.split == "test"} == {"22tt", ""}


def test_thirty_five_classes_follow_the_lists(archives, tmp_path):
    rows = sc.prepare(tmp_path / "out", 35, mirror=str(archives))
    assert len(rows) == 35 * 5
    assert {row.split for row in rows if row.speaker == "11vv"} == {"valid"}
    assert {row.split for row in rows if row.speaker == "22tt"} == {"test"}
    assert Counter(row.split for row in rows) == {"train": 105, "valid": 35, "test": 35}


def test_prepared_folder_is_ready_for_training(archives, tmp_path):
    out = tmp_path / "out"
    sc.prepare(out, 12, mirror=str(archives))
    recipe = load_recipe(out)
    assert recipe.data.classes[-2:] == ("_silence_", "_unknown_")
    assert load_dataset(out, recipe).part("train").x.shape == (36, *recipe.input_shape)
    assert (out / recipe.training.augmentation.noise_folder / "white_noise.wav").is_file()
    assert not check_folder(out).has_errors


def test_seed_chooses_the_unknown_words(archives, tmp_path):
    def words(seed):
        rows = sc.prepare(tmp_path / "out", 12, seed, str(archives))
        return [row.path for row in rows if row.label == "_unknown_"]

    assert words(0) == words(0) != words(1)


def test_silence_of_validation_is_not_heard_in_training():
    recording = np.repeat([1000, -1000], [16 * RATE, 4 * RATE]).astype(np.int16)
    rng = np.random.default_rng(0)
    for split, sign in (("train", 1), ("valid", -1)):
        clips = list(sc.silence({"a": recording}, split, 100, rng))
        assert all(len(clip) == RATE and (sign * clip >= 0).all() for clip in clips)
        assert len({clip[0] for clip in clips}) > 50


def test_download_from_a_server_is_kept(server, archives, tmp_path):
    result = run("data", "get", "speech-commands-35", "-o", tmp_path / "out", "--mirror", server, "--json")
    assert json.loads(result.stdout)["clips"] == {"train": 105, "valid": 35, "test": 35}, result.output
    (archives / sc.TRAINING.name).unlink()
    assert run("data", "get", "speech-commands-35", "-o", tmp_path / "out", "--mirror", server).exit_code == 0


def test_what_the_server_does_not_have(server, archives, tmp_path):
    (archives / sc.TRAINING.name).unlink()
    result = run("data", "get", "speech-commands-12", "-o", tmp_path / "out", "--mirror", server)
    assert result.exit_code == 1
    assert "HTTP 404" in result.output
    assert "by hand" in result.output


def test_no_network(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGETX_CACHE", str(tmp_path / "cache"))
    with pytest.raises(DataError, match="no connection"):
        sc.prepare(tmp_path / "out", 35, mirror="http://127.0.0.1:9")


@pytest.mark.parametrize("by_server", [True, False])
def test_damaged_archive_is_refused(server, archives, tmp_path, by_server):
    damaged = archives / sc.TRAINING.name
    damaged.write_bytes(damaged.read_bytes()[:-100])
    with pytest.raises(DataError, match="checksum"):
        sc.prepare(tmp_path / "out", 35, mirror=server if by_server else str(archives))
    assert not (tmp_path / "out").exists()


def test_cut_archive_is_refused_without_a_checksum_too(archives, tmp_path, monkeypatch):
    damaged = archives / sc.TRAINING.name
    damaged.write_bytes(damaged.read_bytes()[:-5000])
    monkeypatch.setattr(sc, "TRAINING", replace(sc.TRAINING, checksum=None))
    with pytest.raises(DataError, match=r"not readable as \.tar\.gz"):
        sc.prepare(tmp_path / "out", 35, mirror=str(archives))


def test_archive_without_lists_is_refused(archives, tmp_path, monkeypatch):
    write_tar(archives / sc.TRAINING.name, {"yes/a_nohash_0.wav": wav(1)})
    monkeypatch.setattr(sc, "TRAINING", replace(sc.TRAINING, checksum=None))
    with pytest.raises(DataError, match=r"no validation_list\.txt"):
        sc.prepare(tmp_path / "out", 35, mirror=str(archives))


def test_folders_of_others_are_not_replaced(archives, recordings):
    result = run("data", "get", "speech-commands-35", "-o", recordings, "--mirror", archives)
    assert "not an earlier output" in result.output
    assert (recordings / "split.csv").is_file()


@pytest.mark.parametrize(("classes", "fold"), [(10, 5), (50, 2)])
def test_esc_has_its_folds(archives, tmp_path, classes, fold):
    esc50(archives)
    rows = esc.prepare(tmp_path / "out", classes, fold, str(archives))
    assert Counter(row.split for row in rows) == {"train": 24 * classes, "valid": 8 * classes, "test": 8 * classes}
    assert all(row.fold == row.path.split("/")[1][0] for row in rows)
    folds = {split: {row.path.split("/")[1][0] for row in rows if row.split == split} for split in ("test", "valid")}
    assert folds == {"test": {str(fold)}, "valid": {str(fold % 5 + 1)}}
    with (tmp_path / "out" / "split.csv").open() as file:
        assert soundfile.info(tmp_path / "out" / next(csv.DictReader(file))["path"]).samplerate == RATE


def test_esc_that_lacks_something_is_refused(archives, tmp_path):
    esc50(archives, missing=3)
    with pytest.raises(DataError, match="3 clips are missing"):
        esc.prepare(tmp_path / "out", 50, mirror=str(archives))
    esc50(archives, categories=49)
    with pytest.raises(DataError, match="50 classes"):
        esc.prepare(tmp_path / "out", 50, mirror=str(archives))
    (archives / "master.zip").write_bytes(b"PK and more")
    with pytest.raises(DataError, match=r"not readable as \.zip"):
        esc.prepare(tmp_path / "out", 10, mirror=str(archives))


def test_resampling_keeps_a_tone():
    time = np.arange(44_100) / 44_100
    clip = esc.to_rate(np.sin(2 * np.pi * 1000 * time).astype(np.float32) * 0.5, 44_100)
    spectrum = np.abs(np.fft.rfft(clip[1000:-1000] * np.hanning(len(clip) - 2000)))
    assert len(clip) == RATE
    assert abs(spectrum.argmax() * RATE / (len(clip) - 2000) - 1000) < 2
