"""ESC-50 and its subset ESC-10 (Piczak, 2015) at 16 kHz, with the official folds."""

import csv
from collections import Counter
from collections.abc import Iterator
from io import BytesIO, StringIO
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile

import numpy as np
import soundfile
from scipy.signal import resample_poly

from edgetx.audio.clip import Clip, to_int16
from edgetx.audio.dataset import split_of
from edgetx.data.download import Archive, fetch
from edgetx.data.folder import Row, new_data_folder, write_clip, write_starter_recipe, write_table
from edgetx.errors import DataError

ARCHIVE = Archive("https://github.com/karolpiczak/ESC-50/archive/master.zip", None)
"""Packed anew by its host, so that its checksum changes; its clips carry checksums, its table is checked instead."""
RATE = 16_000
FOLDS = 5
CLIPS_PER_CLASS_AND_FOLD = 8


def prepare(out: Path, classes: int, fold: int = 1, mirror: str = "") -> list[Row]:
    """Write a data folder with 10 or 50 classes.

    Args:
        out: The folder to write.
        classes: 10 or 50.
        fold: The official fold that becomes the test split; the next one becomes the validation split.
        mirror: Where the archive lies, if not at its publisher.

    Returns:
        The rows of its split.csv.

    Raises:
        DataError: If the archive cannot be had, or is not what it should be.
    """
    archive = fetch(ARCHIVE, mirror)
    licence = "CC BY 3.0" if classes == 10 else "CC BY-NC 3.0"
    name = f"esc-{classes}"
    with new_data_folder(out, {"data": name, "fold": fold}) as folder, _opened(archive) as zipped:
        table = _read_table(zipped, classes, archive)
        rows = [_write(folder, zipped, entry, fold, archive) for entry in table]
        write_table(folder, rows)
        write_starter_recipe(
            folder,
            f"{name}-events",
            sorted({row.label for row in rows}),
            description="Sounds of the environment, from five seconds of audio.",
            source=f"ESC-{classes} (Piczak, 2015), {licence}, fold {fold} of 5 as test",
            clip_ms=5000.0,
            noise="",
        )
    return rows


def to_rate(audio: np.ndarray[tuple[int], np.dtype[np.float32]], rate: int) -> Clip:
    """Samples in ±1 of another rate as 16-bit samples at 16 kHz, by a polyphase filter."""
    divisor = int(np.gcd(rate, RATE))
    return to_int16(resample_poly(audio, RATE // divisor, rate // divisor))


def _write(folder: Path, zipped: ZipFile, entry: dict[str, str], fold: int, archive: Path) -> Row:
    try:
        audio, rate = soundfile.read(BytesIO(zipped.read(entry["member"])), dtype="float32", always_2d=True)
    except (BadZipFile, soundfile.SoundFileError) as problem:
        raise DataError(f"{entry['filename']} is damaged: {problem}", where=str(archive)) from problem
    path = f"{entry['category']}/{PurePosixPath(entry['filename']).stem}.flac"
    write_clip(folder / path, to_rate(audio[:, 0], rate), RATE)
    # All takes of a source lie in one fold; as the "speaker" it is held to one split.
    split = split_of(int(entry["fold"]), fold, FOLDS)
    return Row(path, entry["category"], split, entry["src_file"], fold=entry["fold"])


def _read_table(zipped: ZipFile, classes: int, archive: Path) -> list[dict[str, str]]:
    """The entries of the official table, each with its member of the archive."""
    members = {PurePosixPath(name).name: name for name in zipped.namelist()}
    if "esc50.csv" not in members:
        raise DataError("the archive has no esc50.csv", where=str(archive))
    entries = list(csv.DictReader(StringIO(zipped.read(members["esc50.csv"]).decode())))
    chosen = [e for e in entries if classes == 50 or e["esc10"] == "True"]
    for problem in _problems(chosen, classes, members):
        raise DataError(problem, where=str(archive))
    return [{**entry, "member": members[entry["filename"]]} for entry in chosen]


def _problems(entries: list[dict[str, str]], classes: int, members: dict[str, str]) -> Iterator[str]:
    counts = Counter((entry["category"], entry["fold"]) for entry in entries)
    if len(counts) != classes * FOLDS or set(counts.values()) != {CLIPS_PER_CLASS_AND_FOLD}:
        yield f"esc50.csv does not hold {classes} classes × {FOLDS} folds × {CLIPS_PER_CLASS_AND_FOLD} clips"
    if strange := [name for name, _ in counts if not name.isidentifier()]:
        yield f"'{strange[0]}' in esc50.csv is no name of a class"
    if missing := [entry["filename"] for entry in entries if entry["filename"] not in members]:
        yield f"{len(missing)} clips are missing, {missing[0]} for one"


def _opened(archive: Path) -> ZipFile:
    try:
        return ZipFile(archive)
    except (OSError, BadZipFile) as problem:
        raise DataError(f"not readable as .zip: {problem}", where=str(archive)) from problem
