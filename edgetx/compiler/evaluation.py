"""Accuracy of a compiled model on labelled data, runtime by runtime."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from edgetx.compiler.artifact import FORM_OF, RUNTIMES, Artifact
from edgetx.compiler.streaming import as_hops, as_rows
from edgetx.compiler.verification import outputs_of
from edgetx.config import did_you_mean
from edgetx.errors import ConfigError, DataError
from edgetx.evaluation import wilson_interval
from edgetx.ir import Array, Arrays
from edgetx.passes.streaming import Stream

SIMULATED_INPUTS = 20
"""Inputs that the simulated core runs at most; each takes seconds."""


class NoLabelsError(DataError):
    """Data that is fine but for its labels."""


@dataclass(frozen=True)
class Accuracy:
    """Share of inputs whose largest output is the label.

    Attributes:
        n: Labelled inputs.
        accuracy: By runtime.
        samples: How many inputs each runtime saw.
    """

    n: int
    accuracy: dict[str, float] = field(default_factory=dict)
    samples: dict[str, int] = field(default_factory=dict)

    def interval(self, runtime: str) -> tuple[float, float] | None:
        """Wilson's 95 % interval, taking inputs as independent; None if the runtime saw none."""
        seen = self.samples.get(runtime, 0)
        return wilson_interval(round(self.accuracy[runtime] * seen), seen) if seen else None


@dataclass(frozen=True)
class Labelled:
    """Model inputs and their labels, if they have any."""

    inputs: Sequence[Arrays]
    labels: Array

    def sample(self, count: int) -> "Labelled":
        """At most `count` inputs, spread evenly."""
        chosen = np.linspace(0, len(self.inputs) - 1, min(count, len(self.inputs))).astype(int)
        return Labelled([self.inputs[i] for i in chosen], self.labels[chosen] if len(self.labels) else self.labels)


def parse_runtimes(text: str, artifact: Artifact) -> tuple[str, ...]:
    """Runtimes from a list such as `float,int`; all that the artifact has files for if it is empty.

    Raises:
        ConfigError: If a runtime is unknown.
    """
    names = tuple(word.strip() for word in text.split(",") if word.strip())
    for name in names:
        if name not in RUNTIMES:
            raise ConfigError(f"unknown runtime '{name}'", where="--runtime", hint=did_you_mean(name, RUNTIMES))
    made = artifact.report["artifacts"]
    assert isinstance(made, dict)
    return names or tuple(name for name in RUNTIMES if name not in FORM_OF or FORM_OF[name] in made)


def model_inputs(artifact: Artifact, data: Path, split: str = "test") -> Labelled:
    """Inputs for the artifact's model; the labels are empty if the data has none.

    Raises:
        DataError: If the data cannot be read.
    """
    from edgetx.compiler.data import model_data

    graph = artifact.clip_graph or artifact.graph
    dataset = model_data(data, graph, artifact.recipe)
    used = dataset if data.suffix == ".npz" else dataset.part(split)
    shape = graph.inputs[0].shape
    return Labelled([(np.asarray(x, np.float32).reshape(shape),) for x in used.x], used.y)


def evaluation_data(artifact: Artifact, data: Path, split: str = "test", limit: int | None = None) -> Labelled:
    """Labelled inputs for the artifact's model.

    Raises:
        DataError: If the data cannot be read or has no labels.
    """
    labelled = model_inputs(artifact, data, split)
    if len(labelled.labels) == 0:
        raise NoLabelsError("has no labels", where=str(data), hint="add an array y with one integer per input")
    return labelled.sample(limit) if limit else labelled


def evaluate(
    artifact: Artifact, data: Labelled, runtimes: Sequence[str], progress: Callable[[str], None] = lambda _: None
) -> Accuracy:
    """Measure accuracy in each runtime.

    Args:
        artifact: A compiled folder.
        data: Inputs and labels.
        runtimes: Names out of `RUNTIMES`.
        progress: Called with the name of each runtime before it runs.
    """
    result = Accuracy(len(data.labels))
    for name in runtimes:
        progress(name)
        used = data.sample(SIMULATED_INPUTS) if name == "simulator" else data
        inputs = used.inputs if name == "float" else [artifact.quantized(x) for x in used.inputs]
        answers = [int(y[0].argmax()) for y in clip_answers(artifact, name, inputs)]
        result.accuracy[name] = float(np.mean(np.array(answers) == used.labels))
        result.samples[name] = len(answers)
    return result


def clip_answers(artifact: Artifact, runtime: str, clips: Sequence[Arrays]) -> list[Arrays]:
    """Outputs for each clip; a stream hears it from a reset on, then silent frames until its answer is complete."""
    if artifact.clip_graph is None:
        return outputs_of(artifact.runtime(runtime), clips)
    return [answers[-1] for answers in answers_along(artifact, runtime, clips)]


def answers_along(artifact: Artifact, runtime: str, clips: Sequence[Arrays]) -> Iterator[list[Arrays]]:
    """Outputs of a stream hop by hop along each clip, from a reset on until the clip's answer is complete."""
    assert artifact.clip_graph is not None
    opened = artifact.runtime(runtime)
    (value,) = artifact.graph.inputs
    axis = next(i for i, n in enumerate(artifact.clip_graph.inputs[0].shape) if n != value.shape[i])
    streamed = Stream(value.shape[axis]).streamed(artifact.clip_graph)
    missing = max(0, -(-(streamed.clip_frames + streamed.lag) // streamed.hop) * streamed.hop - streamed.clip_frames)
    silence = 0 if runtime == "float" else value.type.zero_point
    for clip in clips:
        rows = as_rows(clip[0][None], streamed.clip_frames)
        rows = np.concatenate((rows, np.full((missing, rows.shape[1]), silence, rows.dtype)))
        opened.reset()
        yield [opened.run((hop.reshape(value.shape),)) for hop in as_hops(rows, streamed.hop)]
