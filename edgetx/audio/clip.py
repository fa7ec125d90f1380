"""Reading one recording."""

from pathlib import Path

import numpy as np
import soundfile

from edgetx.errors import DataError

Clip = np.ndarray[tuple[int], np.dtype[np.int16]]
SUFFIXES = (".flac", ".wav")
"""Of recordings."""


def read_clip(path: Path, sample_rate_hz: int) -> Clip:
    """Read a mono WAV or FLAC file as 16-bit samples.

    Raises:
        DataError: If the file is missing, damaged, cut short, empty, not mono or of another rate.
    """
    if not path.is_file():
        raise DataError("no such audio file", where=str(path))
    try:
        with soundfile.SoundFile(path) as file:
            rate, channels, promised = file.samplerate, file.channels, file.frames
            audio = file.read(dtype="float32", always_2d=True)
    except soundfile.SoundFileError as problem:
        raise DataError(f"not readable as audio: {problem}", where=str(path)) from problem
    if rate != sample_rate_hz:
        hint = f"convert it: sox {path.name} -r {sample_rate_hz} out.wav"
        raise DataError(f"sampled at {rate} Hz, {sample_rate_hz} Hz expected", where=str(path), hint=hint)
    if channels != 1:
        raise DataError(f"{channels} channels, mono expected", where=str(path))
    if len(audio) < promised:
        raise DataError(f"cut short: {len(audio)} of {promised} samples", where=str(path))
    if len(audio) == 0:
        raise DataError("no samples", where=str(path))
    if not np.isfinite(audio).all():
        raise DataError("samples that are not numbers", where=str(path))
    return to_int16(audio[:, 0])


def read_folder(folder: Path, sample_rate_hz: int, hint: str = "") -> list[Clip]:
    """Read all recordings of a folder, in the order of their names.

    Args:
        folder: Where they are; folders below it are not looked into.
        sample_rate_hz: Their rate.
        hint: What to do if there are none.

    Raises:
        DataError: If there are none, or one cannot be read.
    """
    files = sorted(path for path in folder.glob("*") if path.suffix in SUFFIXES)
    if not files:
        raise DataError("no .wav or .flac recordings", where=str(folder), hint=hint)
    return [read_clip(file, sample_rate_hz) for file in files]


def to_int16(audio: np.ndarray[tuple[int], np.dtype[np.float32]]) -> Clip:
    """Samples in ±1 as 16-bit integers; the inverse of how 16-bit files are read."""
    return np.clip(np.rint(audio * 32768), -32768, 32767).astype(np.int16)


def fit_length(clip: Clip, length: int, placement: str) -> Clip:
    """Pad with zeros or cut to `length`, keeping the start or the centre of the clip in place."""
    spare = length - len(clip)
    before = spare // 2 if placement == "centre" else 0
    if spare < 0:
        return clip[-before : -before + length]
    return np.pad(clip, (before, spare - before))
