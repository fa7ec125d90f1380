"""Distillation: a recipe's model learns from labels and from teachers."""

from dataclasses import replace
from pathlib import Path

import torch

from edgetx.audio import load_recordings
from edgetx.compress.embedding import load_embedders
from edgetx.compress.features import learn_embeddings
from edgetx.compress.kept import Kept
from edgetx.compress.ledger import teacher_stage
from edgetx.compress.teacher import load_teachers
from edgetx.compress.tuning import Distilling, Tuner
from edgetx.compress.views import TuningData, load_tuning_data
from edgetx.compress.watch import SILENT, Watch
from edgetx.nn import build
from edgetx.output import check_replaceable
from edgetx.recipe import Recipe, load_recipe, recipe_path
from edgetx.train.augment import Augmenter
from edgetx.train.metrics import Metrics, measure
from edgetx.train.model_folder import MARKER
from edgetx.train.outcome import Outcome, best_outcome, folded_recipes, run_name, seeded_recipes, write_outcomes
from edgetx.train.precision import bfloat16


def distill(
    source: str,
    data: Path,
    out: Path,
    watch: Watch = SILENT,
    seeds: int = 1,
    folds: bool = False,
    keep_all: bool = False,
) -> Metrics:
    """Train a recipe's model from labels and teachers, and write its model folder.

    An interrupted run goes on at its last whole epoch.

    Args:
        source: A recipe with `[distillation] teachers`: a file, a model folder or a name in the zoo.
        data: An audio folder with a split CSV.
        out: The model folder to write, or to replace.
        watch: Who is told how it goes.
        seeds: How many students to train on the same views, with the recipe's seed and those after it.
        folds: Whether to train on every fold of the data in turn, each tested on that fold.
        keep_all: Whether to write each of several students beside the best, to folders named after fold and seed.

    Returns:
        What was measured, as in the folder's metrics.json; its stages begin with the teachers. Of several students the
        one that is best on the validation split is written; the accuracies of all are in the metrics.

    Raises:
        EdgetxError: If the recipe, the teachers, the data or the disk do not allow it.
    """
    recipe = load_recipe(source)
    text = recipe_path(source).read_text(encoding="utf-8")
    check_replaceable(out, MARKER)
    settings = recipe.distillation
    teachers = load_teachers(recipe) if settings.teachers or not settings.embeddings else []
    outcomes: list[Outcome] = []
    for folded in folded_recipes(recipe, data, folds):
        known = load_tuning_data(data, folded, teachers, watch.stage, load_embedders(recipe))
        outcomes += (_student(seeded, known, out, watch) for seeded in seeded_recipes(folded, seeds))
    best = best_outcome(outcomes)
    heard = load_recordings(data, best.recipe.data, "test")
    rows = [teacher_stage(teacher, heard) for teacher in teachers]
    metrics = replace(best.metrics, stages=(*rows, replace(best.metrics.stages[0], name="distilled")))
    write_outcomes(out, replace(best, metrics=metrics), outcomes if keep_all else (), text)
    Kept(out, "distill").remove()
    return metrics


def _student(recipe: Recipe, known: TuningData, out: Path, watch: Watch) -> Outcome:
    """One student, trained and measured."""
    settings, kept = recipe.training, Kept(out, "distill")
    torch.manual_seed(settings.seed)
    model = build(recipe).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if known.embeddings is not None:
        learn_embeddings(model, recipe, known, kept, watch)
    watch.stage(f"distil, {run_name(recipe)}")
    tuner = Tuner(
        model, known.views, known.valid, settings, objective(recipe), blends(recipe), bfloat16=bfloat16(settings)
    )
    history = tuner.run(kept.file("student.pt", recipe), watch.epoch)
    metrics = measure(recipe, model, known.test, history)
    return Outcome(recipe, model, history, metrics, known.views.x[0].numpy())


def objective(recipe: Recipe) -> Distilling:
    """The loss that a recipe's distillation asks for."""
    s = recipe.distillation
    return Distilling(s.weight, s.temperature, recipe.training.label_smoothing, hard=s.method == "hard")


def blends(recipe: Recipe) -> Augmenter:
    """Masks and blends of model inputs; audio was augmented before, in the views."""
    return Augmenter(recipe.training.augmentation, recipe.data.sample_rate_hz)
