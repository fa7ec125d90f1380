"""A recipe's space to a trained network that fits: supernet, search, tuning of what was chosen."""

import hashlib
import json
from pathlib import Path

import numpy as np
import torch

from edgetx.audio import load_recordings
from edgetx.compress.cost import Cost, built_report, cost_of
from edgetx.compress.distill import blends, objective
from edgetx.compress.folder import write_graph_folder
from edgetx.compress.kept import Kept
from edgetx.compress.ledger import graph_stage, teacher_stage
from edgetx.compress.search import Found, Measure, best, search, write_found
from edgetx.compress.space import Choice
from edgetx.compress.supernet import Sandwich, Supernet, subnet_recipe
from edgetx.compress.teacher import load_teachers
from edgetx.compress.trained import Trained
from edgetx.compress.tuning import Tuner, schedule
from edgetx.compress.views import TuningData, load_tuning_data
from edgetx.compress.watch import SILENT, Watch
from edgetx.frontends.torch import export_module
from edgetx.ir import Array, Graph
from edgetx.nn import build
from edgetx.output import check_replaceable
from edgetx.passes.pipeline import canonicalize
from edgetx.recipe import Recipe, load_recipe, recipe_path
from edgetx.targets import Target
from edgetx.train.metrics import Stage
from edgetx.train.model_folder import MARKER
from edgetx.train.saving import load_checkpoint, save_checkpoint


def search_network(
    source: str, data: Path, out: Path, target: Target, limit: Cost, study: Path | None = None, watch: Watch = SILENT
) -> list[Stage]:
    """Train a supernet, search it under a budget, tune the network that was chosen, and write its model folder.

    Several workers with the same `study` share the search. Whatever was done is found again after an interruption.

    Args:
        source: A recipe with `[search.space]`.
        data: An audio folder with a split CSV.
        out: The model folder to write, or to replace; the study's networks are listed in its `search.json`.
        target: Whose cycles and bytes count.
        limit: What the network may cost.
        study: The folder that workers share; beside `out` unless given.
        watch: Who is told how it goes.

    Returns:
        The stages: teachers, the supernet's largest network, the chosen network.

    Raises:
        FitError: If no network fits; names the nearest and what binds.
        EdgetxError: If the recipe, the data or the disk do not allow it.
    """
    check_replaceable(out, MARKER)
    recipe, text = load_recipe(source), recipe_path(source).read_text(encoding="utf-8")
    shared = study or out.with_name(f".{out.name}.search")
    teachers = load_teachers(recipe) if recipe.distillation.teachers else []
    known = load_tuning_data(data, recipe, teachers, watch.stage)
    calibration = _some(known.views.x[0].numpy(), recipe)
    supernet = _trained(recipe, known, shared, watch)
    measure = _measure(recipe, text, calibration, target, limit, shared / "costs")
    watch.stage("search")
    found = search(
        supernet, known, measure, limit, recipe.search.trials, shared / f"{_digest(recipe, target)}.journal",
        lambda done, trials: watch.stage(f"search {done}/{trials}"),
    )  # fmt: skip
    chosen = best(found, limit)
    kept = Kept(out, "tuning")
    tuning = kept.file("tuning.pt", chosen.choice, recipe)
    graph = _tuned(supernet, chosen, known, recipe, tuning, watch)
    watch.stage("build and simulate")
    report = built_report(Trained(graph, recipe, text, calibration), target, limit=limit)
    heard = load_recordings(data, recipe.data, "test")
    whole = canonicalize(export_module(supernet.full.eval(), calibration[:1], recipe.name))
    stages = [
        *(teacher_stage(teacher, heard) for teacher in teachers),
        graph_stage("supernet, largest", whole, known.test),
        graph_stage(f"searched: {chosen.choice}", graph, known.test, report=report),
    ]
    metrics = {"schema": 1, "stages": [stage.to_json() for stage in stages]}
    write_graph_folder(out, text, graph, calibration, metrics=metrics)
    write_found(out / "search.json", found)
    kept.remove()
    return stages


def _trained(recipe: Recipe, known: TuningData, shared: Path, watch: Watch) -> Supernet:
    """The supernet, trained unless it was."""
    torch.manual_seed(recipe.training.seed)
    supernet = Supernet(recipe)
    heard = recipe.data, recipe.frontend, recipe.distillation
    done = shared / f"supernet-{_digest(recipe.model, recipe.search.space, recipe.training, *heard)}.pt"
    if done.exists():
        supernet.load_state_dict(load_checkpoint(done))
        return supernet
    watch.stage("train the supernet")
    sandwich = Sandwich(supernet.space, objective(recipe))
    tuner = Tuner(supernet, known.views, known.valid, recipe.training, sandwich, blends(recipe))
    tuner.run(done.with_suffix(".unfinished"), watch.epoch)
    save_checkpoint(done, dict(supernet.state_dict()))
    done.with_suffix(".unfinished").unlink()
    return supernet


def _measure(recipe: Recipe, text: str, calibration: Array, target: Target, limit: Cost, folder: Path) -> Measure:
    """Costs as measured on firmware, each network built once; they depend on shapes, not on weights."""
    folder.mkdir(parents=True, exist_ok=True)

    def measure(choice: Choice) -> Cost:
        path = folder / f"{_digest(recipe.model, recipe.frontend, target, limit.ram_bytes, choice)}.json"
        if path.is_file():
            return Cost(*json.loads(path.read_text(encoding="utf-8")))
        module = build(subnet_recipe(recipe, choice)).eval()
        graph = canonicalize(export_module(module, calibration[:1], recipe.name))
        cost = cost_of(built_report(Trained(graph, recipe, text, calibration), target, limit=limit))
        partial = path.with_suffix(f".{np.random.default_rng().integers(1 << 30)}")
        partial.write_text(json.dumps([cost.cycles, cost.ram_bytes, cost.flash_bytes]), encoding="utf-8")
        partial.replace(path)
        return cost

    return measure


def _tuned(
    supernet: Supernet, chosen: Found, known: TuningData, recipe: Recipe, checkpoint: Path, watch: Watch
) -> Graph:
    """The chosen network, tuned on its own from the shared weights."""
    module = supernet.subnet(chosen.choice, known.views.x[0])
    watch.stage(f"tune {chosen.choice}")
    settings = schedule(recipe.training, recipe.search.epochs, recipe.training.learning_rate / 4)
    Tuner(module, known.views, known.valid, settings, objective(recipe), blends(recipe)).run(checkpoint, watch.epoch)
    return canonicalize(export_module(module, known.views.x[0][:1].numpy(), recipe.name))


def _some(inputs: Array, recipe: Recipe) -> Array:
    """Calibration inputs, evenly from the training clips."""
    count = min(recipe.quantization.calibration_count, len(inputs))
    return np.asarray(inputs[np.linspace(0, len(inputs) - 1, count).astype(int)])


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
