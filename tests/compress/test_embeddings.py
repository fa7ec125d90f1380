"""Students that learn a larger model's features before its answers."""

import csv

import numpy as np
import pytest
import torch
from compressing import RECIPE, linear_onnx

from edgetx.audio import load_recordings
from edgetx.compress.distill import distill
from edgetx.compress.embedding import load_embedders
from edgetx.compress.features import Matching, Probed
from edgetx.compress.tuning import Batch
from edgetx.compress.views import load_tuning_data
from edgetx.compress.watch import Watch
from edgetx.errors import DataError, ModelError
from edgetx.nn import build
from edgetx.nn.zoo import load_zoo_model
from edgetx.recipe import load_recipe

STUDENT = RECIPE.replace("channels = 12", "channels = 6")


def student(folder, settings):
    path = folder / "student.toml"
    path.write_text(STUDENT.replace("teachers = []", settings + "\nembedding_epochs = 3"))
    return str(path)


def training_paths(recordings):
    with (recordings / "split.csv").open() as file:
        return [row["path"] for row in csv.DictReader(file) if row["split"] == "train"]


def embeddings_file(file, recordings, **changes):
    paths = training_paths(recordings)
    rows = np.random.default_rng(0).normal(3, 2, (len(paths), 5)).astype(np.float32)
    np.savez(file, **{"path": np.array(paths), "embedding": rows, **changes})
    return file, rows


def test_features_are_learned_before_answers(tones, tmp_path):
    recordings, model = tones
    epochs = []
    source = student(tmp_path, f'teachers = ["{model}"]\nembeddings = ["{model}"]')
    metrics = distill(source, recordings, tmp_path / "out", Watch(epoch=epochs.append))
    assert [epoch.epoch for epoch in epochs] == [1, 2, 3, *range(1, 13)]
    assert epochs[2].loss < epochs[0].loss
    assert [stage.name for stage in metrics.stages] == ["teacher model", "distilled"]
    assert metrics.stages[1].accuracy > 0.5
    assert not list(tmp_path.glob(".out*"))
    fresh = build(load_recipe(source))
    assert {name: value.shape for name, value in load_zoo_model(tmp_path / "out")[0].state_dict().items()} == {
        name: value.shape for name, value in fresh.state_dict().items()
    }


def test_an_interruption_loses_neither_stage(tones, tmp_path):
    recordings, model = tones
    source = student(tmp_path, f'teachers = ["{model}"]\nembeddings = ["{model}"]')
    distill(source, recordings, tmp_path / "whole")
    for last in (2, 5):  # in either stage
        seen = []

        def stop(epoch, seen=seen, last=last):
            seen.append(epoch)
            if len(seen) == last:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            distill(source, recordings, tmp_path / "out", Watch(epoch=stop))
    rest = []
    distill(source, recordings, tmp_path / "out", Watch(epoch=rest.append))
    assert len(rest) == 3 + 12 - 2 - 5
    whole, out = ((tmp_path / name / "weights.safetensors").read_bytes() for name in ("whole", "out"))
    assert whole == out


def test_embeddings_on_disk_belong_to_clips_in_all_their_views(tones, tmp_path):
    recordings, _ = tones
    path, rows = embeddings_file(tmp_path / "cached.npz", recordings)
    source = student(tmp_path, f'embeddings = ["{path}"]')
    recipe = load_recipe(source)
    found = load_tuning_data(recordings, recipe, embedders=load_embedders(recipe)).embeddings
    expected = (rows - rows.mean(0)) / rows.std(0)
    for view in found:
        np.testing.assert_allclose(view, expected, atol=1e-5)
    metrics = distill(source, recordings, tmp_path / "out")
    assert [stage.name for stage in metrics.stages] == ["distilled"]


@pytest.mark.runtimes
def test_a_model_from_elsewhere_hears_every_view(tones, tmp_path):
    recordings, _ = tones
    file, _ = linear_onnx(tmp_path / "foreign.onnx", 4000, 3)
    recipe = load_recipe(student(tmp_path, f'embeddings = ["{file}"]'))
    views = load_tuning_data(recordings, recipe, embedders=load_embedders(recipe)).embeddings
    assert views.shape[2] == 3
    assert not torch.equal(views[0], views[1])
    (embedder,) = load_embedders(recipe)
    first = embedder.embed(load_recordings(recordings, recipe.data, "train").x, ())
    for value, expected in zip(views[0].T, first.T, strict=True):
        assert np.corrcoef(value, expected)[0, 1] > 0.9999


def test_embeddings_that_do_not_fit_are_refused(tones, tmp_path):
    recordings, _ = tones
    paths = training_paths(recordings)
    for changes, message in (
        ({"path": np.array(["other.wav", *paths[1:]])}, f"no embedding of {paths[0]}"),
        ({"path": np.array(paths[1:])}, "paths and embeddings"),
        ({"embedding": np.full((len(paths), 2), np.nan)}, "not all numbers"),
        ({"embedding": np.zeros(len(paths))}, "paths and embeddings"),
    ):
        path, _ = embeddings_file(tmp_path / "cached.npz", recordings, **changes)
        with pytest.raises(DataError, match=message):
            distill(student(tmp_path, f'embeddings = ["{path}"]'), recordings, tmp_path / "out")
    path.write_bytes(b"no archive")
    with pytest.raises(DataError, match="not a file of embeddings"):
        distill(student(tmp_path, f'embeddings = ["{path}"]'), recordings, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_student_without_a_linear_head_is_refused(tones, tmp_path):
    recordings, model = tones
    source = student(tmp_path, f'embeddings = ["{model}"]')
    text = STUDENT.replace("teachers = []", f'embeddings = ["{model}"]')
    start, end = text.index("architecture"), text.index("[training]")
    (tmp_path / "student.toml").write_text(text[:start] + 'architecture = "bc-resnet-1"\n\n' + text[end:])
    with pytest.raises(ModelError, match="last layer is not a linear one"):
        distill(source, recordings, tmp_path / "out")


def test_the_distance_is_that_of_the_paper_and_answers_leave_features_alone():
    torch.manual_seed(0)

    class Body(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.head = torch.nn.Linear(4, 6), torch.nn.Linear(6, 3)

        def forward(self, x):
            return self.head(self.inner(x))

    body, x, wanted = Body(), torch.randn(8, 4), torch.randn(8, 5)
    expected = body(x)
    probed = Probed(body, 5, "student")
    torch.testing.assert_close(probed(x), expected)
    logits, features = probed.both(x)
    labels = torch.eye(3)[torch.arange(8) % 3]
    cosine = (features * wanted).sum(1) / features.norm(dim=1) / wanted.norm(dim=1)
    loss = (features - wanted).abs().mean() - cosine.sigmoid().log().mean()
    loss = loss - (labels * logits.log_softmax(1)).sum(1).mean()
    torch.testing.assert_close(Matching(0.0)(probed, Batch(x, labels, wanted)), loss)
    logits.sum().backward()
    assert body.inner.weight.grad is None
    torch.testing.assert_close(probed.whole()(x), expected)
