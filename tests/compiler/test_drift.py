"""What streams remember, and the bound of their distance from the float model."""

from dataclasses import replace

import numpy as np
import pytest
from streaming import audio_frames, pair_of

from edgetx.compiler.drift import RISK, answers_of, distance_of, extreme, memory_of
from edgetx.compiler.states import measure_states
from edgetx.compiler.streaming import StreamOptions, for_calibration
from edgetx.ir import GraphBuilder, QuantParams, TensorType, Value
from edgetx.ops import LinearRecurrence
from edgetx.passes.streaming import Stream
from edgetx.quant.restore import float_twin
from edgetx.runtimes.reference import ReferenceRuntime

HOPS = 400


def hops_of(pair, seed=0):
    frames = audio_frames(pair.clip, HOPS * pair.streamed.hop, seed)
    return frames.reshape(-1, *pair.streamed.graph.inputs[0].shape)


def remembered(streamed, runtime, hops):
    return memory_of(streamed, runtime, hops, answers_of(runtime, hops))


@pytest.mark.parametrize("kind", ["causal", "strided", "attention"])
def test_rings_forget_after_as_many_hops_as_they_hold(kind):
    pair = pair_of(kind)
    memory = remembered(pair.streamed, ReferenceRuntime(pair.streamed.graph), hops_of(pair))
    assert memory.proven
    assert memory.hops == pair.streamed.ready
    assert memory.residual == 0


def test_recurrences_are_measured():
    pair = pair_of("spiking")
    memory = remembered(pair.streamed, ReferenceRuntime(pair.streamed.graph), hops_of(pair))
    assert not memory.proven
    assert memory.residual <= pair.streamed.graph.outputs[0].type.scale


class Hoarder:
    """A runtime that never forgets."""

    name = "int"

    def reset(self):
        self.total = np.zeros((1, 3), np.int64)

    def run(self, inputs):
        self.total = self.total + inputs[0].sum() % 3
        return (self.total,)


def test_what_never_forgets_is_found_out():
    pair = pair_of("lmu")
    hoarding = type(pair.streamed)(**{**vars(pair.streamed), "endless": True})
    memory = remembered(hoarding, Hoarder(), hops_of(pair))
    assert memory.hops is None
    assert memory.residual > 10 * pair.streamed.graph.outputs[0].type.scale


def test_too_little_audio_says_nothing():
    pair = pair_of("causal")
    assert remembered(pair.streamed, ReferenceRuntime(pair.streamed.graph), hops_of(pair)[:40]) is None
    assert extreme(np.ones(30), 10, 100.0) is None


def test_distance_is_that_of_the_answers_and_parts_cover_all():
    pair = pair_of("causal")
    graph = pair.streamed.graph
    floats = Stream(pair.streamed.hop).run(float_twin(pair.clip))
    hops = hops_of(pair)
    answers = answers_of(ReferenceRuntime(graph), hops)
    whole = distance_of(pair.streamed, floats, hops, answers, 20.0)[0]
    parts = distance_of(pair.streamed, floats, hops, answers, 20.0, parts=3)
    assert sum(part.hops for part in parts) == whole.hops == HOPS
    assert max(part.largest for part in parts) == whole.largest
    assert 0 < whole.mean < whole.p99 <= whole.largest <= whole.hour


@pytest.mark.parametrize("draw", ["normal", "rounding"])
def test_bound_holds_for_as_many_hours_as_it_says(draw):
    """Largest of 400 blocks, foretold from 40 of them, a few hundred times over."""
    rng = np.random.default_rng(0)
    kept = 0
    for _ in range(300):
        values = rng.normal(size=(440, 25)) if draw == "normal" else rng.uniform(-1, 1, (440, 25, 12)).sum(-1)
        values = np.abs(values)
        bound = extreme(values[:40].reshape(-1), 25, 400.0)
        kept += bool(values[40:].max() <= bound)
    assert kept / 300 >= 1 - 3 * RISK


def test_calibration_hears_clips_one_after_the_other():
    pair = pair_of("lmu")
    running = for_calibration(float_twin(pair.clip), StreamOptions())
    assert running.states
    assert running.inputs[0].shape[1] == pair.streamed.clip_frames // 8


def test_rings_need_no_width_of_their_own():
    pair = pair_of("causal")
    states = measure_states(pair.streamed, Stream(1).run(float_twin(pair.clip)), hops_of(pair)[:10])
    assert states.rings == sum(state.init.nbytes for state in pair.streamed.graph.states)
    assert (states.recurrent, states.needed, states.used) == (0, None, None)
    assert {(row.bits, row.begins, row.noise_db, row.recurrent) for row in states.kept} == {(8, 0.0, None, False)}


def test_eight_bits_drift_where_sixteen_do_not():
    """A leaky sum that forgets slowly: rounded to eight bits it loses what comes in small steps."""
    b = GraphBuilder("leaky")
    x = b.input("x", (1, 1, 4))
    decay = b.const(np.full((1, 1, 4), 0.995, np.float32), "decay")
    state = b.state("sum", np.zeros((1, 4), np.float32))
    steps, last = b.ops(LinearRecurrence(), decay, x, state)
    b.write_state(state, last)
    graph = b.graph(steps)
    frames = np.abs(np.random.default_rng(0).normal(0, 20, (2000, 1, 1, 4))).clip(0, 127).astype(np.int8)
    whole = Value("x", TensorType((1, 1, 4)).with_quant("int8", QuantParams((0.01,))))
    stream = replace(pair_of("causal").streamed, graph=replace(graph, inputs=(whole,)))
    states = measure_states(stream, graph, frames)
    eight, sixteen, wide = states.widths
    assert eight.last_db < 30
    assert sixteen.last_db > 50
    assert wide.last_db >= sixteen.last_db
    assert states.needed == states.used == 16
    (row,) = states.kept
    assert row.recurrent
    assert row.begins == 0
    assert row.noise_db > 50
