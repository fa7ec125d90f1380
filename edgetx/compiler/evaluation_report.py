"""The evaluation of a compiled model as a folder: figures, plots, one page."""

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgetx.audio import Dataset, read_clip
from edgetx.audio.clip import SUFFIXES
from edgetx.compiler.artifact import Artifact
from edgetx.compiler.data import model_data
from edgetx.compiler.evaluation import NoLabelsError, clip_answers
from edgetx.compiler.listening import Listener, answers, in_chunks, make_listener
from edgetx.data.stream import read_events
from edgetx.errors import DataError
from edgetx.evaluation import Classification, Curve, Spotting, classify, detection_curve, spot
from edgetx.evaluation.detection import Scores, softmax
from edgetx.evaluation.page import write_page
from edgetx.evaluation.spotting import Track
from edgetx.output import replaced_folder

MARKER = "evaluation.json"


@dataclass(frozen=True)
class Evaluation:
    """What was measured.

    Attributes:
        runtime: Where the model ran.
        data: The labelled clips.
        split: Their split.
        classification: Accuracy and what qualifies it.
        detection: Keywords against everything else, on the clips.
        streams: The same on continuous audio, by name of the recording or folder.
    """

    runtime: str
    data: str
    split: str
    classification: Classification
    detection: Curve | None
    streams: dict[str, Spotting]


def write_evaluation(
    artifact: Artifact,
    data: Path,
    out: Path,
    *,
    runtime: str,
    split: str = "test",
    streams: Sequence[Path] = (),
    progress: Callable[[str], None] = lambda _: None,
) -> Evaluation:
    """Evaluate a compiled model in one runtime and write a folder about it.

    Args:
        artifact: A compiled folder.
        data: Labelled clips.
        out: The folder to write: evaluation.json, predictions.csv, plots and index.html.
        runtime: Where the model runs.
        split: Split of an audio folder.
        streams: Long recordings, or folders of them; a CSV of the same name says what is in each.
        progress: Called with what is being done.

    Raises:
        DataError: If the data or a recording cannot be read, or has no labels.
        ConfigError: If recordings are given for a model that does not listen to continuous audio.
    """
    progress(f"{runtime}: clips")
    dataset = _labelled(artifact, data, split)
    classes = dataset.classes or tuple(map(str, range(artifact.graph.outputs[0].type.size)))
    probabilities = _probabilities(artifact, runtime, dataset.x)
    result = classify(probabilities.argmax(axis=1), dataset.y, classes, dataset.speakers)
    spottings = {}
    for path in streams:
        progress(f"{runtime}: {path.name}")
        spottings[path.stem] = _spotting(artifact, runtime, path)
    curve = detection_curve(probabilities, dataset.y, classes)
    evaluation = Evaluation(runtime, str(data), split, result, curve, spottings)
    _write(out, evaluation, artifact, dataset, probabilities)
    return evaluation


def _labelled(artifact: Artifact, data: Path, split: str) -> Dataset:
    dataset = model_data(data, artifact.clip_graph or artifact.graph, artifact.recipe)
    dataset = dataset if data.suffix == ".npz" else dataset.part(split)
    if len(dataset.y) == 0:
        raise NoLabelsError("has no labels", where=str(data), hint="add an array y with one integer per input")
    return dataset


def _probabilities(artifact: Artifact, runtime: str, inputs: NDArray[np.generic]) -> Scores:
    """Class probabilities, one row per input."""
    shape = (artifact.clip_graph or artifact.graph).inputs[0].shape
    cases = [(np.asarray(x, np.float32).reshape(shape),) for x in inputs]
    given = cases if runtime == "float" else [artifact.quantized(case) for case in cases]
    outputs = clip_answers(artifact, runtime, given)
    scores = np.stack([artifact.restored(y)[0].ravel() for y in outputs]).astype(np.float64)
    is_softmax = artifact.float_graph.nodes[-1].op.name == "softmax"
    return scores if is_softmax else softmax(scores)


def _spotting(artifact: Artifact, runtime: str, path: Path) -> Spotting:
    listener = make_listener(artifact)
    files = sorted(p for p in path.rglob("*") if p.suffix in SUFFIXES) if path.is_dir() else [path]
    if not files:
        raise DataError("no .wav or .flac recordings", where=str(path))
    tracks = [_track(listener, runtime, file) for file in files]
    return spot(tracks, listener.recipe.data.classes, listener.pace.decision)


def _track(listener: Listener, runtime: str, file: Path) -> Track:
    rate = listener.recipe.data.sample_rate_hz
    audio = read_clip(file, rate)
    heard = list(answers(listener, in_chunks(audio, rate), runtime))
    if not heard:
        raise DataError("too short for the model to answer once", where=str(file))
    table = file.with_suffix(".csv")
    events = read_events(table) if table.is_file() else ()
    ends = listener.frame_seconds * np.array([answer.rows for answer in heard])
    scale = listener.artifact.graph.outputs[0].type.scale
    return Track(np.stack([answer.logits for answer in heard]), scale, ends, len(audio) / rate, events)


def _write(out: Path, evaluation: Evaluation, artifact: Artifact, dataset: Dataset, probabilities: Scores) -> None:
    from edgetx.evaluation.plots import plot_all

    result, curve = evaluation.classification, evaluation.detection
    streams = list(evaluation.streams.items())
    name = artifact.recipe.name if artifact.recipe else artifact.folder.name
    with replaced_folder(out, MARKER) as folder:
        (folder / MARKER).write_text(json.dumps(asdict(evaluation), indent=1) + "\n", encoding="utf-8")
        _write_predictions(folder / "predictions.csv", list(result.classes), dataset, probabilities)
        plots = plot_all(folder, result, curve, streams)
        facts = {"runtime": evaluation.runtime, "data": f"{evaluation.data}, split {evaluation.split}"}
        page = write_page(name, facts, result, curve, streams, plots)
        (folder / "index.html").write_text(page, encoding="utf-8")


def _write_predictions(path: Path, classes: Sequence[str], dataset: Dataset, probabilities: Scores) -> None:
    """One row per clip, in the order of the data."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("clip", "label", "answer", "speaker", *(f"p_{name}" for name in classes)))
        for i, row in enumerate(probabilities):
            speaker = dataset.speakers[i] if len(dataset.speakers) else ""
            values = (f"{p:.6f}" for p in row)
            writer.writerow((i, classes[int(dataset.y[i])], classes[int(row.argmax())], speaker, *values))
