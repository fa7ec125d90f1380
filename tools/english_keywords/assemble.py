"""A data folder of English keywords: synthetic and real speech in many voices and places, checked by a teacher."""

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from dry import RATE, read_dry
from scenes import Scenes, placed, samples
from voices import Audio, another_speaker

from edgetx.audio.clip import Clip, fit_length, read_clip, read_folder
from edgetx.audio.dataset import read_rows
from edgetx.compress.teacher import Teacher, load_teacher
from edgetx.data.folder import Row, new_data_folder, write_clip, write_table
from edgetx.recipe import Recipe, load_recipe

SCENES = 2  # of each dry word
VOICES = {True: 40, False: 8}  # out of each real clip: of commands, and of other words
FORMS = 6  # of each real clip that validates
SPLICES = 15_000  # pieces of foreign speech that the teacher hears
KEPT = {"_unknown_": 2500}  # of them, by what it hears
KEPT_OF_A_COMMAND = 800
SILENCES = {"train": 900, "valid": 40}
UNKNOWN, SILENCE = "_unknown_", "_silence_"


class Assembly:
    """Makes the clips of all sources.

    Args:
        sources: The command's arguments: where everything is.
        recipe: Whose classes and teacher are meant.
    """

    def __init__(self, sources: argparse.Namespace, recipe: Recipe) -> None:
        self.sources, self.classes = sources, recipe.data.classes
        self.rng = np.random.default_rng(0)
        self.scenes = Scenes([noise.astype(float) for noise in read_folder(sources.noise, RATE)], self.rng)
        self.teacher: Teacher = load_teacher(str(sources.teacher), recipe)

    def clips(self) -> Iterator[tuple[Clip, Row]]:
        """All clips and their rows, without paths."""
        for split, count in SILENCES.items():
            yield from ((self._silence(), Row("", SILENCE, split)) for _ in range(count))
        yield from self._synthetic()
        yield from self._formants()
        yield from self._real()
        yield from self._foreign()
        for row in read_rows(self.sources.test):
            yield read_clip(self.sources.test / row["path"], RATE), Row("", row["label"], "test")

    def _silence(self) -> Clip:
        return samples(self.scenes.noise(self.rng.uniform(-80, -10)))

    def _synthetic(self) -> Iterator[tuple[Clip, Row]]:
        """Dry words that the teacher understands."""
        for word, dry in read_dry(self.sources.dry):
            label = self._label(word)
            for _ in range(SCENES):
                spoken = another_speaker(dry, self.rng) if self.rng.random() < 0.6 else dry
                if self._understood(spoken, label):
                    yield self.scenes.word(spoken), Row("", label, "train", "", word)

    def _formants(self) -> Iterator[tuple[Clip, Row]]:
        """Clips of eSpeak NG that the teacher understands."""
        for row in read_rows(self.sources.espeak):
            clip = read_clip(self.sources.espeak / row["path"], RATE)
            if row["label"] != SILENCE and self._hears(clip) == row["label"]:
                yield clip, Row("", row["label"], "train", "", row["word"])

    def _real(self) -> Iterator[tuple[Clip, Row]]:
        """Real clips, and further voices out of them."""
        for row in read_rows(self.sources.sample):
            label, audio = self._label(row["label"]), read_clip(self.sources.sample / row["path"], RATE).astype(float)
            made = Row("", label, row["split"], row["speaker"], row["label"])
            if row["split"] == "test":
                continue
            yield fit_length(audio.astype(np.int16), RATE, "centre"), made
            for _ in range(VOICES[label != UNKNOWN] if row["split"] == "train" else FORMS):
                spoken = another_speaker(audio, self.rng)[:RATE]
                if self._understood(spoken, label):
                    yield self.scenes.recording(spoken), made

    def _foreign(self) -> Iterator[tuple[Clip, Row]]:
        """Real speech in another language, whole and spliced, as what the teacher takes it for."""
        rows = [row for row in read_rows(self.sources.foreign) if row["split"] == "train"]
        words = [read_clip(self.sources.foreign / row["path"], RATE).astype(float) for row in rows]
        kept: Counter[str] = Counter()
        for _ in range(SPLICES):
            first, second = (words[self.rng.integers(len(words))] for _ in range(2))
            audio = first if self.rng.random() < 0.4 else splice(first, second, self.rng)
            audio = another_speaker(audio, self.rng)[:RATE] if self.rng.random() < 0.7 else audio
            clip = self.scenes.recording(audio)
            label = self._hears(clip)
            if label != SILENCE and kept[label] < KEPT.get(label, KEPT_OF_A_COMMAND):
                kept[label] += 1
                yield clip, Row("", label, "train")

    def _label(self, word: str) -> str:
        return word if word in self.classes else UNKNOWN

    def _understood(self, audio: Audio, label: str) -> bool:
        return self._hears(samples(placed(audio, (RATE - len(audio)) // 2))) == label

    def _hears(self, clip: Clip) -> str:
        return self.classes[int(self.teacher.logits(clip[None]).argmax())]


def splice(first: Audio, second: Audio, rng: np.random.Generator) -> Audio:
    """The beginning of one clip and the end of another, with 20 ms of both between them."""
    middle, fade = int(rng.integers(RATE // 4, 3 * RATE // 4)), RATE // 50
    rising = np.clip((np.arange(RATE) - middle) / fade, 0, 1)
    return np.asarray(first[:RATE] * (1 - rising) + second[:RATE] * rising)


def main() -> None:
    """Write the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("dry", "espeak", "sample", "foreign", "noise", "test", "teacher"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("-o", "--out", type=Path, required=True)
    arguments = parser.parse_args()
    with new_data_folder(arguments.out, {"data": "english keywords"}) as folder:
        rows = []
        for number, (clip, row) in enumerate(Assembly(arguments, load_recipe("kws-english-micro")).clips()):
            path = f"{row.label}/{row.split}_{number:05}.flac"
            write_clip(folder / path, clip, RATE)
            rows.append(Row(path, row.label, row.split, row.speaker, row.word))
        for source in (arguments.espeak / "_noise_", arguments.noise):
            for file in sorted(f for f in source.iterdir() if f.suffix in (".flac", ".wav")):
                write_clip(folder / "_noise_" / f"{file.stem}.flac", read_clip(file, RATE), RATE)
        write_table(folder, rows)


if __name__ == "__main__":
    main()
