"""Distillation: a recipe's model learns from labels and from teachers."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

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
from edgetx.train.history import Epoch, best_epoch, rank
from edgetx.train.metrics import Metrics, measure, repeats
from edgetx.train.model_folder import MARKER, write_model_folder
from edgetx.train.precision import bfloat16


@dataclass(frozen=True)
class _Student:
    """What one distillation gave."""

    recipe: Recipe
    model: nn.Module
    history: list[Epoch]
    metrics: Metrics


def distill(source: str, data: Path, out: Path, watch: Watch = SILENT, seeds: int = 1) -> Metrics:
    """Train a recipe's model from labels and teachers, and write its model folder.

    An interrupted run goes on at its last whole epoch.

    Args:
        source: A recipe with `[distillation] teachers`: a file, a model folder or a name in the zoo.
        data: An audio folder with a split CSV.
        out: The model folder to write, or to replace.
        watch: Who is told how it goes.
        seeds: How many students to train on the same views, with the recipe's seed and those after it.

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
    known = load_tuning_data(data, recipe, teachers, watch.stage, load_embedders(recipe))
    first = recipe.training.seed
    students = [_student(_seeded(recipe, seed), known, out, watch) for seed in range(first, first + seeds)]
    best = max(students, key=lambda student: rank(best_epoch(student.history)))
    heard = load_recordings(data, recipe.data, "test")
    rows = [teacher_stage(teacher, heard) for teacher in teachers]
    stages = (*rows, replace(best.metrics.stages[0], name="distilled"))
    metrics = replace(best.metrics, stages=stages, repeats=repeats([(s.recipe, s.metrics) for s in students]))
    write_model_folder(out, best.recipe, text, best.model, known.views.x[0].numpy(), metrics, best.history)
    Kept(out, "distill").remove()
    return metrics


def _seeded(recipe: Recipe, seed: int) -> Recipe:
    return replace(recipe, training=replace(recipe.training, seed=seed))


def _student(recipe: Recipe, known: TuningData, out: Path, watch: Watch) -> _Student:
    """One student, trained and measured."""
    settings, kept = recipe.training, Kept(out, "distill")
    torch.manual_seed(settings.seed)
    model = build(recipe).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if known.embeddings is not None:
        learn_embeddings(model, recipe, known, kept, watch)
    watch.stage(f"distil, seed {settings.seed}")
    tuner = Tuner(
        model, known.views, known.valid, settings, objective(recipe), blends(recipe), bfloat16=bfloat16(settings)
    )
    history = tuner.run(kept.file("student.pt", recipe), watch.epoch)
    return _Student(recipe, model, history, measure(recipe, model, known.test, history))


def objective(recipe: Recipe) -> Distilling:
    """The loss that a recipe's distillation asks for."""
    s = recipe.distillation
    return Distilling(s.weight, s.temperature, recipe.training.label_smoothing, hard=s.method == "hard")


def blends(recipe: Recipe) -> Augmenter:
    """Masks and blends of model inputs; audio was augmented before, in the views."""
    return Augmenter(recipe.training.augmentation, recipe.data.sample_rate_hz)
