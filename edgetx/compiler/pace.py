"""How a model listens to continuous audio: when it runs, on what, and how its answers become events."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from edgetx.backends.c import Hops, Windows, emit_stream
from edgetx.compiler.streaming import StreamedModel, StreamOptions
from edgetx.config import parse
from edgetx.decision import Decision
from edgetx.errors import ConfigError
from edgetx.ir import Graph
from edgetx.recipe import Recipe, samples

LEAST_AVERAGED = 3
"""Answers that are averaged at least: one alone is no event."""

STEPS_PER_WINDOW = 5
"""How often a sliding window is looked at while it moves by its length."""


@dataclass(frozen=True)
class Pace:
    """When a model runs on continuous audio, and how its answers become events.

    Attributes:
        frames: Rows of features that it takes.
        step: New rows between two answers: all of them where it runs hop by hop.
        decision: How answers become events.
    """

    frames: int
    step: int
    decision: Decision


def pace_of(
    graph: Graph, recipe: Recipe | None, options: StreamOptions, streaming: StreamedModel | None
) -> Pace | None:
    """The pace of a model that takes int8 rows of a front end and gives int8 logits; None for others.

    Args:
        graph: The integer graph, of a clip or of a hop.
        recipe: Its recipe.
        options: What the user asked for.
        streaming: What it is hop by hop, if it is.
    """
    if recipe is None or len(graph.inputs) != 1 or len(graph.outputs) != 1:
        return None
    rows, logits, classes = graph.inputs[0].type, graph.outputs[0].type, recipe.data.classes
    features = recipe.frontend.features
    if (rows.dtype, logits.dtype) != ("int8", "int8") or rows.size % features or logits.size != len(classes):
        return None
    frames = rows.size // features
    frame_ms = recipe.frontend.hop_ms
    step = frames if streaming else max(1, round(options.step_ms / frame_ms or frames / STEPS_PER_WINDOW))
    step_ms = step * frame_ms
    decision = Decision(
        smoothing=max(LEAST_AVERAGED, round(options.smoothing_ms / step_ms)),
        threshold=options.threshold,
        refractory=round(options.refractory_ms / step_ms),
        background=tuple(i for i, name in enumerate(classes) if name.startswith("_")),
    )
    return Pace(frames, step, decision)


def pace_report(pace: Pace | None) -> Mapping[str, object] | None:
    """The `listening` section of the report."""
    return None if pace is None else asdict(pace)


def read_pace(report: Mapping[str, object], where: str) -> Pace:
    """The pace with which a model was compiled.

    Raises:
        ConfigError: If it has none.
    """
    section = report.get("listening")
    if section is None:
        raise ConfigError("does not listen to continuous audio", where=where,
                          hint="models with a recipe, int8 rows of its front end and int8 logits do")  # fmt: skip
    return parse(section, Pace, "report.json: listening")  # type: ignore[arg-type]


def write_stream(pace: Pace, graph: Graph, recipe: Recipe, streaming: StreamedModel | None, folder: Path) -> None:
    """Write `stream.c` beside a model's C.

    Args:
        pace: When the model runs.
        graph: The integer graph.
        recipe: Its recipe, which knows the front end.
        streaming: What the model is hop by hop, if it is.
        folder: Where the model's C is.
    """
    front = recipe.frontend
    runs = Hops(pace.frames, streaming.look_ahead_ms or 0.0) if streaming else Windows(pace.frames, pace.step)
    files = emit_stream(
        graph, pace.decision, recipe.data.classes, runs,
        frame_samples=samples(front.hop_ms, recipe.data.sample_rate_hz), frame_ms=front.hop_ms,
    )  # fmt: skip
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
