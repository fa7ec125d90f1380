"""`edgetx listen`: a compiled model on continuous audio."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgetx.cli.options import json_option

if TYPE_CHECKING:
    from edgetx.compiler.listening import Listener, Samples

_MIC_SECONDS = 0.2


@click.command("listen", short_help="Show what a model detects in a recording, or at the microphone.")
@click.argument("artifact", type=click.Path(path_type=Path))
@click.option("--wav", type=click.Path(path_type=Path), help="A recording: WAV or FLAC, mono, at the model's rate.")
@click.option("--mic", is_flag=True, help="Listen to this machine's microphone until Ctrl-C.")
@click.option("--threshold", type=float, help="Average posterior that makes an event [default: as it was compiled].")
@click.option("--png", type=click.Path(path_type=Path), help="Write waveform and spectrogram with the detections.")
@click.option("--runtime", default="c", show_default=True, help="Where the model runs.")
@json_option
def command(
    artifact: Path, wav: Path | None, mic: bool, threshold: float | None, png: Path | None, runtime: str, as_json: bool
) -> None:
    """Run ARTIFACT, a folder compiled from a recipe, on continuous audio, as the keyword spotter's firmware does.

    \b
    edgetx listen build/demo --wav kitchen.wav --png kitchen.png
    """
    from edgetx.compiler import load_artifact
    from edgetx.compiler.listening import make_listener

    if (wav is None) == (not mic):
        raise click.UsageError("give either --wav F or --mic")
    listener = make_listener(load_artifact(artifact), threshold)
    if wav is None:
        _live(listener, runtime)
    else:
        _recording(listener, wav, png, runtime, as_json)


def _recording(listener: "Listener", wav: Path, png: Path | None, runtime: str, as_json: bool) -> None:
    import numpy as np

    from edgetx.audio.clip import read_clip
    from edgetx.audio.picture import text_picture
    from edgetx.compiler.listening import in_chunks, listen, rows_of
    from edgetx.output import explained

    rate, hop = listener.recipe.data.sample_rate_hz, listener.recipe.frontend.hop_ms / 1000
    audio = read_clip(wav, rate)
    found = list(listen(listener, in_chunks(audio, rate), runtime))
    empty = np.zeros((0, listener.recipe.frontend.features), np.int8)
    rows = np.concatenate([empty, *rows_of(listener, in_chunks(audio, rate))])
    marks = [(round(d.seconds / hop) - 1, d.label) for d in found]
    if png and len(rows):
        from edgetx.audio.plots import plot_detections

        with explained(png, OSError):
            plot_detections(png, audio, rate, rows, [(d.seconds, d.label) for d in found])
    if as_json:
        click.echo(json.dumps([{"seconds": round(d.seconds, 3), "label": d.label} for d in found]))
        return
    if len(rows):
        click.echo(text_picture(rows, marks, shutil.get_terminal_size().columns))
    for detection in found:
        click.echo(f"{detection.seconds:8.2f} s  {detection.label}")
    click.echo(f"{len(found)} detections in {len(audio) / rate:.1f} s")


def _live(listener: "Listener", runtime: str) -> None:
    from edgetx.compiler.listening import listen

    for detection in listen(listener, _microphone(listener.recipe.data.sample_rate_hz), runtime):
        click.echo(f"{detection.seconds:8.2f} s  {detection.label}")


def _microphone(rate: int) -> "Iterator[Samples]":
    """Samples of the default microphone, through ALSA's `arecord`.

    Raises:
        DeviceError: If there is no microphone.
        ToolchainError: If `arecord` is not installed.
    """
    import numpy as np

    from edgetx.errors import DeviceError, ToolchainError

    program = shutil.which("arecord")
    if program is None:
        raise ToolchainError("arecord is not installed", where="--mic", hint="apt install alsa-utils, or use --wav")
    command = [program, "-q", "-t", "raw", "-f", "S16_LE", "-c", "1", "-r", str(rate)]
    click.echo("listening; Ctrl-C ends", err=True)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            while data := process.stdout.read(2 * int(rate * _MIC_SECONDS)):
                yield np.frombuffer(data[: len(data) & ~1], "<i2").astype(np.int16)
        finally:
            process.terminate()
        said = process.stderr.read().decode("utf-8", "replace").strip()
    raise DeviceError(f"the microphone ended: {said or 'it says nothing'}", where="--mic", hint="arecord -l")
