"""What distillation, accuracy-driven pruning and quantization-aware training gain, each at an equal budget.

    python benchmarks/compression/methods.py distillation --data RECORDINGS --teacher build/teacher --work build/methods
    python benchmarks/compression/methods.py pruning      --data RECORDINGS --work build/methods
    python benchmarks/compression/methods.py quantization --data RECORDINGS --work build/methods
    python benchmarks/compression/tables.py build/methods

`edgetx train benchmarks/compression/teacher.toml` makes the teacher. Students differ in their seed: first weights,
order of the clips, masks and blends; what is pruned are the distilled students, what is quantized are those and what
was left of them. All hear the same augmented forms of the training clips. A row that is there is not computed again.
"""

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from edgetx.compress.cost import NO_LIMIT, built_report, cost_of
from edgetx.compress.distill import blends
from edgetx.compress.embedding import load_embedders
from edgetx.compress.features import learn_embeddings
from edgetx.compress.folder import write_graph_folder
from edgetx.compress.kept import Kept
from edgetx.compress.prune import pruned_within
from edgetx.compress.quantize import plan_of, quantization_aware
from edgetx.compress.teacher import load_teachers
from edgetx.compress.trained import Trained, load_trained
from edgetx.compress.tuning import Distilling, Tuner
from edgetx.compress.views import TuningData, load_tuning_data
from edgetx.compress.watch import SILENT
from edgetx.frontends.torch import export_module
from edgetx.ir import Graph
from edgetx.nn import build
from edgetx.passes.pipeline import canonicalize
from edgetx.quant import QuantPlan
from edgetx.recipe import Pruning, load_recipe
from edgetx.targets import load_target
from edgetx.train.evaluate import evaluate
from edgetx.train.examples import Examples
from edgetx.train.graph import GraphModule, QuantizedGraphModule
from edgetx.train.precision import bfloat16

RECIPES = Path(__file__).parent
BOARD = load_target("nucleo-l4r5zi")
ARMS = {
    "distillation": ("labels", "teacher", "hard"),
    "pruning": ("magnitude", "taylor", "accuracy"),
    "quantization": ("distilled", "pruned"),
}
FEATURE_EPOCHS = 20  # of those of a student
PRUNING = Pruning(keep=0.6, rounds=2, epochs=10)
Row = Mapping[str, float]


@dataclass(frozen=True)
class Bench:
    """What all rows of an experiment share."""

    recipe: Path
    known: TuningData
    work: Path

    def folder(self, experiment: str, name: str) -> Path:
        """Where a model of an experiment is written."""
        return self.work / experiment / name


def scores(graph: Graph, known: TuningData, plan: QuantPlan | None = None, suffix: str = "") -> dict[str, float]:
    """Accuracies on validation and test clips."""
    module: nn.Module = GraphModule(graph) if plan is None else QuantizedGraphModule(graph, plan)
    valid, test = (evaluate(module, Examples.of(part)).accuracy for part in (known.valid, known.test))
    return {f"valid{suffix}": valid, f"test{suffix}": test}


