"""Archives on the network, kept in the cache and checked against known checksums."""

from dataclasses import dataclass
from pathlib import Path

import pooch
import requests

from edgetx.audio.cache import cache_dir
from edgetx.errors import DataError


@dataclass(frozen=True)
class Archive:
    """A file on the network.

    Attributes:
        url: Where it lies.
        checksum: Its SHA-256, or None where the publisher makes the archive anew on every request.
    """

    url: str
    checksum: str | None

    @property
    def name(self) -> str:
        """Its file name."""
        return self.url.rpartition("/")[2]


def fetch(archive: Archive, mirror: str = "") -> Path:
    """The archive in the cache, downloaded if it is not there yet.

    Args:
        archive: What to fetch.
        mirror: Address of a folder, on the network or on this machine, that holds a file of the same name.

    Raises:
        DataError: If it cannot be reached or its checksum is another.
    """
    local = Path(mirror) / archive.name if mirror else None
    if local is not None and local.is_file():
        return _checked(local, archive)
    url = f"{mirror.rstrip('/')}/{archive.name}" if mirror else archive.url
    hint = f"download {archive.url} by hand, then pass its folder with --mirror DIR"
    try:
        kept = pooch.retrieve(url, archive.checksum, archive.name, cache_dir() / "downloads", progressbar=False)
    except ValueError as problem:
        raise DataError("the checksum is not the expected one; damaged?", where=url, hint=hint) from problem
    except (OSError, requests.RequestException) as problem:
        raise DataError(f"cannot download: {_reason(problem)}", where=url, hint=hint) from problem
    return Path(kept)


def _checked(path: Path, archive: Archive) -> Path:
    if archive.checksum and pooch.file_hash(str(path)) != archive.checksum:
        raise DataError(
            "the checksum is not the expected one; damaged?",
            where=str(path),
            hint=f"it should be that of {archive.url}",
        )
    return path


def _reason(problem: Exception) -> str:
    if isinstance(problem, requests.HTTPError) and problem.response is not None:
        return f"HTTP {problem.response.status_code}"
    return "no connection" if isinstance(problem, requests.ConnectionError) else str(problem)
