"""The loop that tunes any module on views: students, pruned graphs, integer graphs, supernets."""

import hashlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import AdamW

from edgetx.audio import Dataset
from edgetx.compress.views import Views
from edgetx.errors import ModelError
from edgetx.recipe import Training
from edgetx.train.augment import Augmenter
from edgetx.train.evaluate import evaluate
from edgetx.train.examples import Examples
from edgetx.train.history import Epoch
from edgetx.train.saving import load_checkpoint, save_checkpoint
from edgetx.train.schedule import parameter_groups
from edgetx.train.seeds import seed_epoch
from edgetx.train.state import TrainState

_LONGEST_AVERAGE = 0.99  # of weights in short runs, a hundred steps
_SAMPLED = 32  # clips by which views are told apart


@dataclass(frozen=True)
class Batch:
    """Inputs, label distributions and, if there are teachers, their logits; one row per clip."""

    x: Tensor
    labels: Tensor
    teacher: Tensor | None = None


class Objective(Protocol):
    """What a batch costs a module."""

    def __call__(self, module: nn.Module, batch: Batch) -> Tensor:
        """The loss to go down."""


@dataclass(frozen=True)
class Distilling:
    """Cross entropy with the labels, and the divergence from the teachers' softened answers (Hinton et al., 2015).

    `hard` takes the teachers' best class for a second label (DeiT, Touvron et al., 2021) instead.
    """

    weight: float
    temperature: float = 2.0
    smoothing: float = 0.1
    hard: bool = False

    def __call__(self, module: nn.Module, batch: Batch) -> Tensor:
        """The loss to go down."""
        return self.loss(module(batch.x), batch)

    def loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """The loss of a module's answers."""
        logits = logits.float()
        labels = F.cross_entropy(logits, batch.labels, label_smoothing=self.smoothing)
        if batch.teacher is None or self.weight == 0:
            return labels
        return (1 - self.weight) * labels + self.weight * self._from_teacher(logits, batch.teacher)

    def _from_teacher(self, logits: Tensor, teacher: Tensor) -> Tensor:
        if self.hard:
            return F.cross_entropy(logits, teacher.argmax(1))
        soft = F.log_softmax(logits / self.temperature, 1)
        target = F.log_softmax(teacher / self.temperature, 1)
        return self.temperature**2 * F.kl_div(soft, target, log_target=True, reduction="batchmean")


class Tuner:
    """Tunes a module in place; what it ends with are the averaged weights of the best epoch.

    Everything random follows from the seed and the epoch's number; an interrupted run goes on at its last whole epoch.

    Args:
        module: What to tune; its forward takes a batch of model inputs.
        views: What to tune on.
        valid: What chooses the best epoch.
        settings: Schedule and seed.
        objective: What a batch costs.
        augmenter: Masks and blends of model inputs; None for none.
        bfloat16: Whether products and convolutions are computed in bfloat16.
    """

    def __init__(
        self,
        module: nn.Module,
        views: Views,
        valid: Dataset,
        settings: Training,
        objective: Objective,
        augmenter: Augmenter | None = None,
        bfloat16: bool = False,
    ) -> None:
        self.module, self.views, self.settings = module, views, settings
        self.valid = Examples.of(valid)
        self.objective, self.augmenter, self.bfloat16 = objective, augmenter, bfloat16
        self.classes = int(views.y.max()) + 1
        self.optimizer = AdamW(parameter_groups(module, settings.weight_decay), settings.learning_rate)
        steps = math.ceil(len(views.y) / settings.batch)
        self.state = TrainState(module, self.optimizer, settings, steps)
        self.digest = self._digest()

    def run(self, checkpoint: Path | None = None, report: Callable[[Epoch], None] = lambda _: None) -> list[Epoch]:
        """Tune, or go on from the checkpoint; returns what each epoch gave.

        Raises:
            ModelError: If the loss is not a number, or the checkpoint is damaged or of another tuning: of other first
                weights, settings, clips or teachers.
        """
        if checkpoint is not None and checkpoint.exists():
            self._resume(checkpoint)
        history = self.state.history
        while len(history) < self.settings.epochs:
            self.state.add(self._epoch(len(history) + 1))
            if checkpoint is not None:
                save_checkpoint(checkpoint, {"digest": self.digest, **self.state.state_dict()})
            report(history[-1])
        self.state.finish()
        return history

    def _epoch(self, number: int) -> Epoch:
        started, busy = time.monotonic(), time.process_time()
        seed_epoch(self.settings.seed, number)
        self.module.train()
        losses = [self._step(batch) for batch in self._batches(number)]
        result = evaluate(self.state.average.module, self.valid)
        spent = time.monotonic() - started, time.process_time() - busy
        return Epoch(number, sum(losses) / len(losses), result.loss, result.accuracy, *spent)

    def _batches(self, number: int) -> Iterator[Batch]:
        """Every clip once, in one of its views."""
        clips = len(self.views.y)
        which = torch.randint(len(self.views.x), (clips,))
        for chosen in torch.split(torch.randperm(clips), self.settings.batch):
            if len(chosen) > 1:
                yield self._batch(which[chosen], chosen)

    def _batch(self, views: Tensor, clips: Tensor) -> Batch:
        labels = F.one_hot(self.views.y[clips], self.classes).float()
        teacher = None if self.views.teacher is None else self.views.teacher[views, clips]
        x = self.views.x[views, clips]
        if self.augmenter is None:
            return Batch(x, labels, teacher)
        targets = labels if teacher is None else torch.cat((labels, teacher), 1)
        x, targets = self.augmenter.features(x, targets)
        return Batch(x, targets[:, : self.classes], None if teacher is None else targets[:, self.classes :])

    def _step(self, batch: Batch) -> float:
        with torch.autocast("cpu", torch.bfloat16, self.bfloat16):
            loss = self.objective(self.module, batch)
        if not torch.isfinite(loss):
            hint = "lower the learning rate; the last whole epoch is kept"
            raise ModelError("the loss is not a number any more", where=type(self.module).__name__, hint=hint)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self.state.stepped()
        return loss.item()

    def _resume(self, checkpoint: Path) -> None:
        state = load_checkpoint(checkpoint)
        if state.get("digest") != self.digest:
            hint = f"delete {checkpoint} to start afresh, or choose another output folder"
            raise ModelError("an unfinished tuning of another model, recipe or data", where=str(checkpoint), hint=hint)
        self.state.load_state_dict(state)

    def _digest(self) -> str:
        """Of all that a tuning follows from; of the clips, a few tell which they are."""
        augmentation = None if self.augmenter is None else self.augmenter.settings
        digest = hashlib.sha256(repr((self.settings, self.objective, augmentation, self.bfloat16)).encode())
        weights = self.module.state_dict()
        heard = self.views.x[:, :: 1 + len(self.views.y) // _SAMPLED], self.views.y, self.views.teacher
        for part in (*weights, *weights.values(), *heard):
            digest.update(part.contiguous().numpy().tobytes() if isinstance(part, Tensor) else repr(part).encode())
        return digest.hexdigest()


def schedule(training: Training, epochs: int, learning_rate: float) -> Training:
    """A recipe's settings for tuning what is trained already: short, and gentler."""
    average = min(training.average, _LONGEST_AVERAGE)
    return replace(training, epochs=epochs, learning_rate=learning_rate, warmup_epochs=1, average=average)
