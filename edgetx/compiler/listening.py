"""A compiled model listening to continuous audio: front end, model on a sliding window or hop by hop, detections."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgetx.audio.detector import NOTHING, Detector, DetectorSettings
from edgetx.compiler.artifact import Artifact
from edgetx.compiler.rows import quantized_rows
from edgetx.config import parse
from edgetx.decision import Decider, Decision
from edgetx.errors import ConfigError
from edgetx.recipe import Recipe
from edgetx.runtimes.runtime import Runtime

STEP_MS = 200.0
LENGTH, PAUSE = 3, 5
MARGIN = 2.0
"""Found on the validation speakers of kws-transformer-micro: 25 of 29 words in noise, one false."""
_CHUNK_SECONDS = 10

Samples = NDArray[np.int16]


@dataclass(frozen=True)
class Listener:
    """What a model needs to listen.

    Attributes:
        artifact: The compiled model.
        recipe: Its recipe.
        frames: Rows of its input.
        step: New rows between two runs of the model.
        settings: How its scores become detections.
        decision: The same for a model that was compiled hop by hop; `frames` and `step` are its hop then.
    """

    artifact: Artifact
    recipe: Recipe
    frames: int
    step: int
    settings: DetectorSettings
    decision: Decision | None = None


@dataclass(frozen=True)
class Detection:
    """A class, and the end of the window in which it was detected."""

    seconds: float
    label: str


def make_listener(artifact: Artifact, margin: float | None = None) -> Listener:
    """The listener of a keyword or sound model.

    Args:
        artifact: A folder compiled from a recipe.
        margin: How far, on average over the smoothed windows, a class must be ahead, in units of the model's output; by
            default MARGIN.

    Raises:
        ConfigError: If the model does not take rows of features in int8 and give int8 scores, or a margin is given to a
            model that was compiled with its threshold.
    """
    recipe, graph = artifact.recipe, artifact.graph
    if recipe is None:
        raise ConfigError("listens only with a recipe, which says how audio becomes inputs", where=str(artifact.folder))
    source, scores = graph.inputs[0].type, graph.outputs[0].type
    features = recipe.frontend.features
    if source.dtype != "int8" or scores.dtype != "int8" or source.size % features:
        raise ConfigError("its inputs are not int8 rows of the front end", where=str(artifact.folder))
    classes = recipe.data.classes
    decision = _decision_of(artifact)
    if decision is not None and margin is not None:
        raise ConfigError("a stream decides as it was compiled", where="--margin", hint="--set streaming.threshold=0.8")
    margin = MARGIN if margin is None else margin
    ignored = frozenset(i for i, name in enumerate(classes) if name.startswith("_"))
    settings = DetectorSettings(len(classes), ignored, LENGTH, round(margin * LENGTH / scores.scale), PAUSE)
    frames = source.size // features
    step = frames if decision else max(1, round(STEP_MS / recipe.frontend.hop_ms))
    return Listener(artifact, recipe, frames, step, settings, decision)


def _decision_of(artifact: Artifact) -> Decision | None:
    """How a model that was compiled hop by hop decides; None for others.

    Raises:
        ConfigError: If it was compiled without a decision.
    """
    if artifact.clip_graph is None:
        return None
    section = artifact.report["streaming"]
    settings = section.get("decision") if isinstance(section, dict) else None
    if settings is None:
        hint = "models with int8 scores and a recipe have one; compile it again"
        raise ConfigError("the stream has no decision", where=str(artifact.folder), hint=hint)
    return parse(settings, Decision, "report.json: streaming.decision")


def can_listen(artifact: Artifact) -> bool:
    """Whether `make_listener` takes it."""
    try:
        make_listener(artifact)
    except ConfigError:
        return False
    return True


def rows_of(listener: Listener, chunks: Iterable[Samples]) -> Iterator[NDArray[np.int8]]:
    """Model inputs of continuous audio that begins after silence: the new rows of each chunk."""
    return quantized_rows(listener.recipe, listener.artifact.graph.inputs[0].type, chunks)


def listen(listener: Listener, chunks: Iterable[Samples], runtime: str = "c") -> Iterator[Detection]:
    """Detections in continuous audio, as the firmware of `firmware_examples/keyword_spotter` makes them.

    Args:
        listener: The model.
        chunks: 16-bit samples at the rate of the recipe, a piece after the other.
        runtime: Where the model runs.
    """
    model = listener.artifact.runtime(runtime)
    if listener.decision is not None:
        yield from _listen_to_hops(listener, listener.decision, chunks, model)
        return
    detector = Detector(listener.settings)
    shape = listener.artifact.graph.inputs[0].type.shape
    hop_seconds = listener.recipe.frontend.hop_ms / 1000
    window = np.zeros((0, listener.recipe.frontend.features), np.int8)
    end = 0
    for rows in rows_of(listener, chunks):
        for row in rows:
            window = np.concatenate([window[-listener.frames + 1 :], row[None]])
            end += 1
            if len(window) < listener.frames or end % listener.step:
                continue
            model.reset()
            scores = model.run((window.reshape(shape),))[0]
            found = detector.push([int(score) for score in scores.reshape(-1)])
            if found != NOTHING:
                yield Detection(end * hop_seconds, listener.recipe.data.classes[found])


def _listen_to_hops(
    listener: Listener, decision: Decision, chunks: Iterable[Samples], model: Runtime
) -> Iterator[Detection]:
    source, scores = (values[0].type for values in (listener.artifact.graph.inputs, listener.artifact.graph.outputs))
    decider = Decider(decision, scores.size, scores.scale)
    hop_seconds = listener.frames * listener.recipe.frontend.hop_ms / 1000
    pending = np.zeros((0, listener.recipe.frontend.features), np.int8)
    model.reset()
    for rows in rows_of(listener, chunks):
        pending = np.concatenate([pending, rows])
        while len(pending) >= listener.frames:
            hop, pending = pending[: listener.frames], pending[listener.frames :]
            event = decider.push(model.run((hop.reshape(source.shape),))[0].reshape(-1).astype(np.int8))
            if event is not None:
                yield Detection((event.hop + 1) * hop_seconds, listener.recipe.data.classes[event.label])


def in_chunks(audio: Samples, sample_rate_hz: int) -> Iterator[Samples]:
    """A recording, ten seconds at a time."""
    size = _CHUNK_SECONDS * sample_rate_hz
    return (audio[start : start + size] for start in range(0, len(audio), size))
