"""What is wrong with a data folder: format, levels, duplicates, leakage between splits, balance."""

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

from edgetx.audio.clip import Clip, read_clip
from edgetx.audio.dataset import SPLITS, read_rows
from edgetx.data.duplicates import Fingerprint, fingerprint, near_duplicates
from edgetx.errors import DataError

ERROR, WARNING = "error", "warning"
CLIPPED_SHARE = 1e-3
"""Share of samples at full scale above which a clip counts as clipped."""
SILENT_DB = -70.0
"""Level of the loudest 10 ms, in dB below full scale, under which a clip counts as silent."""
IMBALANCE = 5.0
"""Ratio of the clips of the largest class to those of the smallest, above which a warning stands."""
SILENT_LABELS = ("_silence_", "silence", "_background_noise_")


@dataclass(frozen=True)
class Finding:
    """One kind of problem.

    Attributes:
        severity: `error` if it spoils training or flatters the result, else `warning`.
        kind: What it is, in a word or two.
        text: What it is, in a sentence.
        clips: Where it shows.
    """

    severity: str
    kind: str
    text: str
    clips: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Report:
    """What a data folder holds and what is wrong with it.

    Attributes:
        folder: The folder.
        clips: Rows of the table.
        hours: Length of all audio that could be read.
        rates: Clips by sample rate.
        seconds: Shortest, median and longest clip.
        classes: Clips by class and split.
        speakers: Speakers by split; empty if the table names none.
        findings: Problems, errors first.
    """

    folder: str
    clips: int
    hours: float
    rates: dict[int, int]
    seconds: tuple[float, float, float]
    classes: dict[str, dict[str, int]]
    speakers: dict[str, int]
    findings: list[Finding]

    @property
    def has_errors(self) -> bool:
        """Whether any finding is an error."""
        return any(finding.severity == ERROR for finding in self.findings)


@dataclass
class _Clip:
    """One row with what its audio showed."""

    path: str
    label: str
    split: str
    speaker: str
    problem: str = ""
    rate: int = 0
    seconds: float = 0.0
    is_clipped: bool = False
    is_silent: bool = False
    digest: str = ""
    fingerprint: Fingerprint | None = None


