"""Rooms, microphones and noise for dry synthetic speech. Audio is float, in units of a 16-bit sample."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve

Audio = NDArray[np.float64]
Generator = np.random.Generator


def trim(audio: Audio, below_peak_db: float = 40.0, frame: int = 160) -> Audio:
    """Cut what is quieter than the loudest frame by more than `below_peak_db`, before and after."""
    frames = audio[: len(audio) // frame * frame].reshape(-1, frame)
    level = np.sqrt((frames**2).mean(axis=1))
    heard = np.flatnonzero(level > level.max(initial=0) * 10 ** (-below_peak_db / 20))
    return audio[heard[0] * frame : (heard[-1] + 1) * frame] if len(heard) else audio[:0]


def reverberate(audio: Audio, rng: Generator, rate: int) -> Audio:
    """Put the source into a random room.

    The tail is noise that decays by 60 dB within 0.1 to 0.8 s, duller over time as air and walls absorb high
    frequencies; the direct sound leads by −3 to 15 dB (Polack's statistical model of late reverberation, 1988).
    """
    decay, ratio_db = rng.uniform(0.1, 0.8), rng.uniform(-3, 15)
    time = np.arange(int(decay * rate)) / rate
    tail = rng.standard_normal(len(time)) * 10 ** (-3 * time / decay)
    tail = np.convolve(tail, np.ones(3) / 3, mode="same")
    tail[: int(0.002 * rate)] = 0
    tail *= 10 ** (-ratio_db / 20) / np.sqrt((tail**2).sum())
    tail[0] = 1.0
    return np.asarray(fftconvolve(audio, tail))


def microphone(audio: Audio, rng: Generator, rate: int) -> Audio:
    """A random frequency response: a tilt of up to ±6 dB, corners at 50 to 300 Hz and 3 kHz to Nyquist."""
    spectrum = np.fft.rfft(audio)
    hz = np.maximum(np.fft.rfftfreq(len(audio), 1 / rate), 1.0)
    low, high = rng.uniform(50, 300), rng.uniform(3000, rate / 2)
    tilt_db = rng.uniform(-6, 6) * np.log2(hz / 1000) / 3
    response = 10 ** (tilt_db / 20) / np.sqrt((1 + (low / hz) ** 4) * (1 + (hz / high) ** 8))
    return np.fft.irfft(spectrum * response, len(audio))


def at_level(audio: Audio, decibels: float) -> Audio:
    """Scale to a level in dB below full scale, root mean square."""
    rms = np.sqrt((audio**2).mean()) if len(audio) else 0.0
    return audio * (32768 * 10 ** (decibels / 20) / rms) if rms > 0 else audio


def coloured(exponent: float) -> Callable[[Generator, int, int], Audio]:
    """Noise whose power falls as frequency to the power of `exponent`: 0 white, 1 pink, 2 brown."""

    def make(rng: Generator, length: int, rate: int) -> Audio:
        spectrum = np.fft.rfft(rng.standard_normal(length))
        hz = np.maximum(np.fft.rfftfreq(length, 1 / rate), 20.0)
        return np.fft.irfft(spectrum * hz ** (-exponent / 2), length)

    return make


def hum(rng: Generator, length: int, rate: int) -> Audio:
    """Mains hum or a motor: harmonics of 45 to 400 Hz, with a little noise."""
    time = np.arange(length) / rate
    base, count = rng.uniform(45, 400), int(rng.integers(3, 15))
    tones = [np.sin(2 * np.pi * base * (k + 1) * time + rng.uniform(0, 6.3)) / (k + 1) ** 0.7 for k in range(count)]
    return np.asarray(np.sum(tones, axis=0)) + 0.3 * rng.standard_normal(length)


def clicks(rng: Generator, length: int, rate: int) -> Audio:
    """Knocks and clatter: short decaying bursts at random instants, over quiet noise."""
    audio = 0.01 * rng.standard_normal(length)
    for _ in range(rng.poisson(4 * length / rate) + 1):
        size = int(rng.uniform(0.005, 0.08) * rate)
        burst = rng.standard_normal(size) * np.exp(-5 * np.arange(size) / size) * rng.uniform(0.1, 1)
        start = int(rng.integers(max(1, length - size)))
        audio[start : start + size] += burst[: length - start]
    return audio


NOISES: Mapping[str, Callable[[Generator, int, int], Audio]] = {
    "white": coloured(0),
    "pink": coloured(1),
    "brown": coloured(2),
    "hum": hum,
    "clicks": clicks,
}
"""Kinds of synthetic noise."""
