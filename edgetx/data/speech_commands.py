"""Speech Commands v2 (Warden, 2018): 12 or 35 classes with the official lists.

The 12 classes are ten commands, `_unknown_` and `_silence_`. In training and validation, as in the data set's own
example, `_unknown_` has a tenth as many clips as the commands together, chosen at random from the other 25 words, and
`_silence_` as many stretches of background noise, at any volume. The test clips of the 12 classes are the 4,890 of the
official test archive; those of the 35 classes are the official testing list.
"""

import gzip
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from math import ceil
from pathlib import Path

import numpy as np
import soundfile

from edgetx.audio.clip import Clip, read_clip
from edgetx.data.download import Archive, fetch
from edgetx.data.folder import Row, new_data_folder, write_clip, write_starter_recipe, write_table
from edgetx.errors import DataError

TRAINING = Archive(
    "http://download.tensorflow.org/data/speech_commands_v0.02.tar.gz",
    "af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58",
)
TEST = Archive(
    "http://download.tensorflow.org/data/speech_commands_test_set_v0.02.tar.gz",
    "cc2a00c1147c2254e9be3fa0f779d8c17421dc349b86366567a8edfa9acd51df",
)
COMMANDS = ("down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes")
OTHERS = (
    "backward", "bed", "bird", "cat", "dog", "eight", "five", "follow", "forward", "four", "happy", "house", "learn",
    "marvin", "nine", "one", "seven", "sheila", "six", "three", "tree", "two", "visual", "wow", "zero",
)  # fmt: skip
WORDS = tuple(sorted((*COMMANDS, *OTHERS)))
SILENCE, UNKNOWN, NOISE = "_silence_", "_unknown_", "_background_noise_"
RATE = 16_000
SHARE = 0.1
"""Clips of `_unknown_` and of `_silence_`, as a share of the clips of the commands."""


@dataclass(frozen=True)
class Member:
    """A clip in an archive."""

    path: str
    split: str

    @property
    def word(self) -> str:
        """The folder, which names the word."""
        return self.path.split("/")[0]

    @property
    def speaker(self) -> str:
        """Hash of the speaker, which begins the file's name."""
        name = self.path.split("/")[1]
        return name.split("_nohash_")[0] if "_nohash_" in name else ""


def prepare(out: Path, classes: int, seed: int = 0, mirror: str = "") -> list[Row]:
    """Write a data folder with 12 or 35 classes.

    Args:
        out: The folder to write.
        classes: 12 or 35.
        seed: Seed of the choice of unknown words and stretches of silence.
        mirror: Where the archives lie, if not at their publisher.

    Returns:
        The rows of its split.csv.

    Raises:
        DataError: If an archive cannot be had, or is not what it should be.
    """
    archive = fetch(TRAINING, mirror)
    test = fetch(TEST, mirror) if classes == 12 else None
    name = f"speech-commands-{classes}"
    with new_data_folder(out, {"data": name, "seed": seed}) as folder:
        rows = _write_clips(folder, archive, test, np.random.default_rng(seed))
        write_table(folder, rows)
        write_starter_recipe(
            folder,
            f"{name}-kws",
            (*COMMANDS, SILENCE, UNKNOWN) if classes == 12 else WORDS,
            description="Spoken English words, from one second of audio.",
            source="Speech Commands v0.02 (Warden, 2018), CC BY 4.0, official lists",
            clip_ms=1000.0,
            noise=NOISE,
        )
    return rows


def _write_clips(folder: Path, archive: Path, test: Path | None, rng: np.random.Generator) -> list[Row]:
    members, noise = _read_lists(archive)
    if test is None:
        chosen = [(member, member.word) for member in members]
    else:
        learnt = [member for member in members if member.split != "test"]
        chosen = choose_twelve(learnt, rng)
    _extract(archive, {m.path: m.path for m, _ in chosen} | {path: path for path in noise}, folder)
    rows = [Row(m.path, label, m.split, m.speaker, m.word) for m, label in chosen]
    if test is not None:
        rows += _write_silence(folder, rows, rng) + _write_test_set(folder, test)
    return rows


