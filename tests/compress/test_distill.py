"""Students and their teachers, of every kind."""

import json

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from compressing import RECIPE, linear_onnx

import edgetx.compress.distill as module
from edgetx.audio import load_recordings
from edgetx.audio.dataset import read_rows
from edgetx.cli import main
from edgetx.compress.distill import distill
from edgetx.compress.teacher import load_teacher
from edgetx.compress.tuning import Batch, Distilling
from edgetx.compress.views import corrected
from edgetx.errors import ConfigError, DataError, ModelError
from edgetx.recipe import load_recipe
from edgetx.train.metrics import load_metrics

STUDENT = RECIPE.replace("channels = 12", "channels = 6").replace("epochs = 12", "epochs = 30")


def student(folder, teacher, **changes):
    text = STUDENT.replace("teachers = []", f'teachers = ["{teacher}"]')
    for old, new in changes.items():
        text = text.replace(old, new)
    path = folder / "student.toml"
    path.write_text(text)
    return path


def test_a_student_learns_from_a_model_folder(tones, tmp_path):
    recordings, model = tones
    metrics = distill(str(student(tmp_path, model)), recordings, tmp_path / "out")
    assert [stage.name for stage in metrics.stages] == ["teacher model", "distilled"]
    assert metrics.stages[0].accuracy == metrics.test.accuracy == 1.0
    assert metrics.stages[0].parameters > metrics.stages[1].parameters
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["stages"][1]["interval_95"]


def test_teachers_are_asked_once(tones, tmp_path, monkeypatch):
    recordings, model = tones
    source = str(student(tmp_path, model))
    distill(source, recordings, tmp_path / "out")
    monkeypatch.setattr("edgetx.compress.views._Maker._audio", lambda *_: pytest.fail("audio was made again"))
    distill(source, recordings, tmp_path / "again")


def test_several_students_share_their_views(tones, tmp_path, monkeypatch):
    recordings, model = tones
    distill(str(student(tmp_path, model)), recordings, tmp_path / "one")
    monkeypatch.setattr("edgetx.compress.views._Maker._audio", lambda *_: pytest.fail("audio was made again"))
    metrics = distill(str(student(tmp_path, model)), recordings, tmp_path / "best", seeds=2)
    assert [run.seed for run in metrics.repeats.runs] == [0, 1]
    one, best = (load_metrics(tmp_path / name / "metrics.json") for name in ("one", "best"))
    assert metrics.repeats.runs[0].accuracy == one.test.accuracy
    assert best == metrics
    assert not list(tmp_path.glob(".best*"))


def test_every_fold_has_a_student_that_never_heard_it(tones, tmp_path, monkeypatch):
    recordings, model = tones
    folded, table = tmp_path / "folded", "path,label,fold\n"
    folded.mkdir()
    for number, row in enumerate(read_rows(recordings)):
        table += f"{recordings / row['path']},{row['label']},{1 + number % 3}\n"
    (folded / "folds.csv").write_text(table)
    student_of, heard = module._student, []

    def spied(recipe, known, *rest):
        training, test = ({clip.tobytes() for clip in clips} for clips in (known.views.x[0].numpy(), known.test.x))
        heard.append(training & test)
        return student_of(recipe, known, *rest)

    monkeypatch.setattr(module, "_student", spied)
    metrics = distill(str(student(tmp_path, model)), folded, tmp_path / "out", folds=True, keep_all=True)
    assert [run.fold for run in metrics.repeats.runs] == [1, 2, 3]
    assert heard == [set(), set(), set()]
    for run in metrics.repeats.runs:
        other = tmp_path / f"out-fold-{run.fold}-seed-0"
        assert load_recipe(other).data.test_fold == run.fold
        assert load_metrics(other / "metrics.json").test.accuracy == run.accuracy


def test_labels_correct_a_teacher():
    answers = torch.tensor([[[3.0, 1.0, 2.0], [0.0, 5.0, 4.0]]]).expand(2, 2, 3)
    right, wrong = corrected(answers, torch.tensor([0, 2]))[1]
    assert right.tolist() == [3.0, 1.0, 2.0]
    assert wrong.tolist() == [0.0, 4.0, 5.0]


