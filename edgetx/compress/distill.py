"""Distillation: a recipe's model learns from labels and from teachers."""

from dataclasses import replace
from pathlib import Path

import torch

from edgetx.audio import load_recordings
from edgetx.compress.ledger import teacher_stage
from edgetx.compress.teacher import load_teachers
from edgetx.compress.tuning import Distilling, Tuner, checkpoint_of
from edgetx.compress.views import load_tuning_data
from edgetx.compress.watch import SILENT, Watch
from edgetx.nn import build
from edgetx.output import check_replaceable
from edgetx.recipe import Recipe, load_recipe, recipe_path
from edgetx.train.augment import Augmenter
from edgetx.train.metrics import Metrics, measure
from edgetx.train.model_folder import MARKER, write_model_folder


def distill(source: str, data: Path, out: Path, watch: Watch = SILENT) -> Metrics:
    """Train a recipe's model from labels and teachers, and write its model folder.

    An interrupted run goes on at its last whole epoch.

    Args:
        source: A recipe with `[distillation] teachers`: a file, a model folder or a name in the zoo.
        data: An audio folder with a split CSV.
        out: The model folder to write, or to replace.
        watch: Who is told how it goes.

    Returns:
        What was measured, as in the folder's metrics.json; its stages begin with the teachers.

    Raises:
        EdgetxError: If the recipe, the teachers, the data or the disk do not allow it.
    """
    recipe = load_recipe(source)
    text = recipe_path(source).read_text(encoding="utf-8")
    check_replaceable(out, MARKER)
    teachers = load_teachers(recipe)
    known = load_tuning_data(data, recipe, teachers, watch.stage)
    torch.manual_seed(recipe.training.seed)
    student, checkpoint = build(recipe), checkpoint_of(out, "distill")
    watch.stage("distil")
    tuner = Tuner(student, known.views, known.valid, recipe.training, objective(recipe), blends(recipe))
    history = tuner.run(checkpoint, watch.epoch)
    metrics = measure(recipe, student, known.test, history)
    heard = load_recordings(data, recipe.data, "test")
    rows = [teacher_stage(teacher, heard) for teacher in teachers]
    metrics = replace(metrics, stages=(*rows, replace(metrics.stages[0], name="distilled")))
    write_model_folder(out, recipe, text, student, known.views.x[0].numpy(), metrics, history)
    checkpoint.unlink(missing_ok=True)
    return metrics


def objective(recipe: Recipe) -> Distilling:
    """The loss that a recipe's distillation asks for."""
    s = recipe.distillation
    return Distilling(s.weight, s.temperature, recipe.training.label_smoothing, hard=s.method == "hard")


def blends(recipe: Recipe) -> Augmenter:
    """Masks and blends of model inputs; audio was augmented before, in the views."""
    return Augmenter(recipe.training.augmentation, recipe.data.sample_rate_hz)
