import csv
import dataclasses
import json
import shutil

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from recordings import RATE, tone
from tones import ENCODER, tones_recipe

from edgetx.audio.dataset import read_table
from edgetx.cli.train import command
from edgetx.errors import ConfigError, DataError, EdgetxError, ModelError
from edgetx.nn import load_zoo_model
from edgetx.recipe import Training, load_recipe
from edgetx.train import history, train
from edgetx.train.evaluate import wilson_interval
from edgetx.train.metrics import load_metrics, repeats
from edgetx.train.saving import load_checkpoint, save_checkpoint
from edgetx.train.schedule import learning_rate_factor

RECIPE = tones_recipe(
    "keyword_transformer",
    f'{ENCODER}, norm = "batch", dropout = 0.1',
    epochs=6,
    batch=5,
    augmentation="shift_ms = 20, gain_db = 6, time_masks = 1, time_mask_frames = 2, mixup = 0.2, reuse = 3",
)


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGETX_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "tones.toml"
    path.write_text(RECIPE)
    return path


def weights(folder):
    return load_zoo_model(folder)[0].state_dict()


def assert_same_weights(a, b):
    for (name, left), right in zip(weights(a).items(), weights(b).values(), strict=True):
        assert torch.equal(left, right), name


def test_training_learns_and_writes_a_model_folder(recipe, recordings, tmp_path):
    metrics = train(recipe, recordings, tmp_path / "out")
    assert metrics.test.accuracy == 1.0
    assert metrics.test.speakers == {"dora": 1.0}
    assert metrics.test.speaker_interval_95 is None
    written = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert written == json.loads(json.dumps(dataclasses.asdict(metrics)))
    assert load_metrics(tmp_path / "out" / "metrics.json") == metrics
    model, loaded, calibration = load_zoo_model(tmp_path / "out")
    assert written["stages"][0]["parameters"] == sum(p.numel() for p in model.parameters())
    assert loaded == load_recipe(recipe)
    assert calibration.shape == (4, *loaded.input_shape)
    assert not model.training
    with (tmp_path / "out" / "training.csv").open() as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == list("123456")
    assert "100.00%" in (tmp_path / "out" / "README.md").read_text()
    assert {p.name for p in tmp_path.iterdir()} == {"out", "cache", "recordings", "tones.toml"}


class KilledError(Exception):
    pass


def kill_after(epochs):
    def report(epoch):
        if epoch.epoch == epochs:
            raise KilledError

    return report


def test_resumed_training_equals_uninterrupted_training(recipe, recordings, tmp_path):
    train(recipe, recordings, tmp_path / "whole")
    for epochs in (2, 4):
        with pytest.raises(KilledError):
            train(recipe, recordings, tmp_path / "parts", kill_after(epochs))
    seen = []
    train(recipe, recordings, tmp_path / "parts", lambda e: seen.append(e.epoch))
    assert seen == [5, 6]
    assert_same_weights(tmp_path / "whole", tmp_path / "parts")


def test_seed_decides_the_weights(recipe, recordings, tmp_path):
    train(recipe, recordings, tmp_path / "a")
    recipe.write_text(RECIPE.replace("batch = 5", "batch = 5\nseed = 1"))
    train(recipe, recordings, tmp_path / "b")
    with pytest.raises(AssertionError):
        assert_same_weights(tmp_path / "a", tmp_path / "b")


def test_several_seeds_keep_the_best_on_valid_and_report_all(recipe, recordings, tmp_path):
    seen = []
    metrics = train(recipe, recordings, tmp_path / "out", lambda e: seen.append(e.epoch), seeds=3, keep_all=True)
    assert seen == [1, 2, 3, 4, 5, 6] * 3
    assert [run.seed for run in metrics.repeats.runs] == [0, 1, 2]
    assert metrics.repeats.mean == pytest.approx(np.mean([run.accuracy for run in metrics.repeats.runs]))
    low, high = metrics.repeats.interval_95
    assert low <= metrics.repeats.mean <= high
    assert metrics.training.seed in (0, 1, 2)
    train_alone = recipe.with_name("alone.toml")
    train_alone.write_text(RECIPE.replace("batch = 5", f"batch = 5\nseed = {metrics.training.seed}"))
    assert train(train_alone, recordings, tmp_path / "alone").repeats is None
    assert_same_weights(tmp_path / "out", tmp_path / "alone")
    assert_same_weights(tmp_path / "out", tmp_path / f"out-fold-0-seed-{metrics.training.seed}")
    others = [load_metrics(tmp_path / f"out-fold-0-seed-{seed}" / "metrics.json") for seed in range(3)]
    assert [other.test.accuracy for other in others] == [run.accuracy for run in metrics.repeats.runs]


