"""Output folders that are there whole or not at all."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgetx.errors import EdgetxError


def check_replaceable(path: Path, marker: str) -> None:
    """Refuse to replace a folder that is neither empty nor recognized by its marker.

    Raises:
        EdgetxError: If it is not.
    """
    if path.exists() and not (path / marker).is_file() and not _is_empty(path):
        raise EdgetxError(
            f"is not an earlier output of this command (it has no {marker})",
            where=str(path),
            hint="choose another folder with -o, or remove it",
        )


@contextmanager
def replaced_folder(path: Path, marker: str = "") -> Iterator[Path]:
    """A new folder to fill, which takes the place of `path` when the block ends without an error.

    Args:
        path: Where the folder goes.
        marker: A file by which an earlier output is recognized; a folder without it is never replaced.

    Raises:
        EdgetxError: If the disk is full or not writable, or `path` holds something else.
    """
    if marker:
        check_replaceable(path, marker)
    partial, old = (path.with_name(f".{path.name}.{os.getpid()}.{suffix}") for suffix in ("partial", "old"))
    _sweep(path)
    with explained(path, OSError):
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
        full = not isinstance(problem, OSError) or problem.errno in (errno.ENOSPC, errno.EDQUOT)
        reason = problem.strerror if isinstance(problem, OSError) and problem.strerror else problem
        raise EdgetxError(f"cannot save: {reason}", where=str(path), hint="is the disk full?" * full) from problem


def _sweep(path: Path) -> None:
    """Clear up what runs that were killed left beside `path`; an output already moved aside comes back."""
    for left in path.parent.glob(f".{path.name}.*"):
        *_, pid, suffix = left.name.split(".")
        if suffix not in ("partial", "old") or not pid.isdigit() or Path(f"/proc/{pid}").exists():
            continue
        if suffix == "old" and not path.exists():
            left.rename(path)
        else:
            shutil.rmtree(left, ignore_errors=True)


def _is_empty(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())