def check_folder(folder: Path, report: Callable[[int, int], None] = lambda done, total: None) -> Report:
    """Read every clip of a data folder and look for problems.

    Args:
        folder: A folder of audio with a split CSV.
        report: Called with the clips read and the clips listed.

    Raises:
        DataError: If there is no table, or it lacks a column.
    """
    rows = read_rows(folder)
    clips = []
    for done, row in enumerate(rows):
        report(done, len(rows))
        clips.append(_examine(folder, row))
    findings = [*_table_findings(clips), *_audio_findings(clips), *_leaks(clips)]
    findings.sort(key=lambda finding: finding.severity != ERROR)
    good = [clip for clip in clips if not clip.problem]
    seconds = sorted(clip.seconds for clip in good) or [0.0]
    return Report(
        str(folder),
        len(clips),
        sum(seconds) / 3600,
        dict(Counter(clip.rate for clip in good)),
        (seconds[0], seconds[len(seconds) // 2], seconds[-1]),
        _class_counts(clips),
        _speaker_counts(clips),
        findings,
    )


def _examine(folder: Path, row: Mapping[str, str]) -> _Clip:
    clip = _Clip(row["path"], row["label"], row["split"], row.get("speaker") or "")
    path = folder / row["path"]
    try:
        clip.rate = soundfile.info(path).samplerate if path.is_file() else 0
        audio = read_clip(path, clip.rate)
    except soundfile.SoundFileError:
        clip.problem = "not readable as audio"
    except DataError as problem:
        clip.problem = problem.what
    else:
        _measure(clip, audio)
    return clip


def _measure(clip: _Clip, audio: Clip) -> None:
    clip.seconds = len(audio) / clip.rate
    clip.is_clipped = bool(np.mean((audio == 32767) | (audio == -32768)) > CLIPPED_SHARE)
    clip.is_silent = _loudest(audio, clip.rate) < SILENT_DB
    clip.digest = hashlib.sha256(audio.tobytes()).hexdigest()
    if not clip.is_silent:
        clip.fingerprint = fingerprint(audio, clip.rate)


def _loudest(audio: Clip, rate: int) -> float:
    """Level of the loudest 10 ms in dB below full scale."""
    frame = max(1, rate // 100)
    padded = np.pad(audio.astype(np.float64), (0, -len(audio) % frame)).reshape(-1, frame)
    rms = float(np.sqrt((padded**2).mean(axis=1).max()))
    return 20 * math.log10(max(rms, 1e-3) / 32768)


def _table_findings(clips: Sequence[_Clip]) -> Iterator[Finding]:
    if strange := [clip.path for clip in clips if clip.split not in SPLITS]:
        yield Finding(ERROR, "split", f"splits other than {', '.join(SPLITS)}", strange)
    twice = [path for path, count in Counter(clip.path for clip in clips).items() if count > 1]
    if twice:
        yield Finding(ERROR, "listed twice", "clips are listed more than once", twice)
    counts = _class_counts(clips)
    present = [split for split in SPLITS if any(clip.split == split for clip in clips)]
    for split in present:
        if missing := [label for label, by_split in counts.items() if not by_split[split]]:
            severity = ERROR if split == "train" else WARNING
            yield Finding(severity, "empty class", f"no clips in split '{split}' of: {', '.join(missing)}")
    totals = {label: by_split["train"] or sum(by_split.values()) for label, by_split in counts.items()}
    largest, smallest = max(totals, key=totals.__getitem__), min(totals, key=totals.__getitem__)
    if totals[largest] > IMBALANCE * totals[smallest]:
        text = f"'{largest}' has {totals[largest]} clips, '{smallest}' {totals[smallest]}"
        yield Finding(WARNING, "class balance", text)
    if not _has_speakers(clips):
        text = "the table names no speakers: nothing says whether a test speaker was heard in training"
        yield Finding(WARNING, "speakers unknown", text)


def _audio_findings(clips: Sequence[_Clip]) -> Iterator[Finding]:
    for problem, count in Counter(clip.problem for clip in clips if clip.problem).items():
        where = [clip.path for clip in clips if clip.problem == problem]
        yield Finding(ERROR, "unreadable", f"{problem} ({count} clips)", where)
    good = [clip for clip in clips if not clip.problem]
    rates = Counter(clip.rate for clip in good)
    if len(rates) > 1:
        usual = rates.most_common(1)[0][0]
        odd = [clip.path for clip in good if clip.rate != usual]
        yield Finding(ERROR, "sample rate", f"{len(odd)} clips are not sampled at {usual} Hz as the others are", odd)
    if clipped := [clip.path for clip in good if clip.is_clipped]:
        yield Finding(WARNING, "clipping", f"{len(clipped)} clips reach full scale too often", clipped)
    silent = [clip.path for clip in good if clip.is_silent and clip.label not in SILENT_LABELS]
    if silent:
        text = f"{len(silent)} clips of classes other than silence have nothing above {SILENT_DB:g} dB"
        yield Finding(WARNING, "silence", text, silent)
    seconds = np.array([clip.seconds for clip in good])
    if len(seconds) and (short := [c.path for c in good if c.seconds < 0.25 * np.median(seconds)]):
        yield Finding(WARNING, "length", f"{len(short)} clips are shorter than a quarter of the median", short)


def _leaks(clips: Sequence[_Clip]) -> Iterator[Finding]:
    splits = defaultdict(set)
    for clip in clips:
        if clip.speaker:
            splits[clip.speaker].add(clip.split)
    if shared := sorted(speaker for speaker, where in splits.items() if len(where) > 1):
        text = f"{len(shared)} speakers are in more than one split: {', '.join(shared[:5])}{' …' * (len(shared) > 5)}"
        yield Finding(ERROR, "speaker leakage", text, [clip.path for clip in clips if clip.speaker in shared])
    yield from _same_audio(clips)
    heard = [clip for clip in clips if clip.fingerprint]
    pairs = near_duplicates([clip.fingerprint for clip in heard if clip.fingerprint])
    pairs = [(a, b) for a, b in pairs if heard[a].digest != heard[b].digest]
    across = [(a, b) for a, b in pairs if heard[a].split != heard[b].split]
    speech = [(a, b) for a, b in pairs if heard[a].label not in SILENT_LABELS]
    within = [(a, b) for a, b in speech if heard[a].split == heard[b].split]
    if across:
        text = f"{len(across)} pairs in different splits are the same recording, changed"
        yield Finding(ERROR, "near duplicates across splits", text, [_pair(heard[a], heard[b]) for a, b in across])
    if within:
        text = f"{len(within)} pairs within a split are the same recording, changed"
        yield Finding(WARNING, "near duplicates", text, [_pair(heard[a], heard[b]) for a, b in within])


def _same_audio(clips: Sequence[_Clip]) -> Iterator[Finding]:
    groups = defaultdict(list)
    for clip in clips:
        if clip.digest and not clip.is_silent:
            groups[clip.digest].append(clip)
    same = [group for group in groups.values() if len(group) > 1]
    across = [group for group in same if len({clip.split for clip in group}) > 1]
    relabelled = [group for group in same if len({clip.label for clip in group}) > 1]
    within = [group for group in same if group not in across]
    for severity, kind, text, found in (
        (ERROR, "duplicates across splits", "recordings occur in more than one split", across),
        (ERROR, "label conflict", "recordings occur under more than one label", relabelled),
        (WARNING, "duplicates", "recordings occur more than once within a split", within),
    ):
        if found:
            yield Finding(severity, kind, f"{len(found)} {text}", [_names(group) for group in found])


def _names(group: Sequence[_Clip]) -> str:
    return " = ".join(f"{clip.path} ({clip.split})" for clip in group)


def _pair(a: _Clip, b: _Clip) -> str:
    return f"{a.path} ({a.split}) ≈ {b.path} ({b.split})"


def _class_counts(clips: Sequence[_Clip]) -> dict[str, dict[str, int]]:
    labels = sorted({clip.label for clip in clips})
    counts = Counter((clip.label, clip.split) for clip in clips)
    return {label: {split: counts[label, split] for split in SPLITS} for label in labels}


def _speaker_counts(clips: Sequence[_Clip]) -> dict[str, int]:
    if not _has_speakers(clips):
        return {}
    return {split: len({c.speaker for c in clips if c.split == split and c.speaker}) for split in SPLITS}


def _has_speakers(clips: Sequence[_Clip]) -> bool:
    return any(clip.speaker for clip in clips)