def distillation(arm: str, seed: int, bench: Bench) -> Row:
    """A student that learns from labels alone, from softened answers too, from best classes too, or features first."""
    recipe, known = load_recipe(bench.recipe), bench.known
    settings = replace(recipe.training, seed=seed)
    weight = 0.0 if arm == "labels" else recipe.distillation.weight
    learns = Distilling(weight, recipe.distillation.temperature, settings.label_smoothing, hard=arm == "hard")
    torch.manual_seed(seed)
    student = build(recipe).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if arm == "features":
        kept, epochs = Kept(bench.folder("distillation", f"{arm}-{seed}"), "features"), FEATURE_EPOCHS
        recipe = replace(recipe, training=settings, distillation=replace(recipe.distillation, embedding_epochs=epochs))
        learn_embeddings(student, recipe, known, kept, SILENT)
        settings = replace(settings, epochs=settings.epochs - epochs)
        kept.remove()
    Tuner(student, known.views, known.valid, settings, learns, blends(recipe), bfloat16=bfloat16(settings)).run()
    inputs = known.views.x[0][:: len(known.views.y) // recipe.quantization.calibration_count].numpy()
    graph = canonicalize(export_module(student, inputs[:1], recipe.name))
    folder = bench.folder("distillation", f"{arm}-{seed}")
    write_graph_folder(folder, bench.recipe.read_text(encoding="utf-8"), graph, inputs)
    model = load_trained(str(folder))
    return {**scores(graph, known), **scores(graph, known, plan_of(model, BOARD), "_int8")}


def pruning(arm: str, seed: int, bench: Bench) -> Row:
    """A distilled student without what matters least by some rule, tuned; for all rules the same share of cycles."""
    known, folder = bench.known, bench.folder("pruning", f"{arm}-{seed}")
    source = bench.folder("distillation", f"teacher-{seed}")
    model = _seeded(load_trained(str(source)), seed)
    model = replace(model, recipe=replace(model.recipe, pruning=replace(PRUNING, method=arm)))  # type: ignore[arg-type]
    before = built_report(model, BOARD)
    kept = Kept(folder, "prune")
    limit = replace(NO_LIMIT, cycles=PRUNING.keep * cost_of(before).cycles)
    pruned, after = pruned_within(model, known, BOARD, limit, before, kept)
    write_graph_folder(folder, model.text, pruned.graph, model.calibration)
    kept.remove()
    row: dict[str, float] = {}
    for name, each, report in (("before_", model, before), ("", pruned, after)):
        stage = report["stages"][-1]
        row |= {f"{name}{key}": stage[key] for key in ("cycles", "flash_bytes", "ram_bytes", "parameters", "macs")}
        row |= {f"{name}arena_bytes": report["memory"]["arena_bytes"]}
        row |= {f"{name}weights_bytes": report["memory"]["weights_bytes"]}
        row |= {f"{name}{key}": value for key, value in scores(each.graph, known).items()}
    return {**row, "before_graph_bytes": _graph_bytes(source), "graph_bytes": _graph_bytes(folder)}


def quantization(arm: str, seed: int, bench: Bench) -> Row:
    """A float student in integers: calibrated, and trained with its integers."""
    known = bench.known
    ours = {
        "distilled": bench.folder("distillation", f"teacher-{seed}"),
        "pruned": bench.folder("pruning", f"accuracy-{seed}"),
    }
    model = _seeded(load_trained(str(ours.get(arm, arm))), seed)
    plan = plan_of(model, BOARD)
    aware = quantization_aware(model, plan, known, None, SILENT)
    return {
        **scores(model.graph, known, suffix="_float"),
        **scores(model.graph, known, plan, "_after"),
        **scores(aware, known, plan, "_aware"),
    }


def _seeded(model: Trained, seed: int) -> Trained:
    return replace(model, recipe=replace(model.recipe, training=replace(model.recipe.training, seed=seed)))


def _graph_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("graph*"))


EXPERIMENTS: Mapping[str, Callable[[str, int, Bench], Row]] = {
    "distillation": distillation,
    "pruning": pruning,
    "quantization": quantization,
}


def main() -> None:
    """Compute the rows that are missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("experiment", choices=EXPERIMENTS)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--teacher", default="build/teacher")
    parser.add_argument("--student", default="student", help="student or student-tiny")
    parser.add_argument("--arms", help="comma-separated; for quantization also models of the zoo")
    parser.add_argument("--seeds", default="0,1,2,3,4")
    options = parser.parse_args()
    arms = options.arms.split(",") if options.arms else ARMS[options.experiment]
    source = RECIPES / f"{options.student}.toml"
    recipe = load_recipe(source if arms[0] in ARMS[options.experiment] else arms[0])
    recipe = replace(recipe, distillation=replace(recipe.distillation, teachers=(options.teacher,)))
    teachers = load_teachers(recipe) if options.experiment == "distillation" else []
    embeddings = (options.teacher,) if "features" in arms else ()
    recipe = replace(recipe, distillation=replace(recipe.distillation, embeddings=embeddings))
    known = load_tuning_data(options.data, recipe, teachers, embedders=load_embedders(recipe))
    bench = Bench(source, known, options.work / options.student)
    bench.folder(options.experiment, "").mkdir(parents=True, exist_ok=True)
    for seed in map(int, options.seeds.split(",")):
        for arm in arms:
            path = bench.folder(options.experiment, f"{arm}-{seed}.json")
            if not path.is_file():
                row = EXPERIMENTS[options.experiment](arm, seed, bench)
                path.write_text(json.dumps(row, indent=2) + "\n", encoding="utf-8")
                print(options.experiment, arm, seed, row, flush=True)


if __name__ == "__main__":
    main()
