"""Speech in rooms, before microphones and in noise."""

from collections.abc import Sequence

import numpy as np
from dry import RATE
from voices import Audio

from edgetx.audio.clip import Clip
from edgetx.data.synth.effects import NOISES, at_level, microphone, reverberate

LOUDEST, QUIETEST = -10.0, -40.0  # of speech, in dB below full scale
MOST_CUT = 0.06  # seconds of a word outside its clip


class Scenes:
    """Makes clips of a second.

    Args:
        recordings: Real noise.
        rng: What is random.
    """

    def __init__(self, recordings: Sequence[Audio], rng: np.random.Generator) -> None:
        self.recordings, self.rng = recordings, rng

    def noise(self, decibels: float) -> Audio:
        """A second of noise: a third of it synthetic, the rest recorded."""
        if self.rng.random() < 0.33:
            kinds = list(NOISES.values())
            return at_level(kinds[self.rng.integers(len(kinds))](self.rng, RATE, RATE), decibels)
        recording = self.recordings[self.rng.integers(len(self.recordings))]
        start = self.rng.integers(len(recording) - RATE + 1)
        return at_level(recording[start : start + RATE], decibels)

    def word(self, dry: Audio) -> Clip:
        """A dry word somewhere in its second, now and then cut short a little."""
        cut = int(MOST_CUT * RATE) if self.rng.random() < 0.3 else 0
        start = int(self.rng.integers(-cut, max(1, RATE - len(dry)) + cut))
        return self._finished(placed(dry, start), room=0.6, snr_low_db=3)

    def recording(self, audio: Audio) -> Clip:
        """Real speech, which brings a room and a microphone of its own."""
        start = int(self.rng.integers(-RATE // 10, RATE // 10)) + (RATE - len(audio)) // 2
        return self._finished(placed(audio, start), room=0.25, snr_low_db=6)

    def _finished(self, audio: Audio, room: float, snr_low_db: float) -> Clip:
        rng = self.rng
        if rng.random() < room:
            audio = reverberate(audio, rng, RATE)[:RATE]
        if rng.random() < 0.7:
            audio = microphone(audio, rng, RATE)
        level = rng.uniform(QUIETEST, LOUDEST)
        audio = at_level(audio, level) + self.noise(level - rng.uniform(snr_low_db, 45))
        if rng.random() < 0.05:
            audio = np.clip(audio, *np.quantile(audio, (0.01, 0.99)))  # an overdriven microphone
        return samples(audio)


def placed(audio: Audio, start: int) -> Audio:
    """A second of silence with audio in it; what lies outside is lost."""
    audio, start = audio[max(0, -start) :], max(0, start)
    audio = audio[: RATE - start]
    return np.pad(audio, (start, RATE - start - len(audio)))


def samples(audio: Audio) -> Clip:
    """16-bit samples, quieter where they would clip."""
    return np.rint(audio * min(1.0, 32_000 / max(1e-9, float(np.abs(audio).max())))).astype(np.int16)
