"""`edgetx data`: make, fetch and check data sets."""

import dataclasses
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgetx.cli.options import json_option, quiet_option, stages
from edgetx.errors import ExitCode

if TYPE_CHECKING:
    from edgetx.data.folder import Row

SETS = ("speech-commands-12", "speech-commands-35", "esc-10", "esc-50")


@click.group("data", short_help="Make, fetch and check data sets.")
def command() -> None:
    """Make, fetch and check data sets: folders of audio with a split.csv.

    \b
    edgetx data synth --words "lights on,lights off" -o build/lights
    edgetx data get speech-commands-12 -o build/speech-commands
    edgetx data check recordings
    """


@command.command("get", short_help="Download a public data set, with its official splits.")
@click.argument("name", type=click.Choice(SETS))
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Folder to write [default: build/NAME].")
@click.option("--mirror", default="", help="Folder or address that holds the archives.")
@click.option("--fold", type=click.IntRange(1, 5), default=1, show_default=True, help="Test fold of ESC.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the unknown words and of silence.")
@json_option
@quiet_option
def get(name: str, out: Path | None, mirror: str, fold: int, seed: int, as_json: bool, quiet: bool) -> None:
    """Download the data set NAME, check it, and write a folder ready for training.

    Archives are kept in the cache (EDGETX_CACHE). The folder holds a recipe to start from:

    \b
    edgetx data get esc-10 -o build/esc-10
    edgetx train build/esc-10 --data build/esc-10 --folds
    """
    out = out or Path("build") / name
    family, _, classes = name.rpartition("-")
    with stages(quiet) as progress:
        progress(f"{name}: downloading and unpacking")
        if family == "esc":
            from edgetx.data import esc

            rows = esc.prepare(out, int(classes), fold, mirror)
        else:
            from edgetx.data import speech_commands

            rows = speech_commands.prepare(out, int(classes), seed, mirror)
    _tell(out, rows, as_json)


@command.command("synth", short_help="Make synthetic recordings of your own keywords.")
@click.option("--words", required=True, help="Keywords, separated by commas.")
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="Folder to write.")
@click.option("--clips", type=click.IntRange(min=20), default=400, show_default=True, help="Clips of each word.")
@click.option("--languages", default="", help="Languages and accents, as in de,en-us [default: five of English].")
@click.option("--unknown", default="", help="Other words, separated by commas [default: 400 of English].")
@click.option("--noise", type=click.Path(path_type=Path), help="Folder of real noise to mix in.")
@click.option("--clip-ms", type=click.FloatRange(500, 5000), default=1000, show_default=True, help="Length of a clip.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of everything random.")
@json_option
@quiet_option
def synth(
    words: str,
    out: Path,
    clips: int,
    languages: str,
    unknown: str,
    noise: Path | None,
    clip_ms: float,
    seed: int,
    as_json: bool,
    quiet: bool,
) -> None:
    """Make recordings of WORDS with a speech synthesizer: many voices, paces, rooms and noises.

    Other words and silence are classes of their own; no voice speaks in two splits. Two commands make a spotter:

    \b
    edgetx data synth --words "yes,no" -o build/words
    edgetx train build/words --data build/words -o build/spotter

    Needs the package espeakng-loader (eSpeak NG, GPL 3), which runs as a process of its own. Synthetic speech is not
    real speech: check the result on recordings of people before you rely on it.
    """
    from rich.console import Console
    from rich.progress import Progress

    from edgetx.data.synth import Synthesis, synthesize

    settings = Synthesis(
        _list(words),
        _list(languages) or Synthesis.languages,
        clips,
        unknown_words=_list(unknown),
        noise=noise,
        clip_ms=clip_ms,
        seed=seed,
    )
    console = Console(stderr=True)
    with Progress(console=console, disable=quiet or not console.is_terminal) as progress:
        task = progress.add_task("speaking", total=None)
        rows = synthesize(settings, out, lambda done, total: progress.update(task, completed=done, total=total))
    _tell(out, rows, as_json)


@command.command("stream", short_help="Make a long recording with known contents.")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="Recording to write: .flac or .wav.")
@click.option("--minutes", type=click.FloatRange(0.1, 600), default=10, show_default=True, help="Length.")
@click.option("--split", default="test", show_default=True, help="Split whose clips are used.")
@click.option("--noise", type=click.Path(path_type=Path), help="Folder of noise [default: white noise].")
@click.option("--snr-db", type=float, default=15, show_default=True, help="Level of clips above the noise.")
@click.option("--rate", type=click.IntRange(8000, 48_000), default=16_000, show_default=True, help="Sample rate, Hz.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the order, the pauses and the noise.")
def stream(
    folder: Path, out: Path, minutes: float, split: str, noise: Path | None, snr_db: float, rate: int, seed: int
) -> None:
    """Put the clips of FOLDER one after another over continuous noise, and write what is where beside it.

    The CSV beside the recording holds start_s, end_s, label, speaker and path. For `edgetx evaluate --stream`:

    \b
    edgetx data stream recordings -o build/stream.flac --minutes 30 --noise noises
    edgetx evaluate build/demo --data recordings --report build/report --stream build/stream.flac
    """
    from edgetx.audio.clip import SUFFIXES
    from edgetx.data.folder import write_clip
    from edgetx.data.stream import Mix, stream_of_folder, write_events

    if out.suffix not in SUFFIXES:
        raise click.UsageError("the recording ends in .flac or .wav")
    audio, placed = stream_of_folder(folder, split, noise, 60 * minutes, rate, Mix(snr_db=snr_db, seed=seed))
    write_clip(out, audio, rate)
    write_events(out.with_suffix(".csv"), placed, rate)
    click.echo(f"{out}: {len(placed)} clips in {minutes:g} minutes, {out.with_suffix('.csv').name} beside it")


@command.command("check", short_help="Look for what is wrong with a data set.")
@click.argument("folder", type=click.Path(path_type=Path))
@json_option
@quiet_option
@click.pass_context
def check(context: click.Context, folder: Path, as_json: bool, quiet: bool) -> None:
    """Read every clip of FOLDER and report what spoils training or flatters its result.

    Damaged or missing audio, sample rates, lengths, clipping, silence, recordings that occur again (also louder,
    shifted or encoded anew), speakers in more than one split, and classes out of balance. Exit code 1 on errors.
    """
    from rich.console import Console
    from rich.progress import Progress

    from edgetx.cli.tables import print_data_report
    from edgetx.data.check import check_folder

    console = Console(stderr=True)
    with Progress(console=console, disable=quiet or not console.is_terminal, transient=True) as progress:
        task = progress.add_task("reading", total=None)
        report = check_folder(folder, lambda done, total: progress.update(task, completed=done, total=total))
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(report)))
    else:
        print_data_report(report)
    if report.has_errors:
        context.exit(ExitCode.MODEL)


def _list(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _tell(out: Path, rows: "Sequence[Row]", as_json: bool) -> None:
    counts = Counter(row.split for row in rows)
    labels = sorted({row.label for row in rows})
    if as_json:
        click.echo(json.dumps({"folder": str(out), "clips": dict(counts), "classes": labels}))
    else:
        shares = ", ".join(f"{counts[split]} {split}" for split in ("train", "valid", "test"))
        click.echo(f"{out}: {len(rows)} clips of {len(labels)} classes ({shares}), split.csv and recipe.toml")
        click.echo(f"next: edgetx train {out} --data {out} -o {out}-model")
