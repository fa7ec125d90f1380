"""The front end: audio to log-mel or MFCC features, in fixed point.

Per frame of 16-bit samples, with N the power of two that holds a window:

1. Hann window in Q15; 5 fractional bits are kept.
2. Real FFT: a radix-2 complex FFT of N/2 points with Q15 twiddles, and the split into N/2 + 1 bins.
3. Power / N, or the root of it rounded down; 4 fractional bits are kept.
4. Triangles on the HTK mel scale in Q8.
5. log2(energy + 1) in Q9: the exponent, and a table of 32 segments with linear interpolation.
6. For MFCC the mean is subtracted in Q9, and the cosine transform taken in Q15.

Every other step rounds to the nearest integer, ties upwards. float64 carries these integers, and the sums of their
products with the tables, exactly in whatever order they are summed; so numpy and torch give the same bits, and so does
C (`edgetx/audio/c`).
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgetx.audio.tables import (
    bit_reversal,
    cosine_transform,
    fixed,
    hann,
    log2_segments,
    mel_filters,
    mel_positions,
    twiddles,
)
from edgetx.recipe import FrontEnd, samples

Array = Any  # of numpy or of torch

_LARGEST_LOG_MEL = 64 * 2**9
_NUDGE = 2**-6  # keeps features off the rounding ties of the model's input, where firmware could not tell up from down
_CLIPS = 8  # at a time: what the processor's cache holds


def extract(audio: NDArray[np.int16], frontend: FrontEnd, sample_rate_hz: int) -> NDArray[np.float32]:
    """Model inputs of clips.

    Args:
        audio: 16-bit samples, clips × samples.
        frontend: The settings.
        sample_rate_hz: Sample rate of the audio.

    Returns:
        Clips × frames × features.
    """
    front = FixedPointFrontEnd(frontend, sample_rate_hz)
    return np.asarray(front.normalize(front.project(front.log_mel(audio))), np.float32)


class FixedPointFrontEnd:
    """The arithmetic of one setting.

    Args:
        frontend: The settings.
        sample_rate_hz: Sample rate of the audio.
        xp: The module that computes: numpy or torch.
        device: Where torch computes, as the keyword `device`.
    """

    def __init__(self, frontend: FrontEnd, sample_rate_hz: int, xp: Any = np, **device: Any) -> None:
        self.xp, self.frontend, self.sample_rate_hz = xp, frontend, sample_rate_hz
        self.hop = samples(frontend.hop_ms, sample_rate_hz)
        self.length = samples(frontend.window_ms, sample_rate_hz)
        self.size = 1 << (self.length - 1).bit_length()
        half = self.size // 2

        def constant(values: NDArray[Any]) -> Array:
            return xp.asarray(values, **device)

        self.constant = constant
        self.window = constant(np.pad(fixed(hann(self.length), 15), (0, self.size - self.length)) * 2**5)
        self.even, self.odd = constant(2 * bit_reversal(half)), constant(2 * bit_reversal(half) + 1)
        spans = [1 << stage for stage in range(half.bit_length() - 1)]
        self.stages = [tuple(constant(fixed(t, 15)) for t in twiddles(2 * span, span)) for span in spans]
        self.split = [constant(fixed(t, 15)) for t in twiddles(self.size, half + 1)]
        self.bins, self.mirror = constant(np.arange(half + 1) % half), constant(-np.arange(half + 1) % half)
        self.positions = fixed(mel_positions(frontend, self.size, sample_rate_hz), 8)
        self.filters = constant(mel_filters(self.positions, frontend.mels))
        self.segments = constant(log2_segments())
        cosines = cosine_transform(frontend.mels, frontend.coefficients)
        self.cosines = constant(fixed(cosines, 15)) if frontend.kind == "mfcc" else None
        self.level = round(frontend.mean * 2**9) if frontend.kind == "mfcc" else 0

    @property
    def range(self) -> tuple[int, int]:
        """Bounds of the features in Q9, whatever the audio."""
        if self.cosines is None:
            return 0, _LARGEST_LOG_MEL
        reach = (_LARGEST_LOG_MEL + abs(self.level)) * math.ceil(math.sqrt(2 * self.frontend.mels))
        return -reach, reach

    def log_mel(self, audio: Array) -> Array:
        """log2(mel energy + 1) in Q9 of 16-bit samples; clips × frames × mels."""
        starts = np.arange(0, audio.shape[-1] - self.length + 1, self.hop)[:, None]
        last = audio.shape[-1] - 1  # the padding of a frame is whatever sample: the window is zero there
        positions = self.constant(np.minimum(starts + np.arange(self.size), last))
        parts = [audio[i : i + _CLIPS][..., positions] for i in range(0, len(audio), _CLIPS)]
        return self.xp.concatenate([self._log2(self._mel(part)) for part in parts])

    def project(self, log_mel: Array) -> Array:
        """Log-mel to the features of this kind, both in Q9."""
        return log_mel if self.cosines is None else self._round((log_mel - self.level) @ self.cosines)

    def normalize(self, features: Array) -> Array:
        """Features in Q9 to model inputs."""
        mean = self.frontend.mean if self.cosines is None else 0.0
        return ((features + _NUDGE) / 2**9 - mean) / self.frontend.std

    def _mel(self, frames: Array) -> Array:
        """Mel energies with 4 + 8 fractional bits."""
        re, im = self._spectrum(self._round(frames * self.window))
        power = self._round((re * re + im * im) * (2**4 / self.size))
        if self.frontend.spectrum == "magnitude":
            power = self.xp.floor(self.xp.sqrt(power * 2**4))
        return power @ self.filters

    def _spectrum(self, x: Array) -> tuple[Array, Array]:
        """Bins 0 to N/2 of frames with 5 fractional bits, as integers."""
        re, im = self._transform(x[..., self.even], x[..., self.odd])
        mirror_re, mirror_im = re[..., self.mirror], im[..., self.mirror]
        re, im = re[..., self.bins], im[..., self.bins]
        odd_re, odd_im = self._turn(im + mirror_im, mirror_re - re, *self.split)
        twice_re, twice_im = re + mirror_re + odd_re, im - mirror_im + odd_im
        return self._round(twice_re / 2**6), self._round(twice_im / 2**6)

    def _transform(self, re: Array, im: Array) -> tuple[Array, Array]:
        """Complex transform by decimation in time, of input in bit-reversed order."""
        shape = re.shape
        for cos, sin in self.stages:
            pairs = (*shape[:-1], -1, 2, len(cos))
            re, im = re.reshape(pairs), im.reshape(pairs)
            odd_re, odd_im = self._turn(re[..., 1, :], im[..., 1, :], cos, sin)
            re, im = re[..., 0, :], im[..., 0, :]
            re = self.xp.concatenate((re + odd_re, re - odd_re), -1)
            im = self.xp.concatenate((im + odd_im, im - odd_im), -1)
        return re.reshape(shape), im.reshape(shape)

    def _turn(self, re: Array, im: Array, cos: Array, sin: Array) -> tuple[Array, Array]:
        """Multiply by exp(-i · angle)."""
        return self._round(re * cos + im * sin), self._round(im * cos - re * sin)

    def _log2(self, energy: Array) -> Array:
        """log2(energy + 1) in Q9 of energies with 4 fractional bits."""
        mantissa, exponent = self.xp.frexp(energy + 2**4)
        place = self.xp.floor((2 * mantissa - 1) * 2**15) / 2**10
        segment = self.xp.asarray(place, dtype=self.xp.int64)
        low, high = self.segments[segment], self.segments[segment + 1]
        fraction = low + self._round((high - low) * (place - segment))
        return (exponent - 5) * 2**9 + self._round(fraction / 2**6)

    def _round(self, values: Array) -> Array:
        return self.xp.floor(values + 0.5)
