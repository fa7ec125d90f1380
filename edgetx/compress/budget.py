"""From a recipe to a model that fits a budget: every stage that is needed, each kept for the next run."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edgetx.compiler.source import GRAPH, WEIGHTS, is_untrained_recipe
from edgetx.compress.cost import NO_LIMIT, Cost, CostModel, built_report, cost_of
from edgetx.compress.distill import distill
from edgetx.compress.prune import prune
from edgetx.compress.quantize import quantize
from edgetx.compress.searched import search_network
from edgetx.compress.trained import Trained, load_trained
from edgetx.compress.watch import SILENT, Watch
from edgetx.errors import FitError
from edgetx.frontends.torch import export_module
from edgetx.nn import build
from edgetx.passes.pipeline import canonicalize
from edgetx.recipe import Recipe, load_recipe, recipe_path
from edgetx.targets import Target
from edgetx.train import train


def compress_to_budget(source: str, data: Path, work: Path, target: Target, limit: Cost, watch: Watch = SILENT) -> Path:
    """Train (or search, or distil), prune and quantize what a recipe describes until it fits, and say where it is.

    Args:
        source: A recipe, a model folder or a name in the zoo; what is trained already is not trained again.
        data: An audio folder with a split CSV.
        work: Folder for the stages; one that was finished by an earlier run with the same recipe, data table, target
            and budget is taken from there.
        target: Whose cycles and bytes count.
        limit: What the model may cost.
        watch: Who is told how it goes.

    Returns:
        The folder of the quantized model, for `edgetx compile`.

    Raises:
        FitError: If the budget cannot be met; names the nearest point and what binds.
        EdgetxError: If anything else is wrong with recipe, data or disk.
    """
    recipe = load_recipe(source)
    stages = _Stages(work, _digest(source, recipe, data, target, limit))
    model = _trained(source, recipe, data, target, limit, stages, watch)
    if limit != NO_LIMIT:
        watch.stage("build and simulate")
        trained = load_trained(str(model))
        before = built_report(trained, target, limit=limit)
        check_possible(trained, before, target, limit)
        if cost_of(before).over(limit).worst > 1:
            model = stages.once("pruned", lambda out: prune(str(model), data, out, target, limit, watch, before))
    return stages.once("quantized", lambda out: quantize(str(model), data, out, target, watch, limit))


def _trained(
    source: str, recipe: Recipe, data: Path, target: Target, limit: Cost, stages: "_Stages", watch: Watch
) -> Path:
    if not is_untrained_recipe(source):
        return recipe_path(source).parent

    def make(out: Path) -> object:
        if limit != NO_LIMIT:
            watch.stage("build and simulate")
            model = _with_random_weights(recipe, recipe_path(source).read_text(encoding="utf-8"))
            check_possible(model, built_report(model, target, limit=limit), target, limit)
        if recipe.search.space:
            return search_network(source, data, out, target, limit, watch=watch)
        if recipe.distillation.teachers or recipe.distillation.embeddings:
            return distill(source, data, out, watch)
        watch.stage("train")
        return train(source, data, out, watch.epoch)

    return stages.once("trained", make)


def _with_random_weights(recipe: Recipe, text: str) -> Trained:
    inputs = np.random.default_rng(0).standard_normal((8, *recipe.input_shape)).astype(np.float32)
    graph = canonicalize(export_module(build(recipe).eval(), inputs[:1], recipe.name))
    return Trained(graph, recipe, text, inputs)


def check_possible(model: Trained, report: Mapping[str, Any], target: Target, limit: Cost) -> None:
    """Refuse a budget that code, front end and stack exceed without the model, before time is spent on it.

    Args:
        model: A model of the kind, whatever its weights.
        report: What `edgetx compile` reports of it on the target.
        target: The board.
        limit: What the model may cost.

    Raises:
        FitError: If no model of this kind can keep the limit.
    """
    costs = CostModel(target).corrected(model.graph, report)
    least = Cost(0.0, costs.ram_offset, costs.flash_offset)
    if least.over(limit).worst > 1:
        what = f"code, front end and stack alone take {least.beyond(limit)}"
        raise FitError(what, where="--budget", hint="allow more; the model comes on top")


class _Stages:
    """Folders of finished stages, each with the digest of what it was made from."""

    def __init__(self, work: Path, digest: str) -> None:
        self.work, self.digest = work, digest

    def once(self, name: str, make: Callable[[Path], object]) -> Path:
        """The folder of a stage, made unless it is there."""
        folder, stamp = self.work / name, self.work / f"{name}.stamp"
        if not (folder.is_dir() and stamp.is_file() and stamp.read_text() == self.digest):
            self.work.mkdir(parents=True, exist_ok=True)
            stamp.unlink(missing_ok=True)
            make(folder)
            stamp.write_text(self.digest)
        return folder


def _digest(source: str, recipe: Recipe, data: Path, target: Target, limit: Cost) -> str:
    tables = sorted(data.glob("*.csv"))
    content = b"".join(table.read_bytes() for table in tables)
    weights = [p for p in recipe_path(source).parent.glob("*") if p.name in (WEIGHTS, GRAPH)]
    content += b"".join(path.read_bytes() for path in weights)
    return hashlib.sha256(repr((recipe, target, limit)).encode() + content).hexdigest()
