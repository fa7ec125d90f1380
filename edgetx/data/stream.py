"""Long recordings with known contents: clips one after another over continuous noise."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgetx.audio.clip import Clip, read_clip, read_folder
from edgetx.audio.dataset import read_rows
from edgetx.errors import DataError
from edgetx.evaluation.spotting import Event

COLUMNS = ("start_s", "end_s", "label", "speaker", "path")


@dataclass(frozen=True)
class Placed:
    """A clip and where it lies in the stream, in samples."""

    start: int
    length: int
    label: str
    speaker: str
    path: str


@dataclass(frozen=True)
class Mix:
    """How a stream is put together.

    Attributes:
        gap_low_s: Shortest pause between clips.
        gap_high_s: Longest.
        snr_db: Level of speech above noise, on average over the clip.
        noise_db: Level of the noise below full scale; the clips are scaled to fit.
        seed: Seed of the order, the pauses and the noise.
    """

    gap_low_s: float = 0.5
    gap_high_s: float = 3.0
    snr_db: float = 15.0
    noise_db: float = -45.0
    seed: int = 0


def make_stream(
    clips: Sequence[tuple[Clip, str, str, str]], noise: Sequence[Clip], seconds: float, rate: int, mix: Mix
) -> tuple[Clip, list[Placed]]:
    """Put clips in random order over noise; the same arguments give the same bits.

    Args:
        clips: Samples, label, speaker and path of each clip; every one is used before one is used again.
        noise: Recordings of noise, played one after another; white noise if there are none.
        seconds: Length of the stream.
        rate: Sample rate.
        mix: Pauses and levels.

    Returns:
        The samples, and the clips in the order of time.
    """
    rng = np.random.default_rng(mix.seed)
    length = round(seconds * rate)
    audio = _noise_bed(noise, length, mix, rng)
    placed: list[Placed] = []
    order: list[int] = []
    time = round(rng.uniform(mix.gap_low_s, mix.gap_high_s) * rate)
    while clips:
        order = order or rng.permutation(len(clips)).tolist()
        samples, label, speaker, path = clips[order.pop()]
        if time + len(samples) > length:
            break
        audio[time : time + len(samples)] += _scaled(samples.astype(np.float64), mix.noise_db + mix.snr_db)
        placed.append(Placed(time, len(samples), label, speaker, path))
        time += len(samples) + round(rng.uniform(mix.gap_low_s, mix.gap_high_s) * rate)
    return np.clip(np.rint(audio), -32768, 32767).astype(np.int16), placed


def stream_of_folder(
    folder: Path, split: str, noise_folder: Path | None, seconds: float, rate: int, mix: Mix
) -> tuple[Clip, list[Placed]]:
    """A stream of the clips of one split of a data folder.

    Raises:
        DataError: If there are no clips or no noise, or one cannot be read.
    """
    rows = [row for row in read_rows(folder) if row["split"] == split]
    if not rows:
        raise DataError(f"no clips in split '{split}'", where=str(folder))
    clips = [(read_clip(folder / r["path"], rate), r["label"], r.get("speaker") or "", r["path"]) for r in rows]
    noise = [] if noise_folder is None else read_folder(noise_folder, rate)
    return make_stream(clips, noise, seconds, rate, mix)


def write_events(path: Path, placed: Sequence[Placed], rate: int) -> None:
    """Write the contents of a stream as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for p in placed:
            times = f"{p.start / rate:.4f}", f"{(p.start + p.length) / rate:.4f}"
            writer.writerow((*times, p.label, p.speaker, p.path))


def read_events(path: Path) -> list[Event]:
    """Events from a CSV with the columns start_s, end_s and label.

    Raises:
        DataError: If it is not such a table.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [Event(float(row["start_s"]), float(row["end_s"]), row["label"]) for row in csv.DictReader(file)]
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as problem:
        hint = f"columns {', '.join(COLUMNS[:3])}, times in seconds"
        raise DataError("not a table of events", where=str(path), hint=hint) from problem


def _noise_bed(noise: Sequence[Clip], length: int, mix: Mix, rng: np.random.Generator) -> NDArray[np.float64]:
    if not noise:
        return _scaled(rng.standard_normal(length), mix.noise_db)
    pieces: list[NDArray[np.float64]] = []
    while sum(map(len, pieces)) < length:
        recording = noise[int(rng.integers(len(noise)))].astype(np.float64)
        pieces.append(_scaled(np.roll(recording, int(rng.integers(len(recording)))), mix.noise_db))
    return np.concatenate(pieces)[:length]


def _scaled(audio: NDArray[np.float64], decibels: float) -> NDArray[np.float64]:
    """Scale to a level below full scale, root mean square."""
    rms = np.sqrt((audio**2).mean())
    return np.asarray(audio * (32768 * 10 ** (decibels / 20) / max(rms, 1e-9)) if rms > 0 else audio)