def test_every_fold_tests_once_and_never_trains(recipe, recordings, tmp_path, monkeypatch):
    table = recordings / "split.csv"
    with table.open() as file:
        rows = list(csv.DictReader(file))
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["path", "label", "fold"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows({**row, "fold": 1 + i % 3} for i, row in enumerate(rows))
    metrics = train(recipe, recordings, tmp_path / "out", folds=True)
    assert [run.fold for run in metrics.repeats.runs] == [1, 2, 3]
    assert metrics.test.clips == len(rows) // 3
    assert "fold 2: " in (tmp_path / "out" / "README.md").read_text()
    assert load_recipe(tmp_path / "out").data.test_fold == metrics.training.fold > 0
    for fold in (1, 2, 3):
        data = dataclasses.replace(load_recipe(recipe).data, test_fold=fold)
        assert {(i + 1) % 3 for i, row in enumerate(read_table(recordings, data)) if row["split"] == "test"} == {
            fold % 3
        }


def test_folds_are_needed_to_cross_validate(recipe, recordings, tmp_path):
    with pytest.raises(DataError, match="no folds"):
        train(recipe, recordings, tmp_path / "out", folds=True)


def test_interval_of_the_mean_is_student_t(recipe, recordings, tmp_path):
    metrics = train(recipe, recordings, tmp_path / "out")
    runs = [
        dataclasses.replace(metrics, test=dataclasses.replace(metrics.test, accuracy=a)) for a in (0.91, 0.92, 0.93)
    ]
    low, high = repeats([(load_recipe(recipe), run) for run in runs]).interval_95
    assert (low, high) == pytest.approx((0.92 - 4.3027 * 0.01 / 3**0.5, 0.92 + 4.3027 * 0.01 / 3**0.5), abs=1e-5)


def test_checkpoint_of_another_recipe_is_refused(recipe, recordings, tmp_path):
    with pytest.raises(KilledError):
        train(recipe, recordings, tmp_path / "out", kill_after(1))
    recipe.write_text(RECIPE.replace("width = 8", "width = 16"))
    with pytest.raises(ModelError, match="unfinished training of another recipe"):
        train(recipe, recordings, tmp_path / "out")


def test_checkpoint_survives_changes_that_training_does_not_read(recipe, recordings, tmp_path):
    with pytest.raises(KilledError):
        train(recipe, recordings, tmp_path / "out", kill_after(2))
    changed = RECIPE.replace("Low or high.", "Tones.").replace("calibration_count = 4", "calibration_count = 3")
    recipe.write_text(changed)
    seen = []
    train(recipe, recordings, tmp_path / "out", lambda e: seen.append(e.epoch))
    assert seen[0] == 3


def test_damaged_checkpoint_is_explained(recipe, recordings, tmp_path):
    with pytest.raises(KilledError):
        train(recipe, recordings, tmp_path / "out", kill_after(1))
    checkpoint = tmp_path / ".out.training" / "fold-0-seed-0" / "checkpoint.pt"
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    with pytest.raises(ModelError, match="checkpoint is damaged"):
        train(recipe, recordings, tmp_path / "out")


def test_patience_ends_training(recipe, recordings, tmp_path):
    still = RECIPE.replace("learning_rate = 1e-2", "learning_rate = 0\npatience = 2")
    recipe.write_text(still.replace('norm = "batch"', 'norm = "layer"'))
    assert train(recipe, recordings, tmp_path / "out").training.epochs == 3


def test_an_existing_model_is_replaced_and_survives_a_failure(recipe, recordings, tmp_path, monkeypatch):
    train(recipe, recordings, tmp_path / "out")
    (tmp_path / "out" / "old").touch()

    def full_disk(*args):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("edgetx.train.model_folder.save_model", full_disk)
        with pytest.raises(EdgetxError, match=r"cannot save.*No space left"):
            train(recipe, recordings, tmp_path / "out")
    assert (tmp_path / "out" / "old").exists()
    train(recipe, recordings, tmp_path / "out")
    assert not (tmp_path / "out" / "old").exists()


def test_full_disk_keeps_the_previous_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, {"epoch": 1})

    def full_disk(state, partial):
        partial.write_bytes(b"half")
        raise RuntimeError("PytorchStreamWriter failed writing file")

    monkeypatch.setattr(torch, "save", full_disk)
    with pytest.raises(EdgetxError, match="cannot save"):
        save_checkpoint(path, {"epoch": 2})
    assert load_checkpoint(path)["epoch"] == 1


