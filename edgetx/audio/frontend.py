"""The front end: audio to log-mel or MFCC features.

Per frame, in units of 16-bit samples: Hann window, power spectrum / N of the next power of two N,
triangular filters on the HTK mel scale, log2(energy + 1); for MFCC the orthonormal cosine transform of
those; last the fixed normalisation (x - mean) / std.
"""

import numpy as np
from numpy.typing import NDArray

from edgetx.recipe import FrontEnd, samples

Floats = NDArray[np.float32]


def extract(audio: NDArray[np.int16], frontend: FrontEnd, sample_rate_hz: int) -> Floats:
    """Features of clips.

    Args:
        audio: 16-bit samples, clips × samples.
        frontend: The settings.
        sample_rate_hz: Sample rate of the audio.

    Returns:
        Clips × frames × features.
    """
    window = samples(frontend.window_ms, sample_rate_hz)
    hop = samples(frontend.hop_ms, sample_rate_hz)
    size = fft_size(window)
    frames = np.lib.stride_tricks.sliding_window_view(audio, window, axis=-1)[..., ::hop, :]
    spectrum = np.fft.rfft(frames * hann(window), size)
    power = (spectrum.real**2 + spectrum.imag**2) / size
    log_mel = np.log2(power @ mel_filters(frontend, size, sample_rate_hz) + 1)
    return np.asarray((log_mel @ projection(frontend) - frontend.mean) / frontend.std, np.float32)


def fft_size(window: int) -> int:
    """The power of two that holds a window."""
    return 1 << (window - 1).bit_length()


def hann(window: int) -> Floats:
    """The periodic Hann window."""
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window), np.float32)


def mel_filters(frontend: FrontEnd, size: int, sample_rate_hz: int) -> Floats:
    """Triangles of height 1 between equally spaced mel frequencies: spectrum bins × mels."""
    low, high = _mel(np.array([frontend.low_hz, frontend.high_hz]))
    edges = np.linspace(low, high, frontend.mels + 2)
    bins = _mel(np.arange(size // 2 + 1) * sample_rate_hz / size)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.asarray(np.maximum(0, np.minimum(rising, falling)), np.float32)


def projection(frontend: FrontEnd) -> Floats:
    """From log-mel to features: the orthonormal cosine transform for MFCC, else the identity."""
    if frontend.kind == "log_mel":
        return np.eye(frontend.mels, dtype=np.float32)
    k, n = np.arange(frontend.coefficients), np.arange(frontend.mels)[:, None]
    scale = np.where(k == 0, 1.0, np.sqrt(2.0)) / np.sqrt(frontend.mels)
    return np.asarray(scale * np.cos(np.pi * k * (2 * n + 1) / (2 * frontend.mels)), np.float32)


def _mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    return 2595 * np.log10(1 + hz / 700)
