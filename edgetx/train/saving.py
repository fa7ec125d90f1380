"""Saving checkpoints."""

import os
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from edgetx.errors import ModelError
from edgetx.output import explained
from edgetx.recipe import Recipe


def training_key(recipe: Recipe) -> str:
    """All that a training follows from, as text: a checkpoint with another one is of another training.

    What is at its default is left out, so that fields which recipes learn later leave old checkpoints valid.
    """
    read = replace(recipe.data, source=""), recipe.frontend, recipe.model, recipe.pretraining, recipe.training
    return repr([_chosen(part) for part in read])


def _chosen(settings: object) -> object:
    """The fields that are not at their defaults, all the way down."""
    if not is_dataclass(settings):
        return settings
    values = {field.name: (getattr(settings, field.name), field.default) for field in fields(settings)}
    return {name: _chosen(value) for name, (value, default) in values.items() if value != default}


def save_checkpoint(path: Path, state: dict[str, object]) -> None:
    """Save a state, keeping the previous one until the new one is complete.

    Raises:
        EdgetxError: If the disk is full or not writable.
    """
    partial = path.with_suffix(".partial")
    with explained(path, OSError, RuntimeError):  # torch reports a full disk as RuntimeError
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(state, partial)
        os.replace(partial, path)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Load what `save_checkpoint` saved, onto the CPU.

    Raises:
        ModelError: If the file is damaged.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, UnpicklingError) as problem:
        hint = f"delete {path} to start afresh"
        raise ModelError(f"the checkpoint is damaged: {problem}", where=str(path), hint=hint) from problem
    return state
