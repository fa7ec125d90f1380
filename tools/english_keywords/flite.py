"""Dry clips of English words by Flite's voices (Carnegie Mellon University; free licence; Debian package `flite`)."""

import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile
from dry import RATE, argument_parser, write_dry
from numpy.typing import NDArray
from words import random_words

VOICES = {"slt": 170, "rms": 100, "awb": 125, "kal16": 105}
"""Those of 16 kHz, with their usual pitch in Hz."""


def say(word: str, rng: np.random.Generator, folder: Path) -> NDArray[np.float64]:
    """One word by a random voice, pace and pitch."""
    voice, file = str(rng.choice(list(VOICES))), folder / "spoken.wav"
    settings = {
        "duration_stretch": rng.uniform(0.75, 1.5),
        "int_f0_target_mean": VOICES[voice] * rng.uniform(0.75, 1.35),
        "int_f0_target_stddev": rng.uniform(5, 40),
    }
    options = [text for key, value in settings.items() for text in ("--setf", f"{key}={value:.3f}")]
    subprocess.run(["flite", "-voice", voice, *options, "-t", word, "-o", str(file)], check=True)
    audio, rate = soundfile.read(file)
    assert rate == RATE, f"{voice} speaks at {rate} Hz"
    return np.asarray(audio)


def main() -> None:
    """Write the clips of a seed."""
    arguments = argument_parser(__doc__).parse_args()
    rng = np.random.default_rng(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        words = random_words(arguments.clips, rng)
        write_dry(arguments.out, f"flite-{arguments.seed}", ((word, say(word, rng, Path(folder))) for word, _ in words))


if __name__ == "__main__":
    main()
