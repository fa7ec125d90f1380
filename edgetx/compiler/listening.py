"""A compiled model listening to continuous audio: front end, model on a sliding window or hop by hop, detections."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edgetx.compiler.artifact import Artifact
from edgetx.compiler.pace import Pace, read_pace
from edgetx.compiler.rows import quantized_rows
from edgetx.decision import Decider
from edgetx.errors import ConfigError
from edgetx.fixedpoint import dequantize, quantize
from edgetx.recipe import Recipe
from edgetx.runtimes.runtime import Runtime

_CHUNK_SECONDS = 10

Samples = NDArray[np.int16]


@dataclass(frozen=True)
class Listener:
    """What a model needs to listen.

    Attributes:
        artifact: The compiled model.
        recipe: Its recipe.
        pace: When it runs, and how its answers become events.
    """

    artifact: Artifact
    recipe: Recipe
    pace: Pace

    @property
    def frame_seconds(self) -> float:
        """From one row of features to the next."""
        return self.recipe.frontend.hop_ms / 1000


@dataclass(frozen=True)
class Detection:
    """A class, and the end of the audio with which it was detected."""

    seconds: float
    label: str


@dataclass(frozen=True)
class Answer:
    """What a model says to continuous audio at one time.

    Attributes:
        rows: Rows of features heard since the beginning.
        logits: Its int8 outputs.
    """

    rows: int
    logits: NDArray[np.int8]


def make_listener(artifact: Artifact, threshold: float | None = None) -> Listener:
    """The listener of a keyword or sound model.

    Args:
        artifact: A folder compiled from a recipe.
        threshold: Average posterior that makes an event, instead of the one with which the model was compiled.

    Raises:
        ConfigError: If the model does not take rows of features in int8 and give int8 scores.
    """
    where = str(artifact.folder)
    recipe = artifact.recipe
    if recipe is None:
        raise ConfigError("listens only with a recipe, which says how audio becomes inputs", where=where)
    pace = read_pace(artifact.report, where)
    if threshold is not None:
        pace = replace(pace, decision=replace(pace.decision, threshold=threshold))
    return Listener(artifact, recipe, pace)


def rows_of(listener: Listener, chunks: Iterable[Samples]) -> Iterator[NDArray[np.int8]]:
    """Model inputs of continuous audio that begins after silence: the new rows of each chunk."""
    return quantized_rows(listener.recipe, listener.artifact.graph.inputs[0].type, chunks)


def listen(listener: Listener, chunks: Iterable[Samples], runtime: str = "c") -> Iterator[Detection]:
    """Detections in continuous audio, as `edgetx_stream_push` makes them in firmware.

    Args:
        listener: The model.
        chunks: 16-bit samples at the rate of the recipe, a piece after the other.
        runtime: Where the model runs.
    """
    scores = listener.artifact.graph.outputs[0].type
    decider = Decider(listener.pace.decision, scores.size, scores.scale)
    for answer in answers(listener, chunks, runtime):
        event = decider.push(answer.logits)
        if event is not None:
            yield Detection(answer.rows * listener.frame_seconds, listener.recipe.data.classes[event.label])


def answers(listener: Listener, chunks: Iterable[Samples], runtime: str = "c") -> Iterator[Answer]:
    """What the model says to continuous audio that begins after silence, answer after answer.

    Args:
        listener: The model.
        chunks: 16-bit samples, a piece after the other.
        runtime: Where the model runs; logits in floating point are rounded to the scale of the integer ones.
    """
    artifact, pace = listener.artifact, listener.pace
    model, source = artifact.runtime(runtime), artifact.graph.inputs[0].type
    runs_on_windows = artifact.clip_graph is None
    window = np.zeros((0, listener.recipe.frontend.features), np.int8)
    heard = 0
    model.reset()
    for rows in rows_of(listener, chunks):
        for row in rows:
            window = np.concatenate([window, row[None]])[-pace.frames :]
            heard += 1
            if heard < pace.frames or heard % pace.step:
                continue
            if runs_on_windows:
                model.reset()
            yield Answer(heard, _logits(artifact, model, window.reshape(source.shape)))


def _logits(artifact: Artifact, model: Runtime, rows: NDArray[np.int8]) -> NDArray[np.int8]:
    source, scores = artifact.graph.inputs[0].type, artifact.graph.outputs[0].type
    if model.name != "float":
        return np.asarray(model.run((rows,))[0].reshape(-1), np.int8)
    real = model.run((dequantize(rows, source.scale, source.zero_point),))[0]
    return np.asarray(quantize(real, scores.scale, scores.zero_point, "int8").reshape(-1), np.int8)


def in_chunks(audio: Samples, sample_rate_hz: int) -> Iterator[Samples]:
    """A recording, ten seconds at a time."""
    size = _CHUNK_SECONDS * sample_rate_hz
    return (audio[start : start + size] for start in range(0, len(audio), size))
