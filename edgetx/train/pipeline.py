"""From a recipe and a data folder to a trained model folder."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from edgetx.audio import Dataset, load_dataset, load_recordings, read_clip
from edgetx.errors import DataError
from edgetx.output import check_replaceable
from edgetx.recipe import Recipe, load_recipe, recipe_path
from edgetx.train.augment import Augmenter
from edgetx.train.loop import Epoch, Examples, Trainer, best_epoch, rank
from edgetx.train.metrics import Metrics, across_seeds, measure
from edgetx.train.model_folder import MARKER, write_model_folder


@dataclass(frozen=True)
class _Outcome:
    """What training with one seed gave."""

    recipe: Recipe
    model: nn.Module
    history: list[Epoch]


def train(
    source: str | Path,
    data: Path,
    out: Path,
    report: Callable[[Epoch], None] = lambda epoch: None,
    seeds: int = 1,
) -> Metrics:
    """Train a recipe's model and write its model folder; an interrupted run goes on where it stopped.

    Args:
        source: A recipe file, a model folder, or a name in the zoo.
        data: A folder of audio with a CSV that splits it into train, valid and test.
        out: The model folder to write, or to replace.
        report: Called after each epoch.
        seeds: How many models to train, with the recipe's seed and those after it; the one that is best on the
            validation split is kept, all are in the metrics.

    Returns:
        What was measured, as in the folder's metrics.json.

    Raises:
        EdgetxError: If the recipe, the data or the disk do not allow it.
    """
    recipe = load_recipe(source)
    recipe_text = recipe_path(source).read_text(encoding="utf-8")
    check_replaceable(out, MARKER)
    features = load_dataset(data, recipe)
    test, validation = features.part("test"), _examples(features.part("valid"))
    clips = _examples(_training_clips(data, recipe))
    fabric = Fabric(precision=_precision(recipe))
    fabric.launch()
    noise = _noise(data, recipe, fabric.device)
    augmenter = Augmenter(recipe.training.augmentation, recipe.data.sample_rate_hz, noise)
    work = out.with_name(f".{out.name}.training")
    outcomes = []
    for seed in range(recipe.training.seed, recipe.training.seed + seeds):
        seeded = replace(recipe, training=replace(recipe.training, seed=seed))
        trainer = Trainer(seeded, clips, validation, augmenter, fabric)
        model = trainer.run(work / f"seed-{seed}" / "checkpoint.pt", report)
        outcomes.append(_Outcome(seeded, model, trainer.history))
    runs = [measure(o.recipe, o.model, test, o.history) for o in outcomes]
    best, metrics = max(zip(outcomes, runs, strict=True), key=lambda pair: rank(best_epoch(pair[0].history)))
    metrics = replace(metrics, seeds=across_seeds(runs))
    if fabric.is_global_zero:
        calibration = features.part("train").x
        write_model_folder(out, best.recipe, recipe_text, best.model, calibration, metrics, best.history)
        shutil.rmtree(work)
    return metrics


def _training_clips(data: Path, recipe: Recipe) -> Dataset:
    """The training clips; every class must have some."""
    clips = load_recordings(data, recipe.data, "train")
    for label, name in enumerate(clips.classes):
        if label not in clips.y:
            raise DataError(f"class '{name}' has no clips in split 'train'", where=str(data))
    return clips


def _noise(data: Path, recipe: Recipe, device: torch.device) -> Tensor | None:
    """All noise recordings that the recipe asks for, end to end."""
    folder = recipe.training.augmentation.noise_folder
    if not folder:
        return None
    files = sorted(p for p in (data / folder).glob("*") if p.suffix in (".flac", ".wav"))
    if not files:
        hint = "set training.augmentation.noise_folder in the recipe, or leave it empty"
        raise DataError("no noise recordings", where=str(data / folder), hint=hint)
    noise = np.concatenate([read_clip(file, recipe.data.sample_rate_hz) for file in files])
    if len(noise) < recipe.data.samples:
        raise DataError("less noise than one clip is long", where=str(data / folder))
    return torch.from_numpy(noise).float().to(device)


def _precision(recipe: Recipe) -> Literal["32-true", "bf16-mixed"]:
    """The recipe's, unless the processor would only imitate it."""
    native = torch.cuda.is_available() or torch.cpu._is_avx512_bf16_supported()
    return "bf16-mixed" if recipe.training.precision == "bfloat16" and native else "32-true"


def _examples(dataset: Dataset) -> Examples:
    return Examples(torch.from_numpy(dataset.x), torch.from_numpy(dataset.y))
