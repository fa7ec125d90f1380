"""Files that are there whole or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lightning_fabric import Fabric
from safetensors import SafetensorError

from edgetx.errors import EdgetxError


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


@contextmanager
def replaced_folder(path: Path) -> Iterator[Path]:
    """A new folder to fill, which takes the place of `path` when the block ends without an error.

    Raises:
        EdgetxError: If the disk is full or not writable.
    """
    partial, old = (path.with_name(f".{path.name}.{suffix}") for suffix in ("partial", "old"))
    with explained(path, OSError, SafetensorError):
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        try:
            yield partial
            if path.exists():
                path.rename(old)
            partial.rename(path)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
            shutil.rmtree(old, ignore_errors=True)


@contextmanager
def explained(path: Path, *failures: type[Exception]) -> Iterator[None]:
    """Turn failures to write into an error of ours."""
    try:
        yield
    except failures as problem:
        raise EdgetxError(f"cannot save: {problem}", where=str(path), hint="is the disk full?") from problem
