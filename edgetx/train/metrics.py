"""What is stated about a trained model, all of it measured."""

import json
import math
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from scipy.stats import t as student_t
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from edgetx import __version__
from edgetx.audio import Dataset
from edgetx.config import parse
from edgetx.errors import ModelError
from edgetx.evaluation import classify
from edgetx.recipe import Recipe
from edgetx.train.evaluate import evaluate
from edgetx.train.examples import Examples
from edgetx.train.history import Epoch, best_epoch


@dataclass(frozen=True)
class Stage:
    """One row; None where a thing was not measured.

    Attributes:
        name: What was done to get here.
        accuracy: Share of right answers on the test clips.
        interval_95: Wilson's interval of the accuracy, taking clips as independent.
        parameters: Weights and biases.
        macs: Multiply-accumulates of one invocation.
        flash_bytes: Weights and code, with the front end.
        ram_bytes: Arena, states, variables and stack.
        cycles: One invocation on the simulated core.
        energy_uj: Where the target says what a cycle takes.
    """

    name: str
    accuracy: float | None = None
    interval_95: tuple[float, float] | None = None
    parameters: int | None = None
    macs: int | None = None
    flash_bytes: int | None = None
    ram_bytes: int | None = None
    cycles: int | None = None
    energy_uj: float | None = None

    def to_json(self) -> dict[str, object]:
        """As plain data."""
        return asdict(self)


@dataclass(frozen=True)
class Score:
    """Answers on the test split."""

    clips: int
    accuracy: float
    interval_95: tuple[float, float]  # Wilson's, taking clips as independent
    classes: dict[str, float]  # recall
    speakers: dict[str, float]  # accuracy
    speaker_interval_95: tuple[float, float] | None = None  # by drawing speakers anew; None with fewer than two


@dataclass(frozen=True)
class Run:
    """How the weights came about."""

    epochs: int
    best_epoch: int
    valid_accuracy: float
    hours: float  # as the clock on the wall goes, also if the machine was busy with other things
    threads: int
    processor: str
    seed: int
    edgetx: str
    torch: str
    processor_hours: float = 0.0  # of all threads; 0 if it was not measured
    fold: int = 0  # that tested it; 0: the test split


@dataclass(frozen=True)
class Repeat:
    """One of several trainings of the same recipe."""

    seed: int
    fold: int  # that tested it; 0: the test split
    accuracy: float
    int8: float | None = None  # accuracy as an integer graph, if it was measured


@dataclass(frozen=True)
class Repeats:
    """The same recipe with several seeds, or tested on one fold after the other."""

    runs: tuple[Repeat, ...]
    mean: float
    interval_95: tuple[float, float]  # of the mean over the runs, by Student's t

    @property
    def int8_mean(self) -> float | None:
        """Mean accuracy of the integer graphs; None unless all were measured."""
        measured = [run.int8 for run in self.runs if run.int8 is not None]
        return statistics.fmean(measured) if len(measured) == len(self.runs) else None


@dataclass(frozen=True)
class Metrics:
    """The content of metrics.json: the stages of `report.json`, beginning with the float model."""

    schema: int
    stages: tuple[Stage, ...]
    test: Score
    training: Run
    repeats: Repeats | None = None  # if there was more than one training
    target: str | None = None  # what flash, RAM and cycles of the stages refer to


def load_metrics(path: Path) -> Metrics:
    """Read a metrics.json.

    Raises:
        ModelError: If it is damaged.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise ModelError(f"cannot read metrics: {problem}", where=str(path)) from problem
    return parse(content, Metrics, str(path), ModelError)


def measure(recipe: Recipe, model: nn.Module, test: Dataset, history: Sequence[Epoch]) -> Metrics:
    """Everything stated about a model that was just trained."""
    tested = _test(model, test)
    parameters = sum(p.numel() for p in model.parameters())
    stage = Stage("float", tested.accuracy, tested.interval_95, parameters, count_macs(model, recipe.input_shape))
    return Metrics(1, (stage,), tested, _run(recipe, history))


def repeats(trainings: Sequence[tuple[Recipe, Metrics]]) -> Repeats | None:
    """Mean over several trainings; None if there was one only."""
    if len(trainings) < 2:
        return None
    accuracies = [metrics.test.accuracy for _, metrics in trainings]
    mean = statistics.fmean(accuracies)
    half = float(student_t.ppf(0.975, len(accuracies) - 1)) * statistics.stdev(accuracies) / math.sqrt(len(accuracies))
    runs = tuple(Repeat(r.training.seed, r.data.test_fold, m.test.accuracy) for r, m in trainings)
    return Repeats(runs, mean, (max(0.0, mean - half), min(1.0, mean + half)))


def count_macs(model: nn.Module, input_shape: tuple[int, ...]) -> int:
    """Multiply-accumulates of the matrix products and convolutions for one input."""
    x = torch.zeros(1, *input_shape, device=next(model.parameters()).device)
    with torch.inference_mode(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        model(x)
    return int(counter.get_total_flops()) // 2


def _test(model: nn.Module, test: Dataset) -> Score:
    answers = evaluate(model, Examples.of(test)).answers
    result = classify(answers.numpy(), test.y, test.classes, test.speakers)
    recalls = {name: score.recall for name, score in result.classes.items() if score.recall is not None}
    return Score(
        result.clips, result.accuracy, result.interval_95, recalls, result.speakers, result.speaker_interval_95
    )


def _run(recipe: Recipe, history: Sequence[Epoch]) -> Run:
    best = best_epoch(history)
    return Run(
        epochs=len(history),
        best_epoch=best.epoch,
        valid_accuracy=best.valid_accuracy,
        hours=sum(epoch.seconds for epoch in history) / 3600,
        threads=torch.get_num_threads(),
        processor=platform.processor() or platform.machine(),
        seed=recipe.training.seed,
        edgetx=__version__,
        torch=torch.__version__,
        processor_hours=sum(epoch.processor_seconds for epoch in history) / 3600,
        fold=recipe.data.test_fold,
    )
