"""The model card: a model folder's README.md."""

from edgetx.recipe import Recipe
from edgetx.train.metrics import Metrics, Repeats, Run, Score


def model_card(recipe: Recipe, metrics: Metrics) -> str:
    """The card as Markdown, every figure taken from the recipe or the metrics."""
    verb = "distill" if any(stage.name == "distilled" for stage in metrics.stages) else "train"
    rows = "\n".join(f"| {name} | {value} |" for name, value in _rows(recipe, metrics).items())
    return f"""\
# {recipe.name}

{recipe.description}

| | |
|--|--|
{rows}

The test split took no part in training, in the choice of the epoch or in calibration.
Train it again with `edgetx {verb} {recipe.name} --data DIR{_several(metrics)} -o OUT`,
compile it with `edgetx compile {recipe.name} --target TARGET`.
"""


def _rows(recipe: Recipe, metrics: Metrics) -> dict[str, str]:
    frames, features = recipe.input_shape
    front, stage, test, run = recipe.frontend, metrics.stages[-1], metrics.test, metrics.training
    low, high = test.interval_95
    options = ", ".join(f"{key} {value}" for key, value in recipe.model.options.items())
    kind, rate = front.kind.replace("_", "-"), recipe.data.sample_rate_hz
    weakest = sorted(test.classes.items(), key=lambda item: item[1])[:3]
    return {
        "classes": ", ".join(recipe.data.classes),
        "input": f"{frames} frames × {features} {kind} values, {front.window_ms:g} ms window, "
        f"{front.hop_ms:g} ms hop, {rate} Hz",
        "architecture": f"{recipe.model.architecture}: {options or 'its defaults'}",
        "parameters": f"{stage.parameters:,}",
        "multiply-accumulates": f"{stage.macs:,} per clip",
        "float accuracy": f"**{test.accuracy:.2%}** of {test.clips} test clips; "
        f"95 % interval {low:.1%} to {high:.1%}, taking clips as independent",
        "over several trainings": _repeats(metrics.repeats),
        **_deployed(metrics),
        **_taught(metrics),
        "per test speaker": _spread(test),
        "weakest classes": ", ".join(f"{name} {recall:.1%}" for name, recall in weakest),
        "data": recipe.data.source or "not stated",
        "training": f"{run.epochs} epochs in {_hours(run)}, seed {run.seed}; "
        f"epoch {run.best_epoch} was best on the validation split ({run.valid_accuracy:.2%})",
    }


def _hours(run: Run) -> str:
    threads = f"{run.threads} CPU thread{'s' if run.threads > 1 else ''}"
    busy = f" ({run.processor_hours:.2f} h of processor time)" if run.processor_hours else ""
    return f"{run.hours:.2f} h on {threads}{busy}"


def _several(metrics: Metrics) -> str:
    """Options for as many trainings as there were."""
    if metrics.repeats is None:
        return ""
    return " --folds" if metrics.training.fold else f" --seeds {len(metrics.repeats.runs)}"


def _taught(metrics: Metrics) -> dict[str, str]:
    """What the teachers reach, of a student."""
    teachers = [stage for stage in metrics.stages if stage.name.startswith("teacher ") and stage.accuracy is not None]
    reached = (f"{stage.name.removeprefix('teacher ')}, {stage.accuracy:.2%} of the same clips" for stage in teachers)
    return {"learned from": "; ".join(reached)} if teachers else {}


def _deployed(metrics: Metrics) -> dict[str, str]:
    """Of the integer model, if it was measured."""
    stage = metrics.stages[-1]
    if stage.name != "int8" or stage.accuracy is None:
        return {}
    rows = {"int8 accuracy": f"**{stage.accuracy:.2%}** of the same clips"}
    if stage.cycles is not None:
        memory = f"{stage.flash_bytes:,} bytes of flash, {stage.ram_bytes:,} bytes of RAM"
        rows[f"on {metrics.target}"] = f"{stage.cycles:,} cycles per clip (simulated), {memory}"
    return rows


def _repeats(repeats: Repeats | None) -> str:
    if repeats is None:
        return "trained once only"
    low, high = repeats.interval_95
    by = "fold" if repeats.runs[0].fold else "seed"
    each = ", ".join(f"{by} {getattr(run, by)}: {run.accuracy:.2%}" for run in repeats.runs)
    integer = "" if repeats.int8_mean is None else f"; as int8 {repeats.int8_mean:.2%}"
    return f"mean **{repeats.mean:.2%}**, 95 % interval of the mean {low:.1%} to {high:.1%} ({each}){integer}"


def _spread(test: Score) -> str:
    if not test.speakers:
        return "speakers unknown"
    values = test.speakers.values()
    spread = f"{len(values)} speakers, {min(values):.1%} to {max(values):.1%}"
    if test.speaker_interval_95 is None:
        return spread
    low, high = test.speaker_interval_95
    return f"{spread}; 95 % interval {low:.1%} to {high:.1%}, drawing speakers anew"
