"""Trained models: folders with a recipe, weights and calibration inputs."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_model
from torch import nn

from edgetx.audio.dataset import load_npz
from edgetx.errors import ModelError
from edgetx.nn.registry import build
from edgetx.recipe import Recipe, load_recipe, recipe_path


def load_zoo_model(source: str | Path) -> tuple[nn.Module, Recipe, NDArray[np.float32]]:
    """The trained model in eval mode, its recipe, and its calibration inputs.

    Args:
        source: A name in the zoo, or a model folder that `edgetx train` wrote.

    Raises:
        ConfigError: If there is no such model.
        ModelError: If its weights are missing or of another architecture.
        DataError: If its calibration inputs are missing or damaged.
    """
    recipe, folder = load_recipe(source), recipe_path(source).parent
    model = build(recipe)
    load_weights(model, folder / "weights.safetensors")
    calibration = load_npz(folder / "calibration.npz", recipe.input_shape)
    return model.eval(), recipe, np.asarray(calibration.x, np.float32)


def load_weights(model: nn.Module, path: Path) -> None:
    """Load a weights file into the model it was saved from.

    Raises:
        ModelError: If the file is missing, damaged or of another architecture.
    """
    try:
        load_model(model, path)
    except FileNotFoundError:
        raise ModelError("no weights: the model was not trained", where=str(path), hint="edgetx train RECIPE") from None
    except (OSError, SafetensorError, RuntimeError) as problem:
        raise ModelError(f"weights do not fit the recipe's model: {problem}", where=str(path)) from problem
