"""From a recipe and a data folder to a trained model folder."""

import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor

from edgetx.audio import Dataset, load_dataset, load_recordings, read_folder
from edgetx.errors import DataError
from edgetx.output import check_replaceable
from edgetx.recipe import Recipe, load_recipe, recipe_path
from edgetx.train.augment import Augmenter
from edgetx.train.examples import Examples
from edgetx.train.history import Epoch
from edgetx.train.loop import Trainer
from edgetx.train.metrics import Metrics, measure
from edgetx.train.model_folder import MARKER
from edgetx.train.outcome import Outcome, best_outcome, folded_recipes, run_name, seeded_recipes, write_outcomes
from edgetx.train.precision import bfloat16
from edgetx.train.pretrain import pretrain


def train(
    source: str | Path,
    data: Path,
    out: Path,
    report: Callable[[Epoch], None] = lambda epoch: None,
    seeds: int = 1,
    folds: bool = False,
    keep_all: bool = False,
) -> Metrics:
    """Train a recipe's model and write its model folder; an interrupted run goes on where it stopped.

    Args:
        source: A recipe file, a model folder, or a name in the zoo.
        data: A folder of audio with a CSV that splits it into train, valid and test.
        out: The model folder to write, or to replace.
        report: Called after each epoch.
        seeds: How many models to train, with the recipe's seed and those after it.
        folds: Whether to train one model per fold of the data, which is tested on that fold.
        keep_all: Whether to write each of several models beside the best, to folders named after fold and seed.

    Returns:
        What was measured, as in the folder's metrics.json. Of several models the one that is best on its validation
        split is written; the accuracies of all are in the metrics.

    Raises:
        EdgetxError: If the recipe, the data or the disk do not allow it.
    """
    recipe = load_recipe(source)
    recipe_text = recipe_path(source).read_text(encoding="utf-8")
    check_replaceable(out, MARKER)
    fabric = _launch(recipe)
    work = out.with_name(f".{out.name}.training")
    outcomes = [
        _train(seeded, data, work, fabric, report)
        for folded in folded_recipes(recipe, data, folds)
        for seeded in seeded_recipes(folded, seeds)
    ]
    best = best_outcome(outcomes)
    if fabric.is_global_zero:
        write_outcomes(out, best, outcomes if keep_all else (), recipe_text)
        shutil.rmtree(work)
    return best.metrics


def _train(recipe: Recipe, data: Path, work: Path, fabric: Fabric, report: Callable[[Epoch], None]) -> Outcome:
    features = load_dataset(data, recipe)
    test, noise = features.part("test"), noise_recordings(data, recipe, fabric.device)
    augmenter = Augmenter(recipe.training.augmentation, recipe.data.sample_rate_hz, noise)
    folder = work / run_name(recipe)
    clips = Examples.of(_training_clips(data, recipe))
    trainer = Trainer(
        recipe,
        clips,
        Examples.of(features.part("valid")),
        augmenter,
        fabric,
        pretrain(recipe, clips.x, augmenter, folder, fabric) if recipe.pretraining else None,
    )
    model = trainer.run(folder / "checkpoint.pt", report)
    metrics = measure(recipe, model, test, trainer.history)
    return Outcome(recipe, model, trainer.history, metrics, features.part("train").x)


def _training_clips(data: Path, recipe: Recipe) -> Dataset:
    """The training clips; every class must have some."""
    clips = load_recordings(data, recipe.data, "train")
    for label, name in enumerate(clips.classes):
        if label not in clips.y:
            hint = "take it from data.classes, or record some; edgetx data check shows how many there are"
            raise DataError(f"class '{name}' has no clips in split 'train'", where=str(data), hint=hint)
    return clips


def noise_recordings(data: Path, recipe: Recipe, device: torch.device) -> Tensor | None:
    """All noise recordings that the recipe asks for, end to end."""
    folder = recipe.training.augmentation.noise_folder
    if not folder:
        return None
    hint = "training.augmentation.noise_folder of the recipe names a folder of noise, or is empty"
    noise = np.concatenate(read_folder(data / folder, recipe.data.sample_rate_hz, hint))
    if len(noise) < recipe.data.samples:
        raise DataError("less noise than one clip is long", where=str(data / folder), hint=hint)
    return torch.from_numpy(noise).float().to(device)


def _launch(recipe: Recipe) -> Fabric:
    """One process; or as many as `torchrun` has started."""
    processes, local = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    precision: Literal["32-true", "bf16-mixed"] = "bf16-mixed" if bfloat16(recipe.training) else "32-true"
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # else it announces bfloat16, also to the quiet
    if processes == 1:
        fabric = Fabric(precision=precision)
    else:
        nodes = processes // local
        fabric = Fabric(precision=precision, devices=local, num_nodes=nodes, strategy="ddp")
    fabric.launch()
    return fabric
