"""A data folder of synthetic keywords, other words and silence, split by voice."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from edgetx.audio.clip import Clip, read_folder
from edgetx.data.folder import Row, new_data_folder, write_clip, write_starter_recipe, write_table
from edgetx.data.synth.effects import NOISES, Audio
from edgetx.data.synth.speaker import start_speaker, voice_variants
from edgetx.data.synth.studio import RATE, SILENCE, UNKNOWN, Studio
from edgetx.data.synth.words import OTHER_WORDS, PHRASES
from edgetx.errors import DataError

NOISE = "_noise_"
SHARES = {"train": 0.7, "valid": 0.15, "test": 0.15}
_NOISE_SECONDS = 20


@dataclass(frozen=True)
class Synthesis:
    """What to make.

    Attributes:
        words: The keywords; each becomes a class. A word may consist of several (`hey computer`).
        languages: Languages and accents of the synthesizer; each clip takes one at random.
        clips: Clips of each keyword, over all splits.
        unknown: Clips of other words; twice as many as of one keyword if 0.
        silence: Clips without speech; as many as of one keyword if 0.
        unknown_words: Other words; everyday English if empty.
        noise: Folder of real noise to mix in, besides synthetic noise.
        clip_ms: Length of a clip.
        seed: Seed of everything random.
    """

    words: tuple[str, ...]
    languages: tuple[str, ...] = ("en-us", "en", "en-gb-scotland", "en-gb-x-rp", "en-029")
    clips: int = 400
    unknown: int = 0
    silence: int = 0
    unknown_words: tuple[str, ...] = ()
    noise: Path | None = None
    clip_ms: float = 1000.0
    seed: int = 0


@dataclass(frozen=True)
class _Job:
    """One clip to make."""

    label: str
    split: str
    number: int


def synthesize(
    settings: Synthesis, out: Path, report: Callable[[int, int], None] = lambda done, total: None
) -> list[Row]:
    """Write a data folder: FLAC clips, split.csv, noise for augmentation, and a recipe to train with.

    Every voice speaks in one split only; so does every stretch of noise.

    Args:
        settings: What to make.
        out: The folder to write, or to replace if an earlier command made it.
        report: Called with the clips made and the clips wanted.

    Returns:
        The rows of its split.csv.

    Raises:
        DataError: If a word cannot be spoken within a clip, or a voice or the noise is not there.
        ToolchainError: If the synthesizer is not installed.
    """
    _check_words(settings.words)
    recordings = [] if settings.noise is None else read_folder(settings.noise, RATE)
    voices = split_voices(voice_variants(), settings.seed)
    jobs = list(_jobs(settings))
    origin = {"data": "synth", **asdict(settings), "noise": str(settings.noise or "")}
    with new_data_folder(out, origin) as folder, start_speaker() as speaker:
        studios = {
            split: Studio(
                speaker,
                settings.languages,
                voices[split],
                round(settings.clip_ms * RATE / 1000),
                _other(settings.unknown_words or OTHER_WORDS, settings.words),
                _other(() if settings.unknown_words else PHRASES, settings.words),
                [_stretch(recording, split) for recording in recordings],
                settings.seed,
            )
            for split in SHARES
        }
        rows = []
        for done, job in enumerate(jobs):
            report(done, len(jobs))
            rng = np.random.default_rng([settings.seed, *f"{job.label}/{job.split}/{job.number}".encode()])
            clip, voice, word = studios[job.split].record(job.label, rng)
            path = f"{job.label.replace(' ', '_')}/{job.split}_{job.number:05}.flac"
            write_clip(folder / path, clip, RATE)
            rows.append(Row(path, job.label, job.split, voice, word))
        _write_noise(folder, studios["train"], settings.seed)
        write_table(folder, rows)
        write_starter_recipe(
            folder,
            f"{out.resolve().name}-kws",
            (*settings.words, UNKNOWN, SILENCE),
            description=f"Spots {', '.join(settings.words)}; trained on synthetic speech alone.",
            source="synthetic speech (eSpeak NG) made by `edgetx data synth`; not validated on real speakers",
            clip_ms=settings.clip_ms,
            noise=NOISE,
        )
    return rows


def split_voices(names: Sequence[str], seed: int) -> dict[str, list[str]]:
    """Voice variants of each split, at random; robots stay out."""
    people = [name for name in sorted(names) if "robo" not in name.lower()]
    shuffled = [people[i] for i in np.random.default_rng(seed).permutation(len(people))]
    borders = np.rint(np.cumsum([0.0, *SHARES.values()]) * len(people)).astype(int)
    return {split: shuffled[a:b] for split, a, b in zip(SHARES, borders, borders[1:], strict=False)}


def _jobs(settings: Synthesis) -> Iterator[_Job]:
    counts = dict.fromkeys(settings.words, settings.clips)
    counts |= {UNKNOWN: settings.unknown or 2 * settings.clips, SILENCE: settings.silence or settings.clips}
    for label, count in counts.items():
        held_out = {split: round(SHARES[split] * count) for split in ("valid", "test")}
        for split, size in {"train": count - sum(held_out.values()), **held_out}.items():
            yield from (_Job(label, split, number) for number in range(size))


def _check_words(words: Sequence[str]) -> None:
    if not words:
        raise DataError("no words", where="--words")
    if len(set(words)) < len(words):
        raise DataError("a word is given twice", where="--words")
    for word in words:
        if not word.strip() or not all(part.replace("'", "").isalnum() for part in word.replace("-", " ").split()):
            raise DataError(f"'{word}' is not a word", where="--words", hint="letters and digits; commas between words")


def _other(texts: Sequence[str], words: Sequence[str]) -> list[str]:
    """Texts in which no keyword, or part of one, occurs."""
    parts = {part.lower() for word in words for part in word.split()}
    return [text for text in texts if not parts & set(text.lower().split())]


def _stretch(recording: Clip, split: str) -> Audio:
    """The part of a recording that a split may hear."""
    borders = dict(zip(SHARES, np.cumsum([0.0, *SHARES.values()]), strict=False))
    start = int(borders[split] * len(recording))
    return recording[start : start + int(SHARES[split] * len(recording))].astype(np.float64)


def _write_noise(folder: Path, studio: Studio, seed: int) -> None:
    """Noise for augmentation while training."""
    rng = np.random.default_rng([seed, 1])
    made = {name: make(rng, _NOISE_SECONDS * RATE, RATE) for name, make in NOISES.items()}
    recorded = {f"recorded_{i}": noise for i, noise in enumerate(studio.recordings)}
    for name, noise in {**made, **recorded}.items():
        level = 3000.0 / max(1e-9, float(np.sqrt((noise**2).mean())))
        clip = np.clip(np.rint(noise * level), -32768, 32767).astype(np.int16)
        write_clip(folder / NOISE / f"{name}.flac", clip, RATE)
