"""Quantization-aware training: the weights learn to live with the integer graph's values."""

from dataclasses import replace
from pathlib import Path

from edgetx.compiler.mixed import with_raised
from edgetx.compiler.quantized import activation_ranges
from edgetx.compress.cost import NO_LIMIT, Cost, built_report
from edgetx.compress.distill import objective
from edgetx.compress.folder import write_graph_folder
from edgetx.compress.kept import Kept
from edgetx.compress.ledger import earlier_stages, graph_stage
from edgetx.compress.trained import Trained, load_trained, taught_by
from edgetx.compress.tuning import Tuner, schedule
from edgetx.compress.views import TuningData, load_tuning_data
from edgetx.compress.watch import SILENT, Watch
from edgetx.ir import Graph
from edgetx.output import check_replaceable
from edgetx.quant import QuantPlan, make_plan, parse_recipe
from edgetx.targets import Target
from edgetx.train.evaluate import evaluate
from edgetx.train.examples import Examples
from edgetx.train.graph import QuantizedGraphModule
from edgetx.train.metrics import Stage
from edgetx.train.model_folder import MARKER


def quantize(
    source: str, data: Path, out: Path, target: Target, watch: Watch = SILENT, limit: Cost = NO_LIMIT
) -> list[Stage]:
    """Train a model with the values of its integer graph, and write a model folder that holds the quantization.

    Where that does not raise the validation accuracy over quantization after training, the weights stay as they were.

    Args:
        source: A model folder or a name in the zoo.
        data: The audio folder that it was trained on.
        out: The model folder to write, or to replace.
        target: The board on which the result is measured.
        watch: Who is told how it goes.
        limit: Where the memory of the board is short, fewer weights are copied there.

    Returns:
        The stages: quantized after training, and with training.

    Raises:
        EdgetxError: If the model, the data or the disk do not allow it.
    """
    check_replaceable(out, MARKER)
    model = load_trained(source)
    known = load_tuning_data(data, model.recipe, progress=watch.stage)
    plan, kept = plan_of(model, target, watch), Kept(out, "quantize")
    graph = quantization_aware(model, plan, known, kept.file("tuning.pt", model.graph, model.recipe, plan), watch)
    watch.stage("measure")
    stages = [
        graph_stage(name, each, known.test, plan, built_report(replace(model, graph=each), target, plan, limit))
        for name, each in (("quantized after training", model.graph), ("quantization-aware", graph))
    ]
    rows = [*earlier_stages(model.metrics), *(stage.to_json() for stage in stages)]
    write_graph_folder(out, model.text, graph, model.calibration, plan=plan, metrics={"schema": 1, "stages": rows})
    kept.remove()
    return stages


def plan_of(model: Trained, target: Target, watch: Watch = SILENT) -> QuantPlan:
    """The quantization that the recipe's calibration finds; which activations have 16 bits may depend on the target."""
    settings = model.recipe.quantization
    asked = parse_recipe(settings.recipe, settings.calibration, settings.extra_cycles)
    recipe, _ = with_raised(model.graph, model.calibration, asked, target, progress=watch.stage)
    return make_plan(model.graph, activation_ranges(model.graph, model.calibration, recipe), recipe)


def quantization_aware(
    model: Trained, plan: QuantPlan, known: TuningData, checkpoint: Path | None, watch: Watch
) -> Graph:
    """The float graph with weights that suit the plan, or as it was if none suit it better."""
    settings, recipe = model.recipe.quantization_aware, model.recipe
    module = QuantizedGraphModule(model.graph, plan)
    valid = Examples.of(known.valid)
    before = evaluate(module, valid)
    watch.stage("quantization-aware training")
    views = taught_by(model.graph, known.views)
    slow = replace(
        schedule(recipe.training, settings.epochs, settings.learning_rate), batch=settings.batch, weight_decay=0.0
    )
    tuner = Tuner(module, views, known.valid, slow, objective(recipe))
    tuner.run(checkpoint, watch.epoch)
    after = evaluate(module, valid)
    better = (after.accuracy, -after.loss) > (before.accuracy, -before.loss)
    return module.trained() if better else model.graph
