"""Finding target files: those that ship with edgetx, and the user's own."""

import os
from collections.abc import Iterator
from pathlib import Path

from edgetx.config import did_you_mean, load_toml, parse
from edgetx.errors import TargetError
from edgetx.resources import data_dir
from edgetx.targets.checks import check_target
from edgetx.targets.schema import Target


def load_target(name_or_path: str | Path) -> Target:
    """Load and check a target.

    Args:
        name_or_path: A target's name, or a path that ends in `.toml`. Names are looked up in the folders
            of the environment variable EDGETX_TARGETS first, then among the targets that ship with edgetx.

    Raises:
        TargetError: If there is no such target, or its file is not valid.
    """
    if str(name_or_path).endswith(".toml"):
        return _load(Path(name_or_path))
    files = _files_by_name()
    if str(name_or_path) not in files:
        raise TargetError(f"unknown target '{name_or_path}'", hint=did_you_mean(str(name_or_path), files))
    return _load(files[str(name_or_path)])


def list_targets() -> tuple[Target, ...]:
    """All targets that can be named, in alphabetical order."""
    return tuple(_load(path) for _, path in sorted(_files_by_name().items()))


def _files_by_name() -> dict[str, Path]:
    files: dict[str, Path] = {}
    for folder in _folders():
        for path in folder.glob("*.toml"):
            files.setdefault(path.stem, path)
    return files


def _folders() -> Iterator[Path]:
    for folder in filter(None, os.environ.get("EDGETX_TARGETS", "").split(os.pathsep)):
        if not Path(folder).is_dir():
            raise TargetError("not a folder", where=f"EDGETX_TARGETS: {folder}")
        yield Path(folder)
    yield data_dir("targets")


def _load(path: Path) -> Target:
    data = load_toml(path, TargetError)
    target = parse(data, Target, path.stem, TargetError)
    if target.name != path.stem:
        raise TargetError(f"name is '{target.name}', which the file's name should match", where=str(path))
    check_target(target, data)
    return target
