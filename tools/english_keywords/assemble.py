"""A data folder of English keywords from synthetic speech, real clips and noise."""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.signal import resample_poly

from edgetx.audio.clip import Clip, fit_length, read_clip
from edgetx.audio.dataset import read_table
from edgetx.data.folder import Row, new_data_folder, write_clip, write_table
from edgetx.data.synth.effects import NOISES, Audio, at_level, microphone, reverberate
from edgetx.recipe import Data, load_recipe

RATE = 16_000
SCENES = 2  # of each dry clip
SILENCES = {"train": 350, "valid": 50}
COPIES = {True: 4, False: 2}  # of real training clips: of commands, and of other words
UNKNOWN, SILENCE = "_unknown_", "_silence_"


class Scenes:
    """Puts dry speech into rooms, in front of microphones and into noise."""

    def __init__(self, noise: Path, rng: np.random.Generator) -> None:
        files = sorted(f for f in noise.iterdir() if f.suffix in (".flac", ".wav"))
        self.recordings = [read_clip(f, RATE).astype(float) for f in files]
        self.rng = rng

    def noise(self, decibels: float) -> Audio:
        """A second of noise: half of it synthetic, half recorded."""
        if self.rng.random() < 0.5:
            kinds = list(NOISES.values())
            return at_level(kinds[self.rng.integers(len(kinds))](self.rng, RATE, RATE), decibels)
        recording = self.recordings[self.rng.integers(len(self.recordings))]
        start = self.rng.integers(len(recording) - RATE + 1)
        return at_level(recording[start : start + RATE], decibels)

    def speech(self, dry: Clip) -> Clip:
        """A second with the word somewhere in it; the resampling varies the length of the vocal tract."""
        rng = self.rng
        dry = resample_poly(dry.astype(float), int(rng.integers(290, 352)), 320)[:RATE]
        start = rng.integers(RATE - len(dry) + 1)
        audio = np.pad(dry, (start, RATE - len(dry) - start))
        if rng.random() < 0.5:
            audio = reverberate(audio, rng, RATE)[:RATE]
        if rng.random() < 0.8:
            audio = microphone(audio, rng, RATE)
        level = rng.uniform(-38, -12)
        return finished(at_level(audio, level) + self.noise(level - rng.uniform(3, 40)))


def finished(audio: Audio) -> Clip:
    """16-bit samples, quieter where they would clip."""
    return np.rint(audio * min(1.0, 32_000 / max(1e-9, float(np.abs(audio).max())))).astype(np.int16)


def clips(a: argparse.Namespace, data: Data) -> Iterator[tuple[Clip, Row]]:
    """All clips and their rows, without paths."""
    commands, scenes = set(data.classes) - {UNKNOWN, SILENCE}, Scenes(a.noise, np.random.default_rng(0))

    def label(word: str) -> str:
        return word if word in commands else UNKNOWN

    for row in read_table(a.espeak, data):
        split = "valid" if row["split"] == "valid" else "train"
        yield read_clip(a.espeak / row["path"], RATE), Row("", row["label"], split, "", "")
    for shard in sorted(a.kokoro.glob("*.npz")):
        with np.load(shard) as made:
            for dry, word in zip(np.split(made["x"], np.cumsum(made["n"])[:-1]), made["y"], strict=True):
                for _ in range(SCENES):
                    yield scenes.speech(dry), Row("", label(str(word)), "train", "", str(word))
    for split, count in SILENCES.items():
        for _ in range(count):
            yield finished(scenes.noise(scenes.rng.uniform(-80, -12))), Row("", SILENCE, split, "", "")
    words = Data(tuple(sorted(f.name for f in a.sample.iterdir() if f.is_dir())))
    for row in read_table(a.sample, words):
        clip = fit_length(read_clip(a.sample / row["path"], RATE), RATE, data.placement)
        copies = {"train": COPIES[row["label"] in commands], "valid": 1}.get(row["split"], 0)
        for _ in range(copies):
            yield clip, Row("", label(row["label"]), row["split"], "", row["label"])
    for row in read_table(a.test, data):
        yield read_clip(a.test / row["path"], RATE), Row("", row["label"], "test", "", "")


def main() -> None:
    """Write the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("espeak", "kokoro", "noise", "sample", "test"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("-o", "--out", type=Path, required=True)
    arguments = parser.parse_args()
    data = load_recipe("kws-english-micro").data
    with new_data_folder(arguments.out, {"data": "english keywords"}) as folder:
        rows = []
        for number, (clip, row) in enumerate(clips(arguments, data)):
            path = f"{row.label}/{row.split}_{number:05}.flac"
            write_clip(folder / path, clip, RATE)
            rows.append(Row(path, row.label, row.split, row.speaker, row.word))
        for source in (arguments.espeak / "_noise_", arguments.noise):
            for file in sorted(f for f in source.iterdir() if f.suffix in (".flac", ".wav")):
                write_clip(folder / "_noise_" / f"{file.stem}.flac", read_clip(file, RATE), RATE)
        write_table(folder, rows)


if __name__ == "__main__":
    main()
