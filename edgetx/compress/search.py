"""Search under a budget: which network of a supernet hears best among those that fit the target."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
import torch
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import MaxTrialsCallback
from optuna.trial import FrozenTrial, Trial, TrialState

from edgetx.compress.cost import Cost
from edgetx.compress.space import Choice, Space
from edgetx.compress.supernet import Supernet
from edgetx.compress.views import TuningData
from edgetx.errors import FitError
from edgetx.train.evaluate import evaluate
from edgetx.train.examples import Examples

Measure = Callable[[Choice], Cost]
Report = Callable[[int, int], None]

OVER, COST = "over", "cost"
_POPULATION = 16
_CALIBRATION_CLIPS = 512


@dataclass(frozen=True)
class Found:
    """One network that was looked at.

    Attributes:
        choice: Its options.
        accuracy: On the validation clips, with shared weights.
        cost: As measured on the firmware that was built from it.
        over: The largest share of the budget that it takes; at most 1 if it fits.
    """

    choice: Choice
    accuracy: float
    cost: Cost
    over: float


def search(
    supernet: Supernet,
    known: TuningData,
    measure: Measure,
    limit: Cost,
    trials: int,
    storage: Path,
    report: Report = lambda done, all_: None,
) -> list[Found]:
    """Look at networks, alone or beside other workers on the same storage, until enough were looked at in all.

    A worker that is killed loses the network that it was looking at and nothing else.

    Args:
        supernet: Trained.
        known: Clips for batch statistics, and for validation.
        measure: What a network costs.
        limit: What it may cost.
        trials: Networks to look at, by all workers together.
        storage: The file in which workers share what they found.
        report: Called with the number of networks looked at, and of all.

    Returns:
        What all workers found.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage.parent.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        storage=JournalStorage(JournalFileBackend(str(storage))),
        study_name=supernet.recipe.name,
        directions=["maximize", "minimize"],
        sampler=optuna.samplers.NSGAIISampler(population_size=_POPULATION, constraints_func=_constraint),
        load_if_exists=True,
    )
    calibration, space = known.views.some(_CALIBRATION_CLIPS).x, supernet.space

    def objective(trial: Trial) -> tuple[float, float]:
        choice = suggest(trial, space)
        cost = measure(choice)
        trial.set_user_attr(COST, [cost.cycles, cost.ram_bytes, cost.flash_bytes])
        trial.set_user_attr(OVER, cost.over(limit).worst)
        return _accuracy(supernet, choice, calibration, known), cost.cycles

    def progress(study: optuna.Study, _: FrozenTrial) -> None:
        report(len(_complete(study)), trials)

    if len(_complete(study)) < trials:
        study.optimize(objective, callbacks=[MaxTrialsCallback(trials, (TrialState.COMPLETE,)), progress])
    return [_found(trial, space) for trial in _complete(study)]


def best(found: Sequence[Found], limit: Cost) -> Found:
    """The network of the highest accuracy that fits, of equals the fastest.

    Raises:
        FitError: If none fits; names the nearest and what binds.
    """
    fitting = [one for one in found if one.over <= 1]
    if fitting:
        return max(fitting, key=lambda one: (one.accuracy, -one.cost.cycles))
    nearest = min(found, key=lambda one: one.over)
    raise FitError(
        f"none of {len(found)} networks fits; the nearest, {nearest.choice}, takes {nearest.cost.beyond(limit)}",
        hint="allow more, or add smaller values to search.space",
    )


def suggest(trial: Trial | FrozenTrial, space: Space) -> Choice:
    """The network that a trial stands for."""
    return space.pick(lambda name, values: int(trial.suggest_categorical(name, list(values))))


def write_found(path: Path, found: Sequence[Found]) -> None:
    """Write what was found as JSON, best first."""
    rows = [
        {
            "options": one.choice.options,
            "accuracy": one.accuracy,
            "cycles": one.cost.cycles,
            "ram_bytes": one.cost.ram_bytes,
            "flash_bytes": one.cost.flash_bytes,
            "over": one.over,
        }
        for one in sorted(found, key=lambda one: -one.accuracy)
    ]
    path.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def _accuracy(supernet: Supernet, choice: Choice, calibration: torch.Tensor, known: TuningData) -> float:
    subnet = supernet.subnet(choice, calibration)
    return evaluate(subnet, Examples.of(known.valid)).accuracy


def _complete(study: optuna.Study) -> list[FrozenTrial]:
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


def _constraint(trial: FrozenTrial) -> tuple[float]:
    return (trial.user_attrs[OVER] - 1,)


def _found(trial: FrozenTrial, space: Space) -> Found:
    values: dict[str, Any] = trial.params
    choice = space.pick(lambda name, _: int(values[name]))
    accuracy, _ = trial.values
    return Found(choice, accuracy, Cost(*trial.user_attrs[COST]), trial.user_attrs[OVER])
