"""The training loop: epochs over augmented audio, a checkpoint after each, and the best weights at the end."""

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import AdamW

from edgetx.audio.frontend import FixedPointFrontEnd
from edgetx.errors import ConfigError, ModelError
from edgetx.nn import build
from edgetx.recipe import Recipe
from edgetx.train.adaptation import adapt, folded, hold_statistics
from edgetx.train.augment import Augmenter
from edgetx.train.draws import Draws
from edgetx.train.evaluate import evaluate
from edgetx.train.examples import Examples
from edgetx.train.history import Epoch, best_epoch, write_log
from edgetx.train.saving import load_checkpoint, save_checkpoint, training_key
from edgetx.train.schedule import parameter_groups
from edgetx.train.seeds import seed_epoch
from edgetx.train.state import TrainState


class Trainer:
    """Trains a recipe's model; everything random follows from the recipe's seed and the epoch's number.

    Args:
        recipe: What to train and how.
        training: Audio clips to learn from, in 16-bit samples.
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
        if self.settings.augmentation.context:
            check_context(recipe)
        model = build(recipe).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if pretrained:
            model.load_state_dict(pretrained, strict=False)
        if recipe.adaptation:
            adapt(model, recipe)
        groups = parameter_groups(model, self.settings.weight_decay)
        optimizer = AdamW(groups, self.settings.learning_rate, fused=True)
        self.model, self.optimizer = fabric.setup(model, optimizer)
        steps = math.ceil(len(training.x) / self.settings.batch)
        self.state = TrainState(model, optimizer, self.settings, steps)

    @property
    def history(self) -> list[Epoch]:
        """What each epoch gave."""
        return self.state.history

    def run(self, checkpoint: Path, report: Callable[[Epoch], None]) -> nn.Module:
        """Train, or go on from the checkpoint if it exists; returns the best epoch's model in eval mode."""
        if checkpoint.exists():
            self._resume(checkpoint)
        while len(self.history) < self.settings.epochs and not self._exhausted():
            self.state.add(self._epoch(len(self.history) + 1))
            if self.fabric.is_global_zero:
                save_checkpoint(checkpoint, {"training": training_key(self.recipe), **self.state.state_dict()})
                write_log(checkpoint.with_name("training.csv"), self.history)
            report(self.history[-1])
        return folded(self.state.finish())

    def _epoch(self, number: int) -> Epoch:
        started, busy = time.monotonic(), time.process_time()
        with torch.no_grad():
            self.draws.advance(number)
        seed_epoch(self.settings.seed, number)
        order = torch.randperm(len(self.labels))
        self.model.train()
        if self.recipe.adaptation:
            hold_statistics(self.model)
        losses = [self._step(batch) for batch in torch.split(order, self.settings.batch)]
        result = evaluate(self.state.average.module, self.validation)
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
            features = self.augmenter.context(features)
        rank, count = self.fabric.global_rank, self.fabric.world_size
        own = slice(rank, None, count) if len(batch) >= count else slice(None)
        features, targets = features[own], targets[own]
        loss = F.cross_entropy(self.model(features), targets, label_smoothing=self.settings.label_smoothing)
        if len(batch) >= count:
            loss = loss * (count * len(features) / len(batch))  # the mean over processes is that over clips
        self.optimizer.zero_grad()
        self.fabric.backward(loss)
        self.optimizer.step()
        self.state.stepped()
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

    def _resume(self, checkpoint: Path) -> None:
        state = load_checkpoint(checkpoint)
        if state.get("training") != training_key(self.recipe):
            hint = f"delete {checkpoint.parent} to start afresh, or choose another output folder"
            raise ModelError("an unfinished training of another recipe", where=str(checkpoint), hint=hint)
        self.state.load_state_dict(state)


def check_context(recipe: Recipe) -> None:
    """Try the recipe's model on a clip that follows another one.

    Raises:
        ConfigError: If it does not look back only, or takes inputs of one length.
    """
    model, (frames, features) = build(recipe).eval(), recipe.input_shape
    try:
        assert model.looks_back_only
        with torch.no_grad():
            model(torch.zeros(1, 2 * frames, features))
    except (AssertionError, AttributeError, RuntimeError) as problem:
        raise ConfigError(
            f"{recipe.model.architecture} cannot hear one clip after another", where="training.augmentation.context",
            hint="encoders with causal = true, positions = 'none' and mixers such as lmu, window or gated_linear",
        ) from problem  # fmt: skip
