"""Data sets: a folder of audio with a CSV that lists its clips, or an .npz of ready model inputs."""

import csv
import dataclasses
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from edgetx.audio.cache import cached
from edgetx.audio.clip import fit_length, read_clip
from edgetx.audio.frontend import extract
from edgetx.config import did_you_mean
from edgetx.errors import DataError
from edgetx.recipe import Data, Recipe

SPLITS = ("train", "valid", "test")
_TABLES = ("split.csv", "folds.csv", "labels.csv")


@dataclass(frozen=True)
class Dataset:
    """Clips with their labels; `x` holds 16-bit samples or float32 model inputs, one row per clip.

    Without labels `y` is empty; without speakers in the table `speakers` is empty, and of a clip without one it is "".
    """

    x: NDArray[np.generic]
    y: NDArray[np.int64]
    split: NDArray[np.str_]
    classes: tuple[str, ...]
    speakers: NDArray[np.str_]

    def part(self, split: str) -> "Dataset":
        """The clips of one split.

        Raises:
            DataError: If there are none.
        """
        chosen = self.split == split
        if not chosen.any():
            known = ", ".join(sorted(set(self.split.tolist())))
            raise DataError(f"no clips in split '{split}'", hint=f"splits present: {known}")
        y = self.y[chosen] if len(self.y) else self.y
        speakers = self.speakers[chosen] if len(self.speakers) else self.speakers
        return dataclasses.replace(self, x=self.x[chosen], y=y, split=self.split[chosen], speakers=speakers)


def load_dataset(path: Path, recipe: Recipe) -> Dataset:
    """Model inputs of a data set: an audio folder through the recipe's front end, or an .npz.

    Raises:
        DataError: If the data is missing, damaged, mislabelled or of the wrong shape.
    """
    if path.suffix == ".npz":
        return load_npz(path, recipe.input_shape, recipe.data.classes)
    rows = read_table(path, recipe.data)
    files = [path / row["path"] for row in rows]

    def features() -> NDArray[np.float32]:
        audio = _read_audio(files, recipe.data)
        batches = np.array_split(audio, -(-len(audio) // 256))
        return np.concatenate([extract(b, recipe.frontend, recipe.data.sample_rate_hz) for b in batches])

    return _dataset(
        cached(features, (dataclasses.replace(recipe.data, test_fold=0), recipe.frontend), files), rows, recipe.data
    )


def load_recordings(path: Path, data: Data, split: str) -> Dataset:
    """The audio of one split of a data folder, 16-bit samples of equal length.

    Raises:
        DataError: If the data is missing, damaged or mislabelled, or the split is empty.
    """
    rows = [row for row in read_table(path, data) if row["split"] == split]
    if not rows:
        raise DataError(f"no clips in split '{split}'", where=str(path))
    return _dataset(_read_audio([path / row["path"] for row in rows], data), rows, data)


def load_npz(path: Path, input_shape: tuple[int, ...], classes: tuple[str, ...] = ()) -> Dataset:
    """Model inputs from an .npz with `x` (float, N × input shape) and optionally `y` (integer labels).

    Raises:
        DataError: If the file is not such an .npz.
    """
    try:
        with np.load(path) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, BadZipFile) as problem:
        raise DataError(f"not readable as .npz: {problem}", where=str(path)) from problem
    if "x" not in arrays:
        raise DataError("no array 'x'", where=str(path), hint=f"arrays present: {', '.join(arrays) or 'none'}")
    x, y = arrays["x"], arrays.get("y", np.empty(0, np.int64))
    if x.shape[1:] != input_shape or len(x) == 0 or x.dtype.kind != "f":
        wanted = " × ".join(("N", *map(str, input_shape)))
        raise DataError(f"x is {x.dtype} {x.shape}, float {wanted} expected", where=str(path))
    if not np.isfinite(x).all():
        raise DataError("x has values that are not numbers", where=str(path))
    if "y" in arrays and (y.shape != x.shape[:1] or y.dtype.kind not in "iu"):
        raise DataError(f"y is {y.dtype} {y.shape}, one integer per input expected", where=str(path))
    if classes and len(y) and not 0 <= y.min() <= y.max() < len(classes):
        raise DataError(f"y has labels outside 0 … {len(classes) - 1}", where=str(path))
    split = np.full(len(x), "test")
    return Dataset(x.astype(np.float32), y.astype(np.int64), split, classes, np.empty(0, np.str_))


def find_table(folder: Path) -> Path:
    """The CSV that lists the clips of a data folder.

    Raises:
        DataError: If there is none.
    """
    table = next((folder / name for name in _TABLES if (folder / name).is_file()), None)
    if table is None:
        raise DataError(f"none of {', '.join(_TABLES)} here", where=str(folder))
    return table


def read_rows(folder: Path) -> list[dict[str, str]]:
    """The rows of a data folder's CSV as they stand; the split is `test` where there is no such column.

    Raises:
        DataError: If there is no table, it is not a CSV, or a row has no path or label.
    """
    table = find_table(folder)
    try:
        with table.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, restkey="")
            columns = reader.fieldnames or ()
            rows = [{"split": "test", **row} for row in reader]
    except (UnicodeDecodeError, csv.Error) as problem:
        raise DataError(f"not a CSV in UTF-8: {problem}", where=str(table)) from problem
    for column in ("path", "label"):
        if column not in columns:
            raise DataError(f"no column '{column}'", where=str(table))
    if not rows:
        raise DataError("lists no clips", where=str(table))
    for number, row in enumerate(rows, start=2):
        if "" in row or None in row.values() or "\0" in row["path"] or not row["path"]:
            raise DataError("not as many values as columns, or no path", where=f"{table}:{number}")
    return rows


