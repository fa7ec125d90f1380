"""Dry clips: spoken words without silence around them, in .npz files."""

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
_PEAK = 22_900.0
_QUIET = 0.02  # of the peak; silence before and after
_MARGINS = 480, 960  # samples kept of it


def argument_parser(description: str | None, *, voices: bool = False) -> argparse.ArgumentParser:
    """The options of every speaker."""
    parser = argparse.ArgumentParser(description=description)
    if voices:
        parser.add_argument("--voices", type=Path, required=True)
    parser.add_argument("--clips", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--out", type=Path, required=True)
    return parser


def write_dry(out: Path, name: str, spoken: Iterable[tuple[str, NDArray[np.float64]]]) -> None:
    """Write words and their audio at 16 kHz as `y`, and `x` end to end with lengths `n`; what is too long stays out."""
    kept = [(word, _trimmed(audio)) for word, audio in spoken]
    kept = [(word, audio) for word, audio in kept if 0 < len(audio) <= RATE]
    clips = [np.rint(audio / np.abs(audio).max() * _PEAK).astype(np.int16) for _, audio in kept]
    out.mkdir(parents=True, exist_ok=True)
    words, lengths = [word for word, _ in kept], [len(clip) for clip in clips]
    np.savez(out / f"{name}.npz", x=np.concatenate(clips), n=lengths, y=words)


def read_dry(folder: Path) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """All words and their audio in a folder, file by file."""
    for file in sorted(folder.glob("*.npz")):
        with np.load(file) as made:
            x, n, words = made["x"].astype(float), made["n"], made["y"]
        yield from zip(map(str, words), np.split(x, np.cumsum(n)[:-1]), strict=True)


def _trimmed(audio: NDArray[np.float64]) -> NDArray[np.float64]:
    heard = np.flatnonzero(np.abs(audio) > _QUIET * np.abs(audio).max(initial=0))
    return audio[max(0, heard[0] - _MARGINS[0]) : heard[-1] + _MARGINS[1]] if len(heard) else audio[:0]
