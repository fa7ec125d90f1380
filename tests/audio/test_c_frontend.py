"""The front end in C: the bits of the specification, hop by hop, here and on simulated cores."""

from dataclasses import replace

import numpy as np
import pytest
from agreement import compare
from c_frontend import CFrontEnd, SimulatedFrontEnd
from hypothesis import example, given, settings
from hypothesis import strategies as st
from recordings import RATE
from test_frontend import FRONT_ENDS, clips

from edgetx.audio import read_clip
from edgetx.audio.frontend import FixedPointFrontEnd
from edgetx.audio.quantizer import fit_quantizer
from edgetx.backends.c import emit_frontend
from edgetx.errors import ConfigError, QuantError
from edgetx.fixedpoint import quantize
from edgetx.recipe import FRONT_ENDS as PRESETS
from edgetx.recipe import FrontEnd

BOARDS = ("nucleo-g0b1re", "nucleo-l4r5zi", "nucleo-u575zi", "nucleo-h7a3zi")
SETTINGS = [*FRONT_ENDS, "hop_of_a_window", "long_window", "odd_window"]
FRONTS = {
    **FRONT_ENDS,
    "hop_of_a_window": FrontEnd(window_ms=20, hop_ms=20),
    "long_window": FrontEnd(window_ms=64, hop_ms=10, mels=80, low_hz=0.0, high_hz=8000.0),
    "odd_window": FrontEnd("mfcc", window_ms=20.0625, hop_ms=7.3125, mels=23, coefficients=23, mean=8.0),
}


@pytest.fixture(scope="module")
def built():
    """Front ends by setting, each compiled once."""
    made = {}
    return lambda name: made.setdefault(name, CFrontEnd(FRONTS[name]))


@pytest.mark.parametrize("name", SETTINGS)
def test_host_gives_the_specified_rows_hop_by_hop(built, name):
    c = built(name)
    for clip, rows in zip(clips(), c.reference(clips()), strict=True):
        np.testing.assert_array_equal(c.on_host(clip), rows)


@pytest.mark.simulator
@pytest.mark.toolchain
@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("name", PRESETS)
def test_simulated_core_gives_the_specified_rows(built, name, board):
    simulated = SimulatedFrontEnd(built(name), board)
    for clip, rows in zip(clips(), built(name).reference(clips()), strict=True):
        np.testing.assert_array_equal(simulated.rows(clip), rows)


def test_shortest_clip_is_one_window(built):
    c = built("log_mel")
    window = clips()[3][: c.front.length]
    np.testing.assert_array_equal(c.on_host(window), c.reference(window[None])[0])
    assert len(c.on_host(window)) == 1
    assert len(c.on_host(window[:-1])) == 0


def test_reset_means_silence_before(built):
    c = built("log_mel")
    history = c.front.length - c.front.hop
    clip = np.concatenate((np.zeros(history, np.int16), clips()[3]))
    c.on_host(clips()[1])
    np.testing.assert_array_equal(c.after_reset(clips()[3]), c.reference(clip[None])[0])


@st.composite
def frontends(draw):
    hop, more = draw(st.integers(1, 400)), draw(st.integers(0, 624))
    window = min(1024, max(17, hop + more))
    mels, low = draw(st.integers(3, 64)), draw(st.floats(0, 500))
    kind, spectrum = draw(st.sampled_from(("log_mel", "mfcc"))), draw(st.sampled_from(("power", "magnitude")))
    return FrontEnd(
        kind, spectrum, 1000 * window / RATE, 1000 * min(hop, window) / RATE, mels, low, draw(st.floats(1000, 8000)),
        draw(st.integers(1, mels)), draw(st.floats(0, 15)), draw(st.floats(1, 8)),
    )  # fmt: skip


NARROW = FrontEnd("log_mel", "power", 30.0, 10.0, 64, 500.0, 1000.0, 1, 12.5, 7.0)
"""Most of its spectrum lies far beyond its last filter."""


@settings(max_examples=12, deadline=None)
@example(NARROW, 0, 12.0)
@given(frontends(), st.integers(0, 2**32 - 1), st.floats(1, 15.5))
def test_any_setting_on_any_audio(setting, seed, bits):
    c = CFrontEnd(setting)
    rng = np.random.default_rng(seed)
    length = c.front.length + 3 * c.front.hop
    clip = np.clip(rng.standard_normal(length) * 2**bits, -32768, 32767).astype(np.int16)
    np.testing.assert_array_equal(c.on_host(clip), c.reference(clip[None])[0])


def test_quantizer_is_that_of_the_float_path_for_every_feature():
    """Over settings as calibration finds them, none of which is refused."""
    rng = np.random.default_rng(0)
    for mean, std, scale in zip(
        rng.uniform(0, 20, 40), rng.uniform(0.5, 10, 40), rng.uniform(0.002, 0.1, 40), strict=True
    ):
        front = FixedPointFrontEnd(FrontEnd(mean=float(mean), std=float(std)), RATE)
        scale, zero_point = float(np.float32(scale)), int(rng.integers(-128, 128))
        features = np.arange(*front.range)
        wanted = quantize(front.normalize(features).astype(np.float32), scale, zero_point, "int8")
        np.testing.assert_array_equal(fit_quantizer(front, scale, zero_point)(features), wanted)


@pytest.mark.parametrize("scale", [1 / 64, 0.03, 0.05, 1 / 32, 0.125])
def test_round_scales_put_no_feature_on_a_tie(scale):
    for setting in (FrontEnd(mean=12.5, std=7.0), FrontEnd(mean=0.0, std=1.0), FrontEnd(mean=10.0, std=5.0)):
        fit_quantizer(FixedPointFrontEnd(setting, RATE), scale, 0)


def test_quantizer_refuses_a_tie_that_floating_point_resolves_at_random():
    nudged = FrontEnd(mean=12.5 + 2**-15, std=7.0)
    with pytest.raises(QuantError, match="rounding ties"):
        fit_quantizer(FixedPointFrontEnd(nudged, RATE), 0.03, 0)


def test_what_c_cannot_compute_is_refused():
    good = FrontEnd("mfcc", coefficients=1)
    for bad in (replace(good, window_ms=65.0), replace(good, window_ms=1.0, hop_ms=1.0), replace(good, mels=2)):
        front = FixedPointFrontEnd(bad, RATE)
        with pytest.raises(ConfigError, match="C"):
            emit_frontend(front, fit_quantizer(front, 0.03, 0))


def _recordings(shared_data):
    for path in sorted(shared_data.glob("audio/**/*.flac")):
        yield read_clip(path, RATE)


@pytest.mark.parametrize("name", PRESETS)
def test_sample_of_the_recordings(shared_data, built, name):
    for clip in list(_recordings(shared_data))[::400]:
        np.testing.assert_array_equal(built(name).on_host(clip[:80000]), built(name).reference(clip[None, :80000])[0])


@pytest.mark.slow
@pytest.mark.simulator
@pytest.mark.toolchain
@pytest.mark.parametrize("name", PRESETS)
def test_every_recording_on_host_torch_and_simulated_cores(shared_data, name):
    """Counts, so that a failure says how many; seven minutes each, see benchmarks/results/frontend_agreement.md."""
    result = compare(name, shared_data / "audio", BOARDS[:2])
    assert result.values > 3_000_000
    assert set(result.differing.values()) == {0}, result.differing