def read_table(folder: Path, data: Data) -> list[dict[str, str]]:
    """The checked rows of a data folder's CSV.

    Raises:
        DataError: If there is no table, or a row has an unknown label or split or no file, or a speaker is
            in more than one split.
    """
    table, rows = find_table(folder), read_rows(folder)
    if data.test_fold:
        _split_by_fold(rows, data.test_fold, table)
    for number, row in enumerate(rows, start=2):
        _check_row(row, folder, data.classes, f"{table}:{number}")
    _check_speakers(rows, table)
    return rows


def split_of(fold: int, test_fold: int, folds: int) -> str:
    """The split that a fold falls into: after the one that tests comes the one that validates."""
    return {test_fold: "test", test_fold % folds + 1: "valid"}.get(fold, "train")


def count_folds(folder: Path, data: Data) -> int:
    """Number of folds that the table of a data folder has.

    Raises:
        DataError: If there are none.
    """
    return len(_folds(read_table(folder, data), folder))


def _folds(rows: list[dict[str, str]], where: Path) -> set[int]:
    folds = {int(row["fold"]) if row.get("fold", "").isdecimal() else 0 for row in rows}
    if len(folds) < 3 or folds != set(range(1, len(folds) + 1)):
        hint = "a column 'fold' that numbers three or more folds from 1 on is needed"
        raise DataError("no folds to cross-validate on", where=str(where), hint=hint)
    return folds


def _split_by_fold(rows: list[dict[str, str]], test_fold: int, table: Path) -> None:
    folds = _folds(rows, table)
    if test_fold not in folds:
        raise DataError(f"no fold {test_fold}", where=str(table), hint=f"folds: 1 to {len(folds)}")
    for row in rows:
        row["split"] = split_of(int(row["fold"]), test_fold, len(folds))


def _check_row(row: dict[str, str], folder: Path, classes: tuple[str, ...], where: str) -> None:
    for column, known in (("label", classes), ("split", SPLITS)):
        if row[column] not in known:
            raise DataError(f"unknown {column} '{row[column]}'", where=where, hint=did_you_mean(row[column], known))
    if not (folder / row["path"]).is_file():
        raise DataError(f"no such file: {row['path']}", where=where)


def _check_speakers(rows: list[dict[str, str]], table: Path) -> None:
    assigned: dict[str, str] = {}
    for row in rows:
        speaker = row.get("speaker", "")
        if speaker and assigned.setdefault(speaker, row["split"]) != row["split"]:
            raise DataError(
                f"speaker '{speaker}' is in the splits '{assigned[speaker]}' and '{row['split']}'",
                where=str(table),
                hint="give every speaker one split, or the test accuracy will flatter the model",
            )


def _read_audio(files: list[Path], data: Data) -> NDArray[np.int16]:
    clips = (read_clip(file, data.sample_rate_hz) for file in files)
    return np.stack([fit_length(clip, data.samples, data.placement) for clip in clips])


def _dataset(x: NDArray[np.generic], rows: list[dict[str, str]], data: Data) -> Dataset:
    labels = np.array([data.classes.index(row["label"]) for row in rows])
    speakers = [row.get("speaker") or "" for row in rows]
    named = np.array(speakers if any(speakers) else [], np.str_)
    return Dataset(x, labels, np.array([row["split"] for row in rows]), data.classes, named)
