"""Where clips of one split are made: its voices, its noise, and the chain from text to 16-bit samples."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from edgetx.audio.clip import Clip
from edgetx.data.synth.effects import NOISES, Audio, at_level, microphone, reverberate, trim
from edgetx.data.synth.speaker import Speaker
from edgetx.errors import DataError

RATE = 16_000
UNKNOWN, SILENCE = "_unknown_", "_silence_"
_FASTEST = 450  # words a minute that the synthesizer can do
_BABBLE_SECONDS = 30
_PEAK = 32_000.0


class Studio:
    """Makes the clips of one split.

    Args:
        speaker: The synthesizer.
        languages: Languages and accents.
        voices: Variants that speak in this split.
        length: Samples of a clip.
        words: Other words.
        phrases: Other phrases, of which pieces are cut.
        recordings: Real noise.
        seed: Seed of the babble.
    """

    def __init__(
        self,
        speaker: Speaker,
        languages: Sequence[str],
        voices: Sequence[str],
        length: int,
        words: Sequence[str],
        phrases: Sequence[str],
        recordings: Sequence[Audio],
        seed: int,
    ) -> None:
        self._speaker, self._languages, self._voices = speaker, languages, voices
        self._length, self._words, self._phrases = length, words, phrases
        self.recordings = [*recordings, self._babble(np.random.default_rng(seed))]

    def record(self, label: str, rng: np.random.Generator) -> tuple[Clip, str, str]:
        """A clip of a label, the voice in it (empty for silence) and the word."""
        if label == SILENCE:
            audio, voice, word = self._noise(rng, rng.uniform(-75, -15)), "", ""
        else:
            word = label if label != UNKNOWN else self._other(rng)
            voice = _choice(self._voices, rng)
            audio = self._scene(self._spoken(word, voice, rng), rng)
        audio *= min(1.0, _PEAK / max(1e-9, np.abs(audio).max()))
        return np.rint(audio).astype(np.int16), voice, word

    def _other(self, rng: np.random.Generator) -> str:
        texts = self._phrases if len(self._phrases) and rng.uniform() < 0.25 else self._words
        return _choice(texts, rng)

    def _spoken(self, text: str, voice: str, rng: np.random.Generator) -> Audio:
        """Dry speech that fits into a clip; of a phrase, a random piece."""
        language = _choice(self._languages, rng)
        pace, pitch = int(rng.integers(120, 230)), int(rng.integers(15, 85))
        size = int(rng.integers(295, 346))  # 320 would keep the pitch; this varies the length of the vocal tract, too
        while True:
            audio = trim(self._resampled(self._speaker.say(text, f"{language}+{voice}", pace, pitch), size))
            if 0 < len(audio) <= self._length:
                return audio
            if len(audio) and text in self._phrases:
                start = int(rng.integers(len(audio) - self._length))
                return audio[start : start + self._length]
            if len(audio) == 0 or pace >= _FASTEST:
                problem = "takes longer than a clip" if len(audio) else "gives no sound"
                raise DataError(f"'{text}' {problem}", where=f"voice {language}+{voice}", hint="try --clip-ms 1500")
            pace = min(_FASTEST, pace * 5 // 4)

    def _resampled(self, speech: NDArray[np.int16], size: int) -> Audio:
        down = 441 * self._speaker.rate // 22_050
        return np.asarray(resample_poly(speech.astype(np.float64), size, down))

    def _scene(self, speech: Audio, rng: np.random.Generator) -> Audio:
        """Speech somewhere in a clip, in a room, through a microphone, with noise."""
        start = int(rng.integers(self._length - len(speech) + 1))
        audio = np.pad(speech, (start, self._length - start - len(speech)))
        if rng.uniform() < 0.6:
            audio = reverberate(audio, rng, RATE)[: self._length]
        level = rng.uniform(-38, -12)
        audio = at_level(microphone(audio, rng, RATE), level)
        noise = self._noise(rng, level - rng.uniform(0, 40))
        return audio + noise

    def _noise(self, rng: np.random.Generator, decibels: float) -> Audio:
        """Noise at a level in dB below full scale: half of it synthetic, half recorded or babble."""
        long_enough = [recording for recording in self.recordings if len(recording) >= self._length]
        if rng.uniform() < 0.5 or not long_enough:
            kinds = list(NOISES.values())
            return at_level(kinds[rng.integers(len(kinds))](rng, self._length, RATE), decibels)
        recording = long_enough[rng.integers(len(long_enough))]
        start = int(rng.integers(len(recording) - self._length + 1))
        return at_level(recording[start : start + self._length], decibels)

    def _babble(self, rng: np.random.Generator) -> Audio:
        """Five people talking at once, none of them about the keywords."""
        total = np.zeros(_BABBLE_SECONDS * RATE)
        for _ in range(5):
            track: list[Audio] = []
            while sum(map(len, track)) < len(total):
                text = " ".join(self._words[i] for i in rng.integers(len(self._words), size=8))
                voice = f"{self._languages[0]}+{_choice(self._voices, rng)}"
                track.append(self._resampled(self._speaker.say(text, voice, 170, int(rng.integers(20, 80))), 320))
            total += at_level(np.concatenate(track)[: len(total)], -20)
        return total


def _choice(items: Sequence[str], rng: np.random.Generator) -> str:
    return items[int(rng.integers(len(items)))]
