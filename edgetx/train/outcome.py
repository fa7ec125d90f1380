"""What trainings of one recipe gave: with several seeds, on several folds."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from edgetx.audio import count_folds
from edgetx.recipe import Recipe
from edgetx.train.history import Epoch, best_epoch, rank
from edgetx.train.metrics import Metrics, repeats
from edgetx.train.model_folder import write_model_folder


@dataclass(frozen=True)
class Outcome:
    """What one training gave.

    Attributes:
        recipe: With its seed and the fold that tests it.
        model: In eval mode.
        history: What each epoch gave.
        metrics: What was measured on the test split.
        calibration: Model inputs of the training split.
    """

    recipe: Recipe
    model: nn.Module
    history: list[Epoch]
    metrics: Metrics
    calibration: NDArray[np.generic]


def folded_recipes(recipe: Recipe, data: Path, folds: bool) -> list[Recipe]:
    """The recipe, tested on every fold of the data in turn; or as it is.

    Raises:
        DataError: If there are no folds.
    """
    tests = range(1, 1 + count_folds(data, recipe.data)) if folds else (recipe.data.test_fold,)
    return [replace(recipe, data=replace(recipe.data, test_fold=fold)) for fold in tests]


def seeded_recipes(recipe: Recipe, seeds: int) -> list[Recipe]:
    """The recipe with its seed and those after it."""
    first = recipe.training.seed
    return [replace(recipe, training=replace(recipe.training, seed=seed)) for seed in range(first, first + seeds)]


def run_name(recipe: Recipe) -> str:
    """What to call the training of one seed and fold."""
    return f"fold-{recipe.data.test_fold}-seed-{recipe.training.seed}"


def best_outcome(outcomes: Sequence[Outcome]) -> Outcome:
    """Of several trainings the one that is best on its validation split, with the accuracies of all in its metrics."""
    best = max(outcomes, key=lambda outcome: rank(best_epoch(outcome.history)))
    return replace(best, metrics=replace(best.metrics, repeats=repeats([(o.recipe, o.metrics) for o in outcomes])))


def write_outcomes(out: Path, best: Outcome, others: Sequence[Outcome], recipe_text: str) -> None:
    """Write the model folder of the best training, and folders named after fold and seed of others beside it."""
    _write(out, best, recipe_text)
    for outcome in others:
        _write(out.with_name(f"{out.name}-{run_name(outcome.recipe)}"), outcome, recipe_text)


def _write(out: Path, outcome: Outcome, recipe_text: str) -> None:
    fold = outcome.recipe.data.test_fold
    text = with_test_fold(recipe_text, fold) if fold else recipe_text
    write_model_folder(out, outcome.recipe, text, outcome.model, outcome.calibration, outcome.metrics, outcome.history)


def with_test_fold(recipe_text: str, fold: int) -> str:
    """A recipe whose model is tested on a fold, so that nobody evaluates it on what it was trained on."""
    without = re.sub(r"^test_fold *=.*\n", "", recipe_text, flags=re.MULTILINE)
    return re.sub(r"^(\[data\].*)$", rf"\1\ntest_fold = {fold}", without, count=1, flags=re.MULTILINE)
