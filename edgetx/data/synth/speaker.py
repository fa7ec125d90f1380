"""The speech synthesizer, as a process of its own."""

import importlib.util
import json
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

import numpy as np
from numpy.typing import NDArray

from edgetx.errors import DataError, ToolchainError

_PROGRAM = (sys.executable, "-m", "edgetx.data.synth.speak")


@dataclass(frozen=True)
class Speaker:
    """A running synthesizer.

    Attributes:
        rate: Its sample rate, in Hz.
    """

    rate: int
    requests: IO[bytes]
    answers: IO[bytes]

    def say(self, text: str, voice: str, words_per_minute: int, pitch: int) -> NDArray[np.int16]:
        """Speak.

        Args:
            text: What to say.
            voice: A language, optionally with a variant: `en-us`, `de+f3`.
            words_per_minute: 80 to 450; 175 is usual.
            pitch: 0 to 99; 50 is usual.

        Returns:
            16-bit samples at `rate`.

        Raises:
            DataError: If there is no such voice.
            ToolchainError: If the synthesizer has ended.
        """
        request = {"text": text, "voice": voice, "rate": words_per_minute, "pitch": pitch}
        try:
            self.requests.write(json.dumps(request).encode() + b"\n")
            self.requests.flush()
        except OSError as problem:
            raise ToolchainError("the speech synthesizer has ended", where=voice) from problem
        (count,) = struct.unpack("<i", _read(self.answers, 4))
        if count < 0:
            raise DataError(
                f"the speech synthesizer has no voice '{voice}'", hint="languages are named as in en-us, de"
            )
        return np.frombuffer(_read(self.answers, 2 * count), "<i2").astype(np.int16)


@contextmanager
def start_speaker() -> Iterator[Speaker]:
    """Start the synthesizer, and end it with the block.

    Raises:
        ToolchainError: If its package is not installed.
    """
    _check_installed()
    with subprocess.Popen(_PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            (rate,) = struct.unpack("<i", _read(process.stdout, 4))
            yield Speaker(rate, process.stdin, process.stdout)
        finally:
            process.kill()


def voice_variants() -> list[str]:
    """Names of the variants of every voice: timbres that go with any language.

    Raises:
        ToolchainError: If the synthesizer's package is not installed.
    """
    _check_installed()
    listed = subprocess.run((*_PROGRAM, "--variants"), capture_output=True, text=True, check=True)
    names: list[str] = json.loads(listed.stdout)
    return names


def _check_installed() -> None:
    if importlib.util.find_spec("espeakng_loader") is None:
        raise ToolchainError(
            "synthetic speech needs the package espeakng-loader (eSpeak NG, GPL 3)", hint="pip install 'edgetx[synth]'"
        )


def _read(stream: IO[bytes], count: int) -> bytes:
    data = stream.read(count)
    if len(data) < count:
        raise ToolchainError(
            "the speech synthesizer has ended", hint="run `python -m edgetx.data.synth.speak` to see why"
        )
    return data
