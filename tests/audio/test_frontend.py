"""The front end against its description in exact integers, and against floating point."""

import math

import numpy as np
import pytest
import torch
from recordings import RATE, tone

from edgetx.audio import extract
from edgetx.audio.clip import to_int16
from edgetx.audio.frontend import FixedPointFrontEnd
from edgetx.audio.tables import bit_reversal, cosine_transform, hann, log2_segments, mel_filters, mel_positions
from edgetx.recipe import FRONT_ENDS as PRESETS
from edgetx.recipe import FrontEnd

FRONT_ENDS = {
    "log_mel": FrontEnd(mean=10.0, std=5.0),
    "log_mel_10ms": FrontEnd(window_ms=25, hop_ms=10, mels=32, low_hz=0.0, high_hz=8000.0),
    "mfcc": FrontEnd(kind="mfcc", window_ms=40, hop_ms=20, coefficients=10, mean=10.0),
    **PRESETS,
    "tiny": FrontEnd(window_ms=2, hop_ms=1.5, mels=4),
}


def clips():
    rng = np.random.default_rng(1)
    length = RATE // 8
    square = np.where(np.arange(length) // 20 % 2, 32767, -32768)
    quiet = rng.integers(-2, 3, length)
    noise = rng.integers(-32768, 32768, length)
    return np.stack(
        [to_int16(tone(440, 0.125)), square, quiet, noise, np.full(length, -32768), np.zeros(length)]
    ).astype(np.int16)


def rounded(value, bits):
    """value / 2**bits to the nearest integer, ties upwards."""
    return (value + (1 << bits >> 1)) >> bits


def q(values, bits):
    return [round(float(v) * 2**bits) for v in values]


def turn(re, im, k, points):
    cos, sin = q([math.cos(2 * math.pi * k / points), math.sin(2 * math.pi * k / points)], 15)
    return rounded(re * cos + im * sin, 15), rounded(im * cos - re * sin, 15)


def transform(values):
    """Complex FFT, recursively, in Python integers."""
    if len(values) == 1:
        return values
    even, odd = transform(values[::2]), transform(values[1::2])
    turned = [turn(*z, k, len(values)) for k, z in enumerate(odd)]
    plus = [(a[0] + b[0], a[1] + b[1]) for a, b in zip(even, turned, strict=True)]
    minus = [(a[0] - b[0], a[1] - b[1]) for a, b in zip(even, turned, strict=True)]
    return plus + minus


def log2_q9(energy):
    value = energy + (1 << 12)
    exponent = value.bit_length() - 1
    fraction = ((value << 15) >> exponent) - (1 << 15)
    segment, rest = fraction >> 10, fraction & 1023
    low, high = (round(math.log2(1 + i / 32) * 2**15) for i in (segment, segment + 1))
    return ((exponent - 12) << 9) + rounded(low + rounded((high - low) * rest, 10), 6)


def filters(frontend, size):
    """Filters with exact weights, mels × bins."""
    return mel_filters(mel_positions(frontend, size, RATE), frontend.mels).T


def specified(frame, frontend):
    """The features of one frame, step by step in Python integers."""
    size = 1 << (len(frame) - 1).bit_length()
    half = size // 2
    x = [rounded(int(s) * w, 10) for s, w in zip(frame, q(hann(len(frame)), 15), strict=True)]
    x += [0] * (size - len(x))
    z = transform(list(zip(x[::2], x[1::2], strict=True)))
    power = []
    for k in range(half + 1):
        (re, im), (mirror_re, mirror_im) = z[k % half], z[-k % half]
        odd_re, odd_im = turn(im + mirror_im, mirror_re - re, k, size)
        re, im = rounded(re + mirror_re + odd_re, 6), rounded(im - mirror_im + odd_im, 6)
        power.append(rounded((re * re + im * im) << 4, size.bit_length() - 1))
    if frontend.spectrum == "magnitude":
        power = [math.isqrt(p << 4) for p in power]
    weights = [q(row, 8) for row in filters(frontend, size)]
    mels = [log2_q9(sum(w * p for w, p in zip(row, power, strict=True))) for row in weights]
    if frontend.kind == "log_mel":
        return mels
    cosines = [q(row, 15) for row in cosine_transform(frontend.mels, frontend.coefficients).T]
    level = round(frontend.mean * 512)
    return [rounded(sum(c * (m - level) for c, m in zip(row, mels, strict=True)), 15) for row in cosines]


@pytest.mark.parametrize("name", FRONT_ENDS)
def test_features_are_those_specified(name):
    frontend = FRONT_ENDS[name]
    fixed = FixedPointFrontEnd(frontend, RATE)
    features = fixed.project(fixed.log_mel(clips()))
    for clip, frames in zip(clips(), features, strict=True):
        for index in (0, len(frames) - 1):
            frame = clip[index * fixed.hop :][: fixed.length]
            assert frames[index].tolist() == specified(frame, frontend)


@pytest.mark.parametrize("name", FRONT_ENDS)
def test_torch_gives_the_same_bits(name):
    reference, twin = (FixedPointFrontEnd(FRONT_ENDS[name], RATE, xp) for xp in (np, torch))
    audio = np.tile(clips(), (3, 1))
    for samples in (torch.from_numpy(audio), torch.from_numpy(audio).float()):
        features = twin.normalize(twin.project(twin.log_mel(samples)))
        np.testing.assert_array_equal(features, reference.normalize(reference.project(reference.log_mel(audio))))


@pytest.mark.parametrize("name", FRONT_ENDS)
def test_fixed_point_stays_close_to_floating_point(name):
    frontend = FRONT_ENDS[name]
    fixed = FixedPointFrontEnd(frontend, RATE)
    audio = clips()[[0, 3]]
    frames = np.lib.stride_tricks.sliding_window_view(audio, fixed.length, axis=-1)[:, :: fixed.hop]
    power = np.abs(np.fft.rfft(frames * hann(fixed.length), fixed.size)) ** 2 / fixed.size
    energy = np.sqrt(power) if frontend.spectrum == "magnitude" else power
    log_mel = np.log2(energy @ filters(frontend, fixed.size).T + 1)
    error = fixed.log_mel(audio) / 512 - log_mel
    assert np.abs(error).max() < 0.1
    assert error.std() < 0.01


def test_every_rounding_boundary_of_the_logarithm():
    energy = np.arange(0, 2**16)
    found = FixedPointFrontEnd(FrontEnd(), RATE)._log2(energy / 256)
    assert found.tolist() == [log2_q9(int(e)) for e in energy]
    assert np.abs(found / 512 - np.log2(energy / 4096 + 1)).max() < 1.5 / 512


def test_shape_and_normalisation():
    frontend = FRONT_ENDS["log_mel"]
    features = extract(clips(), frontend, RATE)
    assert features.shape == (6, 5, 40)
    assert features.dtype == np.float32
    np.testing.assert_allclose(features[-1], -2.0, atol=1e-5)


def test_bit_reversal_and_segments():
    assert bit_reversal(8).tolist() == [0, 4, 2, 6, 1, 5, 3, 7]
    assert log2_segments()[[0, 32]].tolist() == [0, 2**15]
