import dataclasses

import numpy as np
import pytest
import soundfile
from recordings import DATA, RATE, SPEAKERS, tone

from edgetx.audio import load_dataset, load_npz, load_recordings
from edgetx.audio.frontend import extract
from edgetx.errors import DataError
from edgetx.recipe import FrontEnd, Model, Recipe, load_recipe

RECIPE = Recipe("demo", DATA, Model("kwt-1"), frontend=FrontEnd(mean=5.0, std=3.0))


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGETX_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def edit(folder, old, new):
    table = folder / "split.csv"
    table.write_text(table.read_text().replace(old, new, 1))


def test_folder_becomes_model_inputs(recordings):
    data = load_dataset(recordings, RECIPE)
    assert data.x.shape == (24, *RECIPE.input_shape)
    assert data.x.dtype == np.float32
    assert set(data.speakers) == set(SPEAKERS)
    valid = data.part("valid")
    assert set(valid.speakers) == {"carl"}
    assert valid.y.tolist() == [0, 0, 0, 1, 1, 1]


def test_model_inputs_are_the_front_end_of_the_recordings(recordings):
    audio = load_recordings(recordings, DATA, "test")
    inputs = load_dataset(recordings, RECIPE).part("test").x
    np.testing.assert_array_equal(extract(audio.x, RECIPE.frontend, RATE), inputs)


def test_second_load_comes_from_the_cache_until_a_clip_changes(recordings, cache):
    first = load_dataset(recordings, RECIPE).x
    (stored,) = cache.iterdir()
    np.save(stored.open("wb"), first + 1)
    np.testing.assert_array_equal(load_dataset(recordings, RECIPE).x, first + 1)
    soundfile.write(recordings / "low_anna_0.flac", tone(500), RATE)
    assert not np.array_equal(load_dataset(recordings, RECIPE).x, first + 1)


def test_damaged_cache_is_computed_again(recordings, cache):
    first = load_dataset(recordings, RECIPE).x
    (stored,) = cache.iterdir()
    stored.write_bytes(stored.read_bytes()[:100])
    np.testing.assert_array_equal(load_dataset(recordings, RECIPE).x, first)


def test_unwritable_cache_costs_nothing_but_time(recordings, monkeypatch):
    monkeypatch.setenv("EDGETX_CACHE", "/dev/null/cache")
    assert len(load_dataset(recordings, RECIPE).x) == 24


def test_labels_without_splits_are_all_test(recordings):
    rows = [row.split(",")[:2] for row in (recordings / "split.csv").read_text().split()]
    (recordings / "split.csv").unlink()
    (recordings / "labels.csv").write_text("\n".join(",".join(row) for row in rows))
    data = load_dataset(recordings, RECIPE)
    assert set(data.split) == {"test"}
    with pytest.raises(DataError, match="no clips in split 'train'"):
        data.part("train")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("low,", "lwo,", "did you mean 'low'?"),
        ("valid", "validation", "did you mean 'valid'?"),
        ("low_anna_0.flac", "gone.flac", "no such file: gone.flac"),
        ("path,", "file,", "no column 'path'"),
        ("dora,test", "anna,test", "speaker 'anna' is in the splits 'train' and 'test'"),
    ],
)
def test_mistakes_in_the_table_are_named(recordings, old, new, message):
    edit(recordings, old, new)
    with pytest.raises(DataError) as caught:
        load_dataset(recordings, RECIPE)
    assert message in str(caught.value)
    assert "split.csv" in str(caught.value)


def test_empty_folder_and_empty_table(tmp_path):
    with pytest.raises(DataError, match=r"none of split\.csv, folds\.csv, labels\.csv"):
        load_dataset(tmp_path, RECIPE)
    (tmp_path / "split.csv").write_text("path,label,split\n")
    with pytest.raises(DataError, match="lists no clips"):
        load_dataset(tmp_path, RECIPE)


SHAPE = (3, 2)
GOOD = np.zeros((4, *SHAPE), np.float32)


def test_npz_round_trip(tmp_path):
    np.savez(tmp_path / "d.npz", x=GOOD.astype(np.float16), y=np.array([0, 1, 1, 0], np.uint8))
    data = load_npz(tmp_path / "d.npz", SHAPE, ("a", "b"))
    assert data.x.dtype == np.float32
    assert data.y.tolist() == [0, 1, 1, 0]
    assert len(load_dataset_of_npz(tmp_path).part("test").x) == 4


def load_dataset_of_npz(tmp_path):
    recipe = dataclasses.replace(RECIPE)
    np.savez(tmp_path / "e.npz", x=np.zeros((4, *recipe.input_shape)))
    return load_dataset(tmp_path / "e.npz", recipe)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"z": GOOD}, "no array 'x'"),
        ({"x": GOOD[:, :2]}, "N × 3 × 2 expected"),
        ({"x": GOOD[:0]}, "N × 3 × 2 expected"),
        ({"x": GOOD.astype(int)}, "float N × 3 × 2"),
        ({"x": GOOD + np.nan}, "not numbers"),
        ({"x": GOOD, "y": np.zeros(3, int)}, "one integer per input"),
        ({"x": GOOD, "y": np.zeros(4)}, "one integer per input"),
        ({"x": GOOD, "y": np.array([0, 1, 2, 0])}, "outside 0 … 1"),
    ],
)
def test_bad_npz_is_explained(tmp_path, arrays, message):
    np.savez(tmp_path / "d.npz", **arrays)
    with pytest.raises(DataError) as caught:
        load_npz(tmp_path / "d.npz", SHAPE, ("a", "b"))
    assert message in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 damaged", b"text"])
def test_damaged_npz_is_explained(tmp_path, content):
    (tmp_path / "d.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"not readable as \.npz"):
        load_npz(tmp_path / "d.npz", SHAPE)


def test_real_keyword_set_loads_whole(shared_data):
    recipe = load_recipe("kws-transformer-micro")
    data = load_dataset(shared_data / "audio" / "arabic_speech_commands", recipe)
    assert [len(data.part(s).x) for s in ("train", "valid", "test")] == [1980, 660, 660]
    train = data.part("train").x
    assert abs(train.mean()) < 0.2
    assert 0.7 < train.std() < 1.3
