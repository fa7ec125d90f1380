"""Writing a data folder: clips, split.csv, a recipe to start from, and where it all came from."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import soundfile

from edgetx import __version__
from edgetx.audio.clip import Clip
from edgetx.output import explained, replaced_folder

MARKER = "edgetx-data.json"
"""The file that says how a folder was made; only folders with it are ever replaced."""


@dataclass(frozen=True)
class Row:
    """One clip of a table; `path` is relative to the folder."""

    path: str
    label: str
    split: str
    speaker: str = ""
    word: str = ""
    fold: str = ""


@contextmanager
def new_data_folder(out: Path, origin: Mapping[str, object]) -> Iterator[Path]:
    """A folder to fill, which takes the place of `out` when the block ends without an error.

    Args:
        out: Where the folder goes.
        origin: What made it: name, seed and the like, kept in the folder.

    Raises:
        EdgetxError: If `out` holds something that no command of ours made, or the disk is full.
    """
    with replaced_folder(out, MARKER) as folder:
        yield folder
        text = json.dumps({"edgetx": __version__, **origin}, indent=2) + "\n"
        (folder / MARKER).write_text(text, encoding="utf-8")


def write_clip(path: Path, clip: Clip, sample_rate_hz: int) -> None:
    """Write 16-bit samples; the suffix decides on FLAC or WAV.

    Raises:
        EdgetxError: If the disk is full or not writable.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with explained(path, OSError, soundfile.SoundFileError):
        soundfile.write(path, clip, sample_rate_hz, "PCM_16")


def write_table(folder: Path, rows: Iterable[Row]) -> None:
    """Write split.csv, in the order of the paths."""
    with (folder / "split.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "label", "split", "speaker", "word", "fold"))
        writer.writerows(
            (r.path, r.label, r.split, r.speaker, r.word, r.fold) for r in sorted(rows, key=lambda r: r.path)
        )


def write_starter_recipe(
    folder: Path, name: str, classes: Sequence[str], *, description: str, source: str, clip_ms: float, noise: str
) -> None:
    """Write a recipe.toml that trains a small model on the folder as it is.

    Args:
        folder: The data folder.
        name: Name of the recipe.
        classes: Labels in the order of the model's outputs.
        description: What the model tells apart.
        source: Origin and licence of the data.
        clip_ms: Length of a clip.
        noise: Folder of noise for augmentation, relative to the data folder; empty for none.
    """
    text = STARTER.format(
        name=json.dumps(name),
        description=json.dumps(description),
        classes=json.dumps(list(classes)),
        source=json.dumps(source),
        clip_ms=float(clip_ms),
        hop_ms=20.0 if clip_ms <= 2000 else 40.0,
        window_ms=30.0 if clip_ms <= 2000 else 64.0,
        noise=json.dumps(noise),
        noise_probability=0.5 if noise else 0.0,
    )
    (folder / "recipe.toml").write_text(text, encoding="utf-8")


STARTER = """\
name = {name}
description = {description}

[data]
classes = {classes}
source = {source}
clip_ms = {clip_ms}

[frontend]
kind = "log_mel"
window_ms = {window_ms}
hop_ms = {hop_ms}
mels = 40
mean = 12.5
std = 7.0

[model]
architecture = "ds-cnn"

[model.options]
kernel = [8, 5]
stride = [2, 4]
dropout = 0.0

[training]
epochs = 40
batch = 32
learning_rate = 2e-3
weight_decay = 0.05
warmup_epochs = 3
label_smoothing = 0.1
average = 0.98
patience = 15

[training.augmentation]
shift_ms = 100.0
speed = 0.1
gain_db = 10.0
equalizer_db = 4.0
noise_folder = {noise}
noise_probability = {noise_probability}
noise_snr_low_db = 0.0
noise_snr_high_db = 30.0
frequency_masks = 2
frequency_mask_features = 7
time_masks = 2
time_mask_frames = 8
mixup = 0.3
"""
