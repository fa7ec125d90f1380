"""Finding the same recording again after a change of gain, a shift or another encoding."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgetx.audio.clip import Clip

_RATE = 4000
"""Rate of the samples that are compared: what survives every resampling and lossy encoding."""
_BANDS, _FRAMES = 12, 24
_ALIKE = 0.95
"""Cosine of two fingerprints from which on the samples themselves are compared."""
_SAME = 0.95
"""Peak of the normalized cross-correlation from which on two clips are the same recording."""
_BLOCK = 256


@dataclass(frozen=True)
class Fingerprint:
    """A clip at low rate, and a short unit vector that neither gain nor a shift changes much."""

    samples: NDArray[np.float32]
    vector: NDArray[np.float32]


def fingerprint(audio: Clip, rate: int) -> Fingerprint:
    """Make a fingerprint of 16-bit samples."""
    low = _low_rate(audio, rate)
    return Fingerprint(low, _vector(low))


def near_duplicates(prints: Sequence[Fingerprint]) -> list[tuple[int, int]]:
    """Pairs of clips that are the same recording, by index, the smaller first."""
    return [(a, b) for a, b in _candidates(prints) if _correlation(prints[a].samples, prints[b].samples) > _SAME]


def _candidates(prints: Sequence[Fingerprint]) -> Iterator[tuple[int, int]]:
    if not prints:
        return
    vectors = np.stack([p.vector for p in prints])
    for start in range(0, len(vectors), _BLOCK):
        alike = vectors[start : start + _BLOCK] @ vectors.T > _ALIKE
        for a, b in np.argwhere(alike):
            if start + a < b:
                yield int(start + a), int(b)


def _low_rate(audio: Clip, rate: int) -> NDArray[np.float32]:
    """Samples at a low rate by cutting the spectrum, at unit energy."""
    length = max(8, round(len(audio) * _RATE / rate))
    spectrum = np.fft.rfft(audio - audio.mean(dtype=np.float64))
    kept = np.zeros(length // 2 + 1, complex)
    count = min(len(kept), len(spectrum))
    kept[:count] = spectrum[:count]
    kept[: int(100 * length / _RATE)] = 0  # offsets and rumble make unrelated clips alike
    low = np.fft.irfft(kept, length)
    return np.asarray(low / max(1e-9, np.sqrt((low**2).sum())), np.float32)


def _vector(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Magnitudes of the two-dimensional transform of a small spectrogram, in which a shift is only a phase."""
    frame = 128
    loud = np.flatnonzero(np.abs(samples) > 1e-3 * np.abs(samples).max(initial=0))
    samples = samples[loud[0] : loud[-1] + 1] if len(loud) else samples  # whatever silence was put around it
    count = max(1, len(samples) // (frame // 2) - 1)
    padded = np.pad(samples, (0, frame))
    starts = np.arange(count)[:, None] * (frame // 2)
    power = np.abs(np.fft.rfft(padded[starts + np.arange(frame)] * np.hanning(frame))) ** 2
    edges = np.linspace(2, power.shape[1], _BANDS + 1).astype(int)
    bands = np.add.reduceat(power, edges[:-1], axis=1)
    image = np.sqrt(bands)
    image -= image.mean()
    texture = np.abs(np.fft.fft2(image, s=(max(count, 4 * _FRAMES), 2 * _BANDS)))
    texture = texture[:_FRAMES, : _BANDS + 1].ravel()
    texture -= texture.mean()
    return np.asarray(texture / max(1e-9, np.sqrt((texture**2).sum())), np.float32)


def _correlation(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Largest normalized cross-correlation over all shifts, of either sign."""
    size = 1 << (len(a) + len(b) - 1).bit_length()
    product = np.fft.rfft(a, size) * np.conj(np.fft.rfft(b, size))
    return float(np.abs(np.fft.irfft(product, size)).max())
