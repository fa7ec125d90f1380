"""Results kept between runs, keyed by the content they were computed from."""

import hashlib
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_VERSION = 4  # raise it when the front end computes something else


def cached(compute: Callable[[], NDArray[np.float32]], settings: object, files: Iterable[Path]) -> NDArray[np.float32]:
    """`compute()`, or what it gave last time for the same settings and the same bytes in the same files."""
    path = cache_dir() / f"{_key(settings, files)}.npy"
    try:
        return np.asarray(np.load(path))
    except (OSError, ValueError, EOFError):
        pass
    result = compute()
    _write(path, result)
    return result


def cache_dir() -> Path:
    """`EDGETX_CACHE`, else `edgetx` in the user's cache folder."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("EDGETX_CACHE") or home / "edgetx")


def _key(settings: object, files: Iterable[Path]) -> str:
    digest = hashlib.sha256(f"{_VERSION} {settings!r}".encode())
    for file in files:
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _write(path: Path, array: NDArray[np.float32]) -> None:
    """Best effort: a cache that cannot be written costs time, not the run."""
    partial = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            np.save(file, array)
        partial.replace(path)
    except OSError:
        with suppress(OSError):
            partial.unlink()
