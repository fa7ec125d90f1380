"""Writing a trained model: recipe, weights, calibration inputs, metrics, log and card."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import save_model
from torch import nn

from edgetx.output import explained, replaced_folder
from edgetx.recipe import Recipe
from edgetx.train.card import model_card
from edgetx.train.history import Epoch, write_log
from edgetx.train.metrics import Metrics

MARKER = "recipe.toml"
"""The file that makes a folder a model folder."""


def write_model_folder(
    out: Path,
    recipe: Recipe,
    recipe_text: str,
    model: nn.Module,
    training_inputs: NDArray[np.generic],
    metrics: Metrics,
    history: Sequence[Epoch],
) -> None:
    """Write a model folder whole, in place of what was there."""
    with replaced_folder(out, MARKER) as folder, explained(out, SafetensorError):
        (folder / MARKER).write_text(recipe_text, encoding="utf-8")
        save_model(model, str(folder / "weights.safetensors"))
        np.savez_compressed(folder / "calibration.npz", x=_calibration(training_inputs, recipe))
        (folder / "metrics.json").write_text(json.dumps(asdict(metrics), indent=2) + "\n", encoding="utf-8")
        (folder / "README.md").write_text(model_card(recipe, metrics), encoding="utf-8")
        write_log(folder / "training.csv", history)


def _calibration(inputs: NDArray[np.generic], recipe: Recipe) -> NDArray[np.float16]:
    """A random choice of training inputs, small enough to ship."""
    count = min(recipe.quantization.calibration_count, len(inputs))
    chosen = np.random.default_rng(recipe.training.seed).choice(len(inputs), count, replace=False)
    return inputs[np.sort(chosen)].astype(np.float16)
