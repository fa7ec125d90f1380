"""The training loop: epochs over augmented audio, a checkpoint after each, and the best weights at the end."""

import csv
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from pickle import UnpicklingError

import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from edgetx.audio.frontend import FixedPointFrontEnd
from edgetx.errors import ModelError
from edgetx.nn import build
from edgetx.recipe import Recipe
from edgetx.train.augment import Augmenter
from edgetx.train.draws import Draws
from edgetx.train.evaluate import evaluate
from edgetx.train.saving import save_checkpoint
from edgetx.train.schedule import learning_rate_factor, parameter_groups


@dataclass(frozen=True)
class Examples:
    """Clips and labels: int16 audio for training, float32 features for validation."""

    x: Tensor
    y: Tensor


@dataclass(frozen=True)
class Epoch:
    """What one epoch gave; one row of the log."""

    epoch: int
    loss: float
    valid_loss: float
    valid_accuracy: float
    seconds: float
    processor_seconds: float = 0.0  # of all threads


class Trainer:
    """Trains a recipe's model; everything random follows from the recipe's seed and the epoch's number.

    Args:
        recipe: What to train and how.
        training: Audio clips to learn from.
        validation: Features of the clips that choose the best epoch.
        augmenter: Random changes of the audio.
        fabric: Devices, processes and precision. Every step takes one batch over all processes together.
        pretrained: Weights to begin with, those that a pretraining gave.
    """

    def __init__(
        self,
        recipe: Recipe,
        training: Examples,
        validation: Examples,
        augmenter: Augmenter,
        fabric: Fabric,
        pretrained: Mapping[str, Tensor] | None = None,
    ) -> None:
        self.recipe, self.settings, self.fabric = recipe, recipe.training, fabric
        self.validation, self.augmenter = validation, augmenter
        rate = recipe.data.sample_rate_hz
        self.frontend = FixedPointFrontEnd(recipe.frontend, rate, torch, device=fabric.device)
        audio, self.labels = fabric.to_device(training.x), fabric.to_device(training.y)
        self.draws = Draws(audio, augmenter, self.frontend, self.settings.augmentation.reuse, self.settings.seed)
        torch.manual_seed(self.settings.seed)
        model = build(recipe).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if pretrained:
            model.load_state_dict(pretrained, strict=False)
        groups = parameter_groups(model, self.settings.weight_decay)
        optimizer = AdamW(groups, self.settings.learning_rate, fused=True)
        self.model, self.optimizer = fabric.setup(model, optimizer)
        average = get_ema_multi_avg_fn(self.settings.average)  # type: ignore[no-untyped-call]
        self.average = AveragedModel(model, multi_avg_fn=average, use_buffers=True)
        steps = math.ceil(len(training.x) / self.settings.batch)
        self.schedule = LambdaLR(optimizer, learning_rate_factor(self.settings, steps))
        self.history: list[Epoch] = []
        self.best = self.average.module.state_dict()

    def run(self, checkpoint: Path, report: Callable[[Epoch], None]) -> nn.Module:
        """Train, or go on from the checkpoint if it exists; returns the best epoch's model in eval mode."""
        if checkpoint.exists():
            self._resume(checkpoint)
        while len(self.history) < self.settings.epochs and not self._exhausted():
            self.history.append(self._epoch(len(self.history) + 1))
            if best_epoch(self.history) is self.history[-1]:
                self.best = {k: v.clone() for k, v in self.average.module.state_dict().items()}
            save_checkpoint(self.fabric, checkpoint, self._state())
            if self.fabric.is_global_zero:
                write_log(checkpoint.with_name("training.csv"), self.history)
            report(self.history[-1])
        model = self.average.module
        model.load_state_dict(self.best)
        return model.eval()

    def _epoch(self, number: int) -> Epoch:
        started, busy = time.monotonic(), time.process_time()
        with torch.no_grad():
            self.draws.advance(number)
        torch.manual_seed(self.settings.seed * 100_003 + number)
        order = torch.randperm(len(self.labels))
        self.model.train()
        losses = [self._step(batch) for batch in torch.split(order, self.settings.batch)]
        result = evaluate(self.average.module, self.validation.x, self.validation.y)
        mean = sum(losses) / len(losses)
        if not math.isfinite(mean):
            hint = "lower training.learning_rate; the last good epoch is in the checkpoint"
            raise ModelError(f"the loss of epoch {number} is not a number", where=self.recipe.name, hint=hint)
        spent = time.monotonic() - started, time.process_time() - busy
        return Epoch(number, mean, result.loss, result.accuracy, *spent)

    def _step(self, batch: Tensor) -> float:
        """One optimizer step; returns the loss. Processes draw the same changes and share the clips between them."""
        targets = F.one_hot(self.labels[batch], len(self.recipe.data.classes)).float()
        with torch.no_grad():
            features, targets = self.augmenter.features(self._features(batch), targets)
        rank, count = self.fabric.global_rank, self.fabric.world_size
        own = slice(rank, None, count) if len(batch) >= count else slice(None)
        features, targets = features[own], targets[own]
        loss = F.cross_entropy(self.model(features), targets, label_smoothing=self.settings.label_smoothing)
        if len(batch) >= count:
            loss = loss * (count * len(features) / len(batch))  # the mean over processes is that over clips
        self.optimizer.zero_grad()
        self.fabric.backward(loss)
        self.optimizer.step()
        self.schedule.step()
        self.average.update_parameters(self.model.module)
        whole = self.fabric.all_reduce(loss.detach(), reduce_op="mean")
        assert isinstance(whole, Tensor)
        return whole.item()

    def _features(self, batch: Tensor) -> Tensor:
        log_mel = self.augmenter.log_mel(self.draws[batch])
        features: Tensor = self.frontend.normalize(self.frontend.project(log_mel))
        return features.float()

    def _exhausted(self) -> bool:
        """Whether no epoch has been better for `patience` epochs."""
        patience = self.settings.patience
        return bool(patience and self.history and len(self.history) - best_epoch(self.history).epoch >= patience)

    def _state(self) -> dict[str, object]:
        return {
            "recipe": repr(self.recipe),
            "model": self.model.module.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "history": [asdict(epoch) for epoch in self.history],
            "best": self.best,
        }

    def _resume(self, checkpoint: Path) -> None:
        try:
            state = self.fabric.load(checkpoint)
        except (OSError, RuntimeError, UnpicklingError) as problem:
            hint = f"delete {checkpoint.parent} to start afresh"
            raise ModelError(f"the checkpoint is damaged: {problem}", where=str(checkpoint), hint=hint) from problem
        if state["recipe"] != repr(self.recipe):
            hint = f"delete {checkpoint.parent} to start afresh, or choose another output folder"
            raise ModelError("an unfinished training of another recipe", where=str(checkpoint), hint=hint)
        self.model.module.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.history = [Epoch(**row) for row in state["history"]]
        self.best = state["best"]


def best_epoch(history: Sequence[Epoch]) -> Epoch:
    """The epoch with the highest validation accuracy; of equals, the one with the lowest validation loss."""
    return max(history, key=rank)


def rank(epoch: Epoch) -> tuple[float, float]:
    """What makes one epoch better than another: validation accuracy, then validation loss."""
    return epoch.valid_accuracy, -epoch.valid_loss


def write_log(path: Path, history: Sequence[Epoch]) -> None:
    """Write one row per epoch."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Epoch)])
        writer.writeheader()
        writer.writerows(asdict(epoch) for epoch in history)