def test_the_same_seed_gives_the_same_student(tones, tmp_path):
    recordings, model = tones
    source = str(student(tmp_path, model))
    for name in ("one", "two"):
        distill(source, recordings, tmp_path / name)
    one, two = ((tmp_path / name / "weights.safetensors").read_bytes() for name in ("one", "two"))
    assert one == two


def test_teacher_classes_are_brought_into_the_students_order(tones, tmp_path):
    recordings, model = tones
    ours = load_recipe(model)
    path = student(tmp_path, model, **{'["low", "high"]': '["high", "low"]'})
    audio = load_recordings(recordings, ours.data, "test").x
    direct, swapped = (load_teacher(str(model), recipe).logits(audio) for recipe in (ours, load_recipe(path)))
    np.testing.assert_array_equal(direct, swapped[:, ::-1])


@pytest.mark.runtimes
def test_an_onnx_teacher_hears_audio_and_answers_in_probabilities(tones, tmp_path):
    recordings, _ = tones
    file, weight = linear_onnx(tmp_path / "foreign.onnx", 4000, 3)
    text = STUDENT.replace("teachers = []", f'teachers = ["{file}"]\nteacher_classes = ["high", "other", "low"]')
    (tmp_path / "student.toml").write_text(text)
    recipe = load_recipe(tmp_path / "student.toml")
    audio = load_recordings(recordings, recipe.data, "test").x
    found = load_teacher(str(file), recipe).logits(audio)
    scores = audio.astype(np.float32) / 32768 @ weight
    expected = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    np.testing.assert_allclose(np.exp(found), expected[:, [2, 0]], atol=1e-5)


@pytest.mark.runtimes
def test_a_teacher_that_does_not_fit_is_refused(tones, tmp_path):
    _, model = tones
    recipe = load_recipe(student(tmp_path, model))
    file, _ = linear_onnx(tmp_path / "foreign.onnx", 100, 2)
    with pytest.raises(ConfigError, match="what its outputs mean"):
        load_teacher(str(file), recipe)
    with pytest.raises(ModelError, match="no such file"):
        load_teacher(str(tmp_path / "missing.onnx"), recipe)
    for change, error, message in (
        ('classes = ["low", "high"]|classes = ["low", "middle"]', DataError, "middle"),
        ("clip_ms = 250.0|clip_ms = 300.0", ModelError, "samples per clip is 4000, the student's 4800"),
    ):
        path = student(tmp_path, model, **dict([change.split("|")]))
        with pytest.raises(error, match=message):
            load_teacher(str(model), load_recipe(path))


def test_without_a_teacher_the_verb_says_where_to_name_one(tones, tmp_path):
    recordings, model = tones
    result = CliRunner().invoke(main, ["distill", str(model), "--data", str(recordings), "-o", str(tmp_path / "out")])
    assert result.exit_code == 3
    assert "[distillation] teachers" in result.stderr
    assert not (tmp_path / "out").exists()


def test_losses_are_those_of_the_papers():
    logits, teacher = torch.randn(5, 3), torch.randn(5, 3)
    labels = torch.eye(3)[[0, 1, 2, 0, 1]]
    batch = Batch(logits, labels, teacher)
    soft = Distilling(1.0, 2.0, 0.0)(torch.nn.Identity(), batch)
    p, q = (teacher / 2).softmax(1), (logits / 2).softmax(1)
    torch.testing.assert_close(soft, 4 * (p * (p.log() - q.log())).sum(1).mean())
    hard = Distilling(1.0, smoothing=0.0, hard=True)(torch.nn.Identity(), batch)
    torch.testing.assert_close(hard, torch.nn.functional.cross_entropy(logits, teacher.argmax(1)))
    half = Distilling(0.5, 2.0, 0.0)(torch.nn.Identity(), batch)
    torch.testing.assert_close(half, soft / 2 + torch.nn.functional.cross_entropy(logits, labels) / 2)