def choose_twelve(members: Iterable[Member], rng: np.random.Generator) -> list[tuple[Member, str]]:
    """All clips of the commands, and a random choice of the others as unknown; with their labels."""
    members = sorted(members, key=lambda member: member.path)
    chosen = [(member, member.word) for member in members if member.word in COMMANDS]
    for split in ("train", "valid"):
        others = [m for m in members if m.split == split and m.word not in COMMANDS]
        wanted = ceil(SHARE * sum(member.split == split for member, _ in chosen if member.word in COMMANDS))
        picked = rng.permutation(len(others))[:wanted]
        chosen += [(others[i], UNKNOWN) for i in sorted(picked)]
    return chosen


def silence(noise: Mapping[str, Clip], split: str, count: int, rng: np.random.Generator) -> Iterator[Clip]:
    """Random seconds of noise at any volume; validation hears the last fifth of every recording, training the rest."""
    names = sorted(noise)
    for _ in range(count):
        recording = noise[names[rng.integers(len(names))]]
        border = len(recording) * 4 // 5
        part = recording[:border] if split == "train" else recording[border:]
        start = rng.integers(len(part) - RATE + 1)
        yield np.rint(part[start : start + RATE] * rng.uniform()).astype(np.int16)


def _write_silence(folder: Path, rows: list[Row], rng: np.random.Generator) -> list[Row]:
    noise = {path.name: read_clip(path, RATE) for path in sorted((folder / NOISE).glob("*.wav"))}
    if not noise:
        raise DataError(f"the archive has no {NOISE}", where=TRAINING.name)
    made = []
    for split in ("train", "valid"):
        count = ceil(SHARE * sum(row.split == split and row.label in COMMANDS for row in rows))
        for i, clip in enumerate(silence(noise, split, count, rng)):
            path = f"{SILENCE}/{split}_{i:05}.wav"
            write_clip(folder / path, clip, RATE)
            made.append(Row(path, SILENCE, split))
    return made


def _write_test_set(folder: Path, archive: Path) -> list[Row]:
    """Unpack the official test clips below `test/`."""
    with _opened(archive) as tar:
        paths = sorted(_path(member) for member in tar if _is_clip(member))
    known = {*COMMANDS, SILENCE, UNKNOWN}
    paths = [path for path in paths if path.split("/")[0] in known]
    if not paths:
        raise DataError("the archive has no test clips", where=str(archive))
    _extract(archive, {path: f"test/{path}" for path in paths}, folder)
    members = [Member(path, "test") for path in paths]
    return [Row(f"test/{m.path}", m.word, "test", m.speaker, m.word) for m in members]


def _read_lists(archive: Path) -> tuple[list[Member], list[str]]:
    """All clips with their official split, and the recordings of noise."""
    lists: dict[str, set[str]] = {}
    paths = []
    with _opened(archive) as tar:
        for member in tar:
            path = _path(member)
            if path in ("validation_list.txt", "testing_list.txt"):
                content = tar.extractfile(member)
                assert content is not None
                lists[path] = set(content.read().decode().split())
            elif _is_clip(member):
                paths.append(path)
    if len(lists) != 2:
        raise DataError("the archive has no validation_list.txt and testing_list.txt", where=str(archive))
    valid, test = lists["validation_list.txt"], lists["testing_list.txt"]
    noise = [path for path in paths if path.startswith(f"{NOISE}/")]
    split = {path: "valid" if path in valid else "test" if path in test else "train" for path in paths}
    members = [Member(path, split[path]) for path in sorted(paths) if path.split("/")[0] in WORDS]
    return members, noise


def _extract(archive: Path, wanted: Mapping[str, str], folder: Path) -> None:
    """Unpack members to new paths below a folder."""
    with _opened(archive) as tar:
        for member in tar:
            if (path := wanted.get(_path(member))) is None:
                continue
            content = tar.extractfile(member)
            assert content is not None
            data = content.read()
            if soundfile.info(BytesIO(data)).samplerate != RATE:
                raise DataError(f"{path} is not sampled at {RATE} Hz", where=str(archive))
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)


@contextmanager
def _opened(archive: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(archive, "r:gz") as tar:
            yield tar
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as problem:
        raise DataError(f"not readable as .tar.gz: {problem}", where=str(archive)) from problem


def _path(member: tarfile.TarInfo) -> str:
    return member.name.removeprefix("./")


def _is_clip(member: tarfile.TarInfo) -> bool:
    return member.isfile() and member.name.endswith(".wav") and _path(member).count("/") == 1
