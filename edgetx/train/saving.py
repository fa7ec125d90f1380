"""Saving checkpoints."""

import os
from pathlib import Path

from lightning_fabric import Fabric

from edgetx.output import explained


def save_checkpoint(fabric: Fabric, path: Path, state: dict[str, object]) -> None:
    """Save a checkpoint, keeping the previous one until the new one is complete.

    Raises:
        EdgetxError: If the disk is full or not writable.
    """
    partial = path.with_suffix(".partial")
    with explained(path, OSError, RuntimeError):  # torch reports a full disk as RuntimeError
        fabric.save(partial, state)
        if fabric.is_global_zero:
            os.replace(partial, path)