def test_foreign_folder_is_refused_before_training(recipe, recordings, tmp_path):
    with pytest.raises(EdgetxError, match=r"no recipe\.toml"):
        train(recipe, recordings, recordings)
    assert not (tmp_path / ".recordings.training").exists()


def test_class_without_training_clips_is_refused(recipe, recordings, tmp_path):
    table = recordings / "split.csv"
    table.write_text("\n".join(r for r in table.read_text().split() if not ("high" in r and "train" in r)))
    with pytest.raises(DataError, match="class 'high' has no clips in split 'train'"):
        train(recipe, recordings, tmp_path / "out")


def test_missing_noise_is_explained(recipe, recordings, tmp_path):
    recipe.write_text(RECIPE.replace("shift_ms = 20", "noise_folder = '../noise'"))
    with pytest.raises(DataError, match=r"no \.wav or \.flac recordings"):
        train(recipe, recordings, tmp_path / "out")


def test_noise_is_used(recipe, recordings, tmp_path):
    import soundfile

    soundfile.write(tmp_path / "hum.wav", tone(50, 1.0), RATE)
    recipe.write_text(RECIPE.replace("shift_ms = 20", "noise_folder = '..', noise_probability = 1.0"))
    assert train(recipe, recordings, tmp_path / "out").test.clips == 6


def test_clips_are_heard_after_one_another_by_what_looks_back(recipe, recordings, tmp_path):
    text = RECIPE.replace("shift_ms = 20", "context = 1.0")
    recipe.write_text(text)
    with pytest.raises(ConfigError, match="one clip after another"):
        train(recipe, recordings, tmp_path / "out")
    causal = 'positions = "none", causal = true, mixer = ["window(2)"]'
    recipe.write_text(text.replace('norm = "batch"', f'norm = "batch", {causal}'))
    assert train(recipe, recordings, tmp_path / "out").test.clips == 6


def test_weights_of_another_architecture_are_refused(recipe, recordings, tmp_path):
    train(recipe, recordings, tmp_path / "out")
    toml = tmp_path / "out" / "recipe.toml"
    toml.write_text(toml.read_text().replace("width = 8", "width = 16"))
    with pytest.raises(ModelError, match="do not fit the recipe's model"):
        load_zoo_model(tmp_path / "out")


def test_untrained_recipe_says_so(recipe, tmp_path):
    shutil.copy(recipe, tmp_path / "recipe.toml")
    with pytest.raises(ModelError, match="not trained"):
        load_zoo_model(tmp_path)


def test_schedule_warms_up_and_decays():
    factor = learning_rate_factor(Training(epochs=10, warmup_epochs=2), steps_per_epoch=5)
    values = np.array([factor(step) for step in range(50)])
    assert values[9] == values[10] == values.max() == 1.0
    assert (np.diff(values[:10]) > 0).all()
    assert (np.diff(values[10:]) < 0).all()
    assert factor(50) == 0


def test_best_epoch_is_the_most_accurate_and_loss_breaks_ties():
    rows = [(0.3, 0.90), (0.5, 0.95), (0.4, 0.95), (0.2, 0.94), (0.6, 0.95)]
    epochs = [history.Epoch(i, 1.0, loss, accuracy, 1.0) for i, (loss, accuracy) in enumerate(rows)]
    assert history.best_epoch(epochs).epoch == 2


def test_wilson_interval():
    low, high = wilson_interval(95, 100)
    assert (round(low, 4), round(high, 4)) == (0.8882, 0.9785)
    assert wilson_interval(10, 10)[1] == pytest.approx(1.0)


def test_command_line(recipe, recordings, tmp_path):
    arguments = [str(recipe), "--data", str(recordings), "-o", str(tmp_path / "out"), "--json"]
    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert json.loads(result.stdout)["test"]["clips"] == 6
