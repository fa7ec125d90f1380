"""Pruning a trained model to a budget, in rounds of taking out and tuning."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from edgetx.compress.cost import NO_LIMIT, Cost, CostModel, built_report, cost_of
from edgetx.compress.distill import blends, objective
from edgetx.compress.folder import write_graph_folder
from edgetx.compress.kept import Kept
from edgetx.compress.ledger import earlier_stages, graph_stage
from edgetx.compress.pruning import Pruner
from edgetx.compress.trained import Trained, load_trained, taught_by
from edgetx.compress.tuning import Tuner, schedule
from edgetx.compress.views import TuningData, load_tuning_data
from edgetx.compress.watch import SILENT, Watch
from edgetx.ir import Graph
from edgetx.output import check_replaceable
from edgetx.recipe import Recipe
from edgetx.targets import Target
from edgetx.train.examples import Examples
from edgetx.train.graph import GraphModule
from edgetx.train.metrics import Stage
from edgetx.train.model_folder import MARKER

_JUDGES = 512
"""Training clips by which importance is judged."""


def prune(
    source: str,
    data: Path,
    out: Path,
    target: Target,
    limit: Cost = NO_LIMIT,
    watch: Watch = SILENT,
    before: Mapping[str, Any] | None = None,
) -> list[Stage]:
    """Prune a trained model, tune what is left against what it was, and write a model folder.

    An interrupted run goes on at its last whole epoch, or round of pruning.

    Args:
        source: A model folder or a name in the zoo.
        data: The audio folder that it was trained on.
        out: The model folder to write, or to replace.
        target: Whose cycles and bytes count.
        limit: What the pruned model may cost; without one, the recipe's share of the cycles.
        watch: Who is told how it goes.
        before: What `edgetx compile` reports of the model on the target, if that is known already.

    Returns:
        The stages before and after.

    Raises:
        FitError: If the limit cannot be reached.
        EdgetxError: If the model, the data or the disk do not allow it.
    """
    check_replaceable(out, MARKER)
    model = load_trained(source)
    known = load_tuning_data(data, model.recipe, progress=watch.stage)
    before = before or _built(model, target, limit, watch)
    if limit == NO_LIMIT:
        limit = replace(NO_LIMIT, cycles=model.recipe.pruning.keep * cost_of(before).cycles)
    kept = Kept(out, "prune")
    pruned, after = pruned_within(model, known, target, limit, before, kept, watch)
    stages = [
        graph_stage("before pruning", model.graph, known.test, report=before),
        graph_stage("pruned", pruned.graph, known.test, report=after),
    ]
    rows = [*earlier_stages(model.metrics)[:-1], *(stage.to_json() for stage in stages)]
    write_graph_folder(out, model.text, pruned.graph, model.calibration, metrics={"schema": 1, "stages": rows})
    kept.remove()
    return stages


def pruned_within(
    model: Trained,
    known: TuningData,
    target: Target,
    limit: Cost,
    before: Mapping[str, Any],
    kept: Kept,
    watch: Watch = SILENT,
) -> tuple[Trained, Mapping[str, Any]]:
    """The model pruned until firmware built from it keeps the limit, and what `edgetx compile` reports of it.

    Args:
        model: A trained model.
        known: What to judge and to tune by.
        target: Whose cycles and bytes count.
        limit: What the pruned model may cost.
        before: What `edgetx compile` reports of the model on the target.
        kept: Where to keep what an interruption would lose.
        watch: Who is told how it goes.

    Raises:
        FitError: If the limit cannot be reached.
    """
    known = replace(known, views=taught_by(model.graph, known.views))
    costs = CostModel(target, ram_bytes=limit.ram_bytes).corrected(model.graph, before)
    pruned = replace(model, graph=pruned_graph(model, known, costs, limit, kept, watch))
    after = _built(pruned, target, limit, watch)
    while cost_of(after).over(limit).worst > 1:
        costs = costs.corrected(pruned.graph, after)
        again = replace(pruned, recipe=_in_one_round(model.recipe))
        pruned = replace(model, graph=pruned_graph(again, known, costs, limit, kept, watch))
        after = _built(pruned, target, limit, watch)
    return pruned, after


def _built(model: Trained, target: Target, limit: Cost, watch: Watch) -> Mapping[str, Any]:
    watch.stage("build and simulate")
    return built_report(model, target, limit=limit)


def _in_one_round(recipe: Recipe) -> Recipe:
    return replace(recipe, pruning=replace(recipe.pruning, rounds=1))


def pruned_graph(model: Trained, known: TuningData, costs: CostModel, limit: Cost, kept: Kept, watch: Watch) -> Graph:
    """The graph, pruned and tuned in turn until its expected cost keeps the limit; see `pruned_within`."""
    settings = model.recipe.pruning
    judges, valid = known.views.some(_JUDGES), Examples.of(known.valid)
    pruner = Pruner(settings.method, settings.step, costs, judges, valid, watch.stage)
    graph, start = model.graph, costs(model.graph)
    for number in range(1, settings.rounds + 1):
        step = _between(start, limit, number / settings.rounds)
        made_from = graph, model.recipe, costs, step
        graph = kept.graph(kept.file("pruned.npz", *made_from), partial(pruner.prune, graph, step, limit))
        watch.stage(f"tune {number}/{settings.rounds}")
        tuning = kept.file("tuning.pt", *made_from)
        tune = partial(_tuned, graph, model.recipe, known, tuning, watch)
        graph = kept.graph(kept.file("tuned.npz", *made_from), tune)
    return graph


def _tuned(graph: Graph, recipe: Recipe, known: TuningData, checkpoint: Path, watch: Watch) -> Graph:
    module, settings = GraphModule(graph), recipe.pruning
    slow = schedule(recipe.training, settings.epochs, settings.learning_rate)
    Tuner(module, known.views, known.valid, slow, objective(recipe), blends(recipe)).run(checkpoint, watch.epoch)
    return module.trained()


def _between(start: Cost, limit: Cost, share: float) -> Cost:
    """The way from a cost to a limit, by equal ratios; a limit that is kept already stays."""

    def step(now: float, end: float) -> float:
        return end if now <= end else now * (end / now) ** share

    return Cost(
        step(start.cycles, limit.cycles),
        step(start.ram_bytes, limit.ram_bytes),
        step(start.flash_bytes, limit.flash_bytes),
    )
