"""The stage before training: an encoder and the training clips, without labels."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from edgetx.audio.frontend import FixedPointFrontEnd
from edgetx.errors import ConfigError, ModelError
from edgetx.nn import build
from edgetx.nn.encoder import Encoder
from edgetx.recipe import Pretraining, Recipe
from edgetx.train.augment import Augmenter
from edgetx.train.draws import Draws
from edgetx.train.pretrain.objective import OBJECTIVES
from edgetx.train.saving import load_checkpoint, save_checkpoint, training_key
from edgetx.train.schedule import learning_rate_factor, parameter_groups

_CLIP = 5.0  # largest norm of a gradient


class Stateful(Protocol):
    """What a checkpoint keeps."""

    def state_dict(self) -> dict[str, Any]:
        """Its state."""

    def load_state_dict(self, state_dict: dict[str, Any], /) -> Any:
        """Take a state over."""


def pretrain(recipe: Recipe, clips: Tensor, augmenter: Augmenter, folder: Path, fabric: Fabric) -> Mapping[str, Tensor]:
    """Pretrain the encoder of a recipe, or go on where it was interrupted.

    Args:
        recipe: With a `pretraining` table.
        clips: 16-bit samples of the training clips, clips × samples.
        augmenter: Changes of the audio.
        folder: Where the checkpoint goes.
        fabric: Where to compute; every process does all of it.

    Returns:
        Weights of the encoder, without its last layer.

    Raises:
        ConfigError: If the objective does not go with the model.
        ModelError: If the loss is no longer a number.
    """
    settings = recipe.pretraining
    assert settings is not None
    torch.manual_seed(recipe.training.seed)
    model = build(recipe)
    objective = _objective(recipe, settings, model).to(fabric.device)
    optimizer = AdamW(parameter_groups(objective, settings.weight_decay), settings.learning_rate)
    schedule = LambdaLR(optimizer, learning_rate_factor(settings, math.ceil(len(clips) / settings.batch)))
    front = FixedPointFrontEnd(recipe.frontend, recipe.data.sample_rate_hz, torch, device=fabric.device)
    audio = fabric.to_device(clips)
    draws = Draws(audio, augmenter, front, recipe.training.augmentation.reuse, recipe.training.seed)
    parts: dict[str, Stateful] = {"model": objective, "optimizer": optimizer, "schedule": schedule}
    checkpoint = folder / "pretraining.pt"

    def step(batch: Tensor) -> float:
        """One step of the optimizer; returns the loss."""
        with torch.no_grad():
            features = front.normalize(front.project(augmenter.log_mel(draws[batch]))).float()
        loss = objective(features)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(objective.parameters(), _CLIP)
        optimizer.step()
        schedule.step()
        return float(loss.item())

    for epoch in range(_resumed(checkpoint, recipe, parts) + 1, settings.epochs + 1):
        with torch.no_grad():
            draws.advance(epoch)
        torch.manual_seed(recipe.training.seed * 100_019 + epoch)
        objective.train()
        batches = torch.split(torch.randperm(len(clips)), settings.batch)
        total = sum(step(batch) * len(batch) / len(clips) for batch in batches)
        if not math.isfinite(total):
            hint = "lower pretraining.learning_rate"
            raise ModelError(f"the loss of pretraining epoch {epoch} is not a number", where=recipe.name, hint=hint)
        if fabric.is_global_zero:
            state = {name: part.state_dict() for name, part in parts.items()}
            save_checkpoint(checkpoint, {"training": training_key(recipe), "epoch": epoch, "loss": total, **state})
    return {name: value for name, value in model.state_dict().items() if not name.startswith("head.")}


def _objective(recipe: Recipe, settings: Pretraining, model: nn.Module) -> nn.Module:
    """What the encoder is pretrained to do.

    Raises:
        ConfigError: If the model is no encoder, or the objective does not go with it.
    """
    if not isinstance(model, Encoder):
        hint = "leave [pretraining] out, or choose an encoder: docs/architectures.md"
        raise ConfigError(
            f"'{recipe.model.architecture}' is not an encoder", where=f"{recipe.name}.pretraining", hint=hint
        )
    try:
        objective = OBJECTIVES[settings.objective](model, settings)
    except ValueError as problem:
        raise ConfigError(str(problem), where=f"{recipe.name}.pretraining.objective") from problem
    assert isinstance(objective, nn.Module)
    return objective


def _resumed(checkpoint: Path, recipe: Recipe, parts: Mapping[str, Stateful]) -> int:
    """Load a checkpoint, if there is one; the epochs it has seen."""
    if not checkpoint.exists():
        return 0
    state = load_checkpoint(checkpoint)
    if state.get("training") != training_key(recipe):
        hint = f"delete {checkpoint.parent} to start afresh"
        raise ModelError("an unfinished pretraining of another recipe", where=str(checkpoint), hint=hint)
    for name, part in parts.items():
        part.load_state_dict(state[name])
    return int(state["epoch"])
