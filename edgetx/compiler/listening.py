"""A compiled model listening to continuous audio: front end, model on a sliding window, detections."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgetx.audio.detector import NOTHING, Detector, DetectorSettings
from edgetx.audio.frontend import FixedPointFrontEnd
from edgetx.audio.quantizer import fit_quantizer
from edgetx.compiler.artifact import Artifact
from edgetx.errors import ConfigError
from edgetx.recipe import Recipe

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
    """

    artifact: Artifact
    recipe: Recipe
    frames: int
    step: int
    settings: DetectorSettings


@dataclass(frozen=True)
class Detection:
    """A class, and the end of the window in which it was detected."""

    seconds: float
    label: str


def make_listener(artifact: Artifact, margin: float = MARGIN) -> Listener:
    """The listener of a keyword or sound model.

    Args:
        artifact: A folder compiled from a recipe.
        margin: How far, on average over the smoothed windows, a class must be ahead, in units of the model's output.

    Raises:
        ConfigError: If the model does not take rows of features in int8 and give int8 scores.
    """
    recipe, graph = artifact.recipe, artifact.graph
    if recipe is None:
        raise ConfigError("listens only with a recipe, which says how audio becomes inputs", where=str(artifact.folder))
    source, scores = graph.inputs[0].type, graph.outputs[0].type
    features = recipe.frontend.features
    if source.dtype != "int8" or scores.dtype != "int8" or source.size % features:
        raise ConfigError("its inputs are not int8 rows of the front end", where=str(artifact.folder))
    classes = recipe.data.classes
    ignored = frozenset(i for i, name in enumerate(classes) if name.startswith("_"))
    settings = DetectorSettings(len(classes), ignored, LENGTH, round(margin * LENGTH / scores.scale), PAUSE)
    step = max(1, round(STEP_MS / recipe.frontend.hop_ms))
    return Listener(artifact, recipe, source.size // features, step, settings)


def can_listen(artifact: Artifact) -> bool:
    """Whether `make_listener` takes it."""
    try:
        make_listener(artifact)
    except ConfigError:
        return False
    return True


def rows_of(listener: Listener, chunks: Iterable[Samples]) -> Iterator[NDArray[np.int8]]:
    """Model inputs of continuous audio that begins after silence: the new rows of each chunk."""
    recipe = listener.recipe
    front = FixedPointFrontEnd(recipe.frontend, recipe.data.sample_rate_hz)
    source = listener.artifact.graph.inputs[0].type
    quantizer = fit_quantizer(front, source.scale, source.zero_point)
    pending = np.zeros(front.length - front.hop, np.int16)
    for chunk in chunks:
        pending = np.concatenate([pending, chunk])
        if len(pending) >= front.length:
            rows = quantizer(front.project(front.log_mel(pending[None])))[0]
            pending = pending[len(rows) * front.hop :]
            yield rows


def listen(listener: Listener, chunks: Iterable[Samples], runtime: str = "c") -> Iterator[Detection]:
    """Detections in continuous audio, as the firmware of `firmware_examples/keyword_spotter` makes them.

    Args:
        listener: The model.
        chunks: 16-bit samples at the rate of the recipe, a piece after the other.
        runtime: Where the model runs.
    """
    model = listener.artifact.runtime(runtime)
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


def in_chunks(audio: Samples, sample_rate_hz: int) -> Iterator[Samples]:
    """A recording, ten seconds at a time."""
    size = _CHUNK_SECONDS * sample_rate_hz
    return (audio[start : start + size] for start in range(0, len(audio), size))
