"""Events out of logits: what they mean, and C equal to the reference."""

import ctypes
import subprocess

import numpy as np
import pytest
from host_kernels import COMPILER, WARNINGS
from hypothesis import given, settings
from hypothesis import strategies as st

from edgetx.backends.c.stream import DECISION_C
from edgetx.decision import Decider, Decision, Event, events, smoothed
from edgetx.decision.decider import exponentials, posteriors
from edgetx.errors import ConfigError

CLASSES = 4
SURE, UNSURE = np.array([90, -90, -90, -90], np.int8), np.zeros(4, np.int8)


class Params(ctypes.Structure):
    _fields_ = (
        ("exponentials", ctypes.c_void_p),
        ("is_background", ctypes.c_void_p),
        *((name, ctypes.c_int32) for name in ("classes", "smoothing", "least", "refractory")),
    )


class State(ctypes.Structure):
    _fields_ = (
        ("ring", ctypes.c_void_p),
        ("totals", ctypes.c_void_p),
        ("hop", ctypes.c_uint32),
        ("place", ctypes.c_int32),
        ("wait", ctypes.c_int32),
    )


class CEvent(ctypes.Structure):
    _fields_ = (("label", ctypes.c_int32), ("score", ctypes.c_int32), ("hop", ctypes.c_uint32))


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    path = tmp_path_factory.mktemp("decision") / "decision.so"
    checks = ("-fsanitize=undefined", "-fno-sanitize-recover=all", "-shared", "-fPIC")
    sources = [*DECISION_C.glob("*.c")]
    subprocess.run([COMPILER, *WARNINGS, *checks, "-o", str(path), *map(str, sources)], check=True)
    return ctypes.CDLL(str(path))


def run_c(library, decision, scale, logits):
    """Events of the C for rows of logits."""
    classes = logits.shape[1]
    table = exponentials(scale)
    background = np.isin(np.arange(classes), decision.background).astype(np.uint8)
    ring, totals = np.full((decision.smoothing, classes), 7, np.uint8), np.full(classes, 9, np.int32)
    params = Params(
        table.ctypes.data, background.ctypes.data, classes, decision.smoothing, decision.least, decision.refractory
    )
    state, event, found = State(ring.ctypes.data, totals.ctypes.data), CEvent(), []
    library.etx_decision_reset(ctypes.byref(params), ctypes.byref(state))
    for row in logits:
        data = np.ascontiguousarray(row)
        if library.etx_decide(
            ctypes.byref(params), ctypes.byref(state), ctypes.c_void_p(data.ctypes.data), ctypes.byref(event)
        ):
            found.append(Event(event.label, event.score, event.hop))
    return found


def run_reference(decision, scale, logits):
    decider = Decider(decision, logits.shape[1], scale)
    return [event for row in logits if (event := decider.push(row)) is not None]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1), classes=st.integers(1, 12), smoothing=st.integers(1, 9),
    threshold=st.floats(0.01, 1.0), refractory=st.integers(0, 5), scale=st.floats(1e-4, 0.5),
)  # fmt: skip
def test_c_equals_the_reference(library, seed, classes, smoothing, threshold, refractory, scale):
    rng = np.random.default_rng(seed)
    decision = Decision(smoothing, threshold, refractory, tuple(np.flatnonzero(rng.random(classes) < 0.3).tolist()))
    logits = rng.integers(-128, 128, (40, classes)).astype(np.int8)
    logits[::3] = rng.choice([-128, 127], (len(logits[::3]), classes))
    assert run_c(library, decision, scale, logits) == run_reference(decision, scale, logits)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), smoothing=st.integers(1, 60), refractory=st.integers(0, 5))
def test_whole_recording_is_decided_as_hop_by_hop(seed, smoothing, refractory):
    rng = np.random.default_rng(seed)
    decision = Decision(smoothing, 0.4, refractory, (1,))
    logits = rng.integers(-128, 128, (50, 4)).astype(np.int8)
    found = events(smoothed(logits, 0.03, smoothing), decision)
    assert found == run_reference(decision, 0.03, logits)


def test_posteriors_are_a_softmax():
    rng = np.random.default_rng(0)
    for row in rng.integers(-128, 128, (50, 6)).astype(np.int8):
        weights = np.exp(0.05 * row.astype(float) - 0.05 * row.max())
        assert np.abs(posteriors(row, exponentials(0.05)) - 255 * weights / weights.sum()).max() <= 1


def test_event_waits_for_the_average():
    found = run_reference(Decision(smoothing=4, threshold=0.7), 0.1, np.array([SURE] * 6))
    assert [event.hop for event in found] == [2, 3, 4, 5]


def test_refractory_time_holds_further_events_back():
    found = run_reference(Decision(refractory=3), 0.1, np.array([SURE] * 9))
    assert [event.hop for event in found] == [0, 4, 8]


def test_background_and_doubt_are_no_events():
    assert run_reference(Decision(background=(0,)), 0.1, np.array([SURE] * 3)) == []
    assert run_reference(Decision(), 0.1, np.array([UNSURE] * 3)) == []


def test_reset_forgets():
    decider = Decider(Decision(smoothing=2, threshold=0.9), CLASSES, 0.1)
    assert decider.push(SURE) is None
    decider.reset()
    assert decider.push(SURE) is None
    assert decider.push(SURE) == Event(0, 255, 1)


@pytest.mark.parametrize("wrong", [{"smoothing": 0}, {"threshold": 0.0}, {"threshold": 1.5}, {"refractory": -1}])
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ConfigError):
        Decision(**wrong)
