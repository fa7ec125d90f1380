"""`edgetx distill`: a recipe's model learns from teachers."""

import dataclasses
from pathlib import Path

import click

from edgetx.cli.compression import default_out, folder_option, recordings_option, tell, watching
from edgetx.cli.options import folds_option, json_option, keep_all_option, quiet_option, seeds_option


@click.command("distill", short_help="Train the model of a recipe from labels and teachers.")
@click.argument("recipe")
@recordings_option
@folder_option
@seeds_option
@folds_option
@keep_all_option
@json_option
@quiet_option
def command(
    recipe: str, data: Path, out: Path | None, seeds: int, folds: bool, keep_all: bool, as_json: bool, quiet: bool
) -> None:
    """Train the model of RECIPE from labels and from the teachers that it names.

    \b
    [distillation]
    teachers = ["build/teacher", "kwt1.tflite"]

    Teachers are model folders, models of the zoo, or .onnx, .tflite and .pt2 files; they are asked once for every
    augmented form of every clip. With `embeddings = ["build/teacher"]`, or an .npz with `path` and `embedding`, the
    student learns features before answers. An interrupted run goes on after its last complete epoch when started again.
    """
    from edgetx.compress.distill import distill

    out = default_out(out, recipe, "distilled")
    with watching(quiet) as watch:
        metrics = distill(recipe, data, out, watch, seeds, folds, keep_all)
    tell(dataclasses.asdict(metrics), out, as_json)
