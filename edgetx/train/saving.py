"""Saving checkpoints."""

import os
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from edgetx.errors import ModelError
from edgetx.output import explained


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
