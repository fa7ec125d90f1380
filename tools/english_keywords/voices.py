"""Other speakers out of one recording: length of the vocal tract, pitch and pace. Audio is float, at any rate."""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

Audio = NDArray[np.float64]
_FRAME, _HOP = 512, 128
_ENVELOPE = 28  # cepstral coefficients of the spectral envelope: formants, no harmonics
_PIECE, _SEARCH = 512, 160  # samples of a piece of constant pace, and how far its best place is looked for


def another_speaker(audio: Audio, rng: np.random.Generator) -> Audio:
    """Random formants (±16 %), pitch (±20 %) and pace (±20 %)."""
    size = int(rng.integers(270, 385))  # 320 keeps pitch and formants
    audio = resample_poly(warp_formants(audio, rng.uniform(0.88, 1.14)), size, 320)
    return change_pace(audio, size / 320 * rng.uniform(0.82, 1.22))


def warp_formants(audio: Audio, factor: float) -> Audio:
    """Move the spectral envelope up by a factor, and leave the pitch where it is.

    The envelope is the cepstrally smoothed spectrum of each frame (Oppenheim and Schafer, 1968).
    """
    window = np.hanning(_FRAME + 1)[:-1]
    padded = np.pad(audio, (_FRAME, 2 * _FRAME))
    starts = np.arange(0, len(padded) - _FRAME, _HOP)
    spectrum = np.fft.rfft(padded[starts[:, None] + np.arange(_FRAME)] * window)
    cepstrum = np.fft.irfft(np.log(np.abs(spectrum) + 1e-3))
    cepstrum[:, _ENVELOPE : _FRAME - _ENVELOPE + 1] = 0
    envelope = np.fft.rfft(cepstrum).real
    source = np.minimum(np.arange(envelope.shape[1]) / factor, envelope.shape[1] - 1.001)
    below, part = source.astype(int), source % 1
    moved = envelope[:, below] * (1 - part) + envelope[:, below + 1] * part
    frames = np.fft.irfft(spectrum * np.exp(moved - envelope)) * window
    result, weight = np.zeros(len(padded)), np.full(len(padded), 1e-9)
    for start, frame in zip(starts, frames, strict=True):
        result[start : start + _FRAME] += frame
        weight[start : start + _FRAME] += window**2
    return (result / weight)[_FRAME : _FRAME + len(audio)]


def change_pace(audio: Audio, factor: float) -> Audio:
    """Speak faster by a factor at the same pitch: overlapping pieces, each from where it fits best (WSOLA, 1993)."""
    half, window = _PIECE // 2, np.hanning(_PIECE + 1)[:-1]
    padded = np.pad(audio, (_SEARCH + half, _PIECE + 2 * _SEARCH))
    count = int(len(audio) / factor / half) + 1
    result, expected = np.zeros((count + 1) * half), padded[_SEARCH : _SEARCH + _PIECE]
    for number in range(count):
        around = min(int(number * half * factor), len(padded) - _PIECE - 2 * _SEARCH)
        stretch = padded[around : around + _PIECE + 2 * _SEARCH]
        best = around + int(np.argmax(np.correlate(stretch, expected, "valid")))
        result[number * half : number * half + _PIECE] += window * padded[best : best + _PIECE]
        expected = padded[best + half : best + half + _PIECE]
        expected = np.pad(expected, (0, _PIECE - len(expected)))
    return result[half : half + int(len(audio) / factor)]
