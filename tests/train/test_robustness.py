"""Kills, full disks, several processes, numbers that are none."""

import csv
import os
import resource
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from tones import ENCODER, tones_recipe

from edgetx.errors import ModelError
from edgetx.nn import load_zoo_model
from edgetx.train import train

RECIPE = tones_recipe("keyword_transformer", f'{ENCODER}, norm = "layer"', epochs=6, batch=6)


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGETX_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "tones.toml"
    path.write_text(RECIPE)
    return path


def weights(folder):
    return load_zoo_model(folder)[0].state_dict()


def command(recipe, recordings, out):
    return [sys.executable, "-m", "edgetx", "train", str(recipe), "--data", str(recordings), "-o", str(out)]


def epochs(folder):
    """Epochs in the log of an unfinished training."""
    logs = list(folder.glob("*/training.csv"))
    if not logs:
        return 0
    with logs[0].open() as file:
        return sum(1 for _ in csv.DictReader(file))


def test_killed_training_loses_at_most_one_epoch(recipe, recordings, tmp_path):
    recipe.write_text(RECIPE.replace("epochs = 6", "epochs = 60"))
    work = tmp_path / ".parts.training"
    process = subprocess.Popen(command(recipe, recordings, tmp_path / "parts"))
    while epochs(work) < 3 and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.returncode == -signal.SIGKILL, "finished before it was killed"
    logged = epochs(work)
    seen = []
    train(recipe, recordings, tmp_path / "parts", lambda epoch: seen.append(epoch.epoch))
    assert seen[0] in (logged, logged + 1)
    assert seen[-1] == 60
    train(recipe, recordings, tmp_path / "whole")
    for name, value in weights(tmp_path / "whole").items():
        assert torch.equal(weights(tmp_path / "parts")[name], value), name


def test_full_disk_is_explained_and_keeps_what_was_there(recipe, recordings, tmp_path):
    train(recipe, recordings, tmp_path / "out")
    before = (tmp_path / "out" / "weights.safetensors").read_bytes()

    def small_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))

    run = subprocess.run(
        command(recipe, recordings, tmp_path / "out"),
        capture_output=True,
        text=True,
        preexec_fn=small_files,
        check=False,
    )
    assert run.returncode == 1, run.stderr
    assert "cannot save" in run.stderr
    assert "Traceback" not in run.stderr
    assert (tmp_path / "out" / "weights.safetensors").read_bytes() == before


def test_two_processes_give_what_one_gives(recipe, recordings, tmp_path):
    train(recipe, recordings, tmp_path / "one")
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", "0"]
    launch += ["--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0"]
    run = subprocess.run(
        [*launch, *command(recipe, recordings, tmp_path / "two")[1:]],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("test clips") == 1
    logs = []
    for folder in ("one", "two"):
        with (tmp_path / folder / "training.csv").open() as file:
            logs.append([(float(row["loss"]), float(row["valid_loss"])) for row in csv.DictReader(file)])
    np.testing.assert_allclose(*logs, rtol=1e-4)
    two = weights(tmp_path / "two")
    for name, value in weights(tmp_path / "one").items():
        torch.testing.assert_close(two[name], value, rtol=1e-3, atol=1e-4)


def test_loss_that_is_no_number_is_explained_and_keeps_the_last_epoch(recipe, recordings, tmp_path, monkeypatch):
    import edgetx.train.loop as loop

    step, steps = loop.Trainer._step, []

    def broken(self, batch):
        steps.append(1)
        return step(self, batch) if len(steps) <= 8 else float("nan")

    with monkeypatch.context() as patch:
        patch.setattr(loop.Trainer, "_step", broken)
        with pytest.raises(ModelError, match="loss of epoch 5 is not a number"):
            train(recipe, recordings, tmp_path / "out")
    seen = []
    train(recipe, recordings, tmp_path / "out", lambda epoch: seen.append(epoch.epoch))
    assert seen == [5, 6]
