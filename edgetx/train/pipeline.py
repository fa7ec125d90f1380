"""From a recipe and a data folder to a trained model folder."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor

from edgetx.audio import Dataset, load_dataset, load_recordings, read_clip
from edgetx.errors import DataError
from edgetx.output import check_replaceable
from edgetx.recipe import Recipe, load_recipe, recipe_path
from edgetx.train.augment import Augmenter
from edgetx.train.loop import Epoch, Examples, Trainer
from edgetx.train.metrics import Metrics, measure
from edgetx.train.model_folder import MARKER, write_model_folder


def train(source: str | Path, data: Path, out: Path, report: Callable[[Epoch], None] = lambda epoch: None) -> Metrics:
    """Train a recipe's model and write its model folder; an interrupted run goes on where it stopped.

    Args:
        source: A recipe file, a model folder, or a name in the zoo.
        data: A folder of audio with a CSV that splits it into train, valid and test.
        out: The model folder to write, or to replace.
        report: Called after each epoch.

    Returns:
        What was measured, as in the folder's metrics.json.

    Raises:
        EdgetxError: If the recipe, the data or the disk do not allow it.
    """
    recipe = load_recipe(source)
    recipe_text = recipe_path(source).read_text(encoding="utf-8")
    check_replaceable(out, MARKER)
    features = load_dataset(data, recipe)
    test = features.part("test")
    fabric = Fabric(precision=_precision(recipe))
    fabric.launch()
    trainer = Trainer(
        recipe,
        _examples(_training_clips(data, recipe)),
        _examples(features.part("valid")),
        Augmenter(recipe.training.augmentation, recipe.data.sample_rate_hz, _noise(data, recipe, fabric.device)),
        fabric,
    )
    work = out.with_name(f".{out.name}.training")
    model = trainer.run(work / "checkpoint.pt", report)
    metrics = measure(recipe, model, test, trainer.history)
    if fabric.is_global_zero:
        calibration = features.part("train").x
        write_model_folder(out, recipe, recipe_text, model, calibration, metrics, trainer.history)
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
