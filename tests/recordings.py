"""A small made-up audio folder: tones as words, one word per class, several speakers."""

from pathlib import Path

import numpy as np
import soundfile

from edgetx.recipe import Data

RATE = 16_000
DATA = Data(classes=("low", "high"), clip_ms=250.0)
SPEAKERS = {"anna": "train", "bert": "train", "carl": "valid", "dora": "test"}


def tone(hz: float, seconds: float = 0.25, seed: int = 0) -> np.ndarray:
    """A tone in noise, in ±1."""
    time = np.arange(round(seconds * RATE)) / RATE
    return 0.3 * np.sin(2 * np.pi * hz * time) + 0.01 * np.random.default_rng(seed).standard_normal(len(time))


def make_recordings(folder: Path, takes: int = 3) -> Path:
    """Write the clips and split.csv."""
    rows = ["path,label,speaker,split"]
    folder.mkdir(parents=True, exist_ok=True)
    for s, (speaker, split) in enumerate(SPEAKERS.items()):
        for label, hz in (("low", 300.0), ("high", 1500.0)):
            for take in range(takes):
                name = f"{label}_{speaker}_{take}.flac"
                soundfile.write(folder / name, tone(hz * (1 + 0.02 * s), seed=100 * s + take), RATE, "PCM_16")
                rows.append(f"{name},{label},{speaker},{split}")
    (folder / "split.csv").write_text("\n".join(rows) + "\n")
    return folder
