"""Ranges of spiking neurons."""

import numpy as np
import pytest

from edgetx.fixedpoint import quantize
from edgetx.ir import Graph, GraphBuilder
from edgetx.ops import Add, FullyConnected, Lif, Reshape
from edgetx.quant import QuantRecipe, apply_plan, calibrate, make_plan, with_telling_currents
from edgetx.reference import execute

STEPS, CHANNELS = 40, 12


def spiking(second_reader: bool = False) -> Graph:
    """Currents of a layer, some of them far above the threshold, into neurons."""
    rng = np.random.default_rng(0)
    b = GraphBuilder("spiking")
    x = b.input("x", (1, 1, STEPS, 8))
    weight = b.const(rng.normal(0, np.geomspace(0.2, 3, CHANNELS)[:, None], (CHANNELS, 8)).astype(np.float32), "w")
    moved = b.op(Reshape((1, STEPS, CHANNELS)), b.op(FullyConnected(), x, weight, name="current"), name="moved")
    gain, shift, v = (b.const(np.full(shape, value, np.float32)) for shape, value in
                      ((CHANNELS, 1.0), (CHANNELS, 0.0), ((1, CHANNELS), 0.0)))  # fmt: skip
    spikes, _ = b.ops(Lif(), moved, gain, shift, v)
    return b.graph(b.op(Add(), spikes, moved) if second_reader else spikes)


def inputs(seed: int, count: int = 24) -> list[tuple[np.ndarray]]:
    rng = np.random.default_rng(seed)
    return [(rng.normal(size=(1, 1, STEPS, 8)).astype(np.float32),) for _ in range(count)]


@pytest.fixture(scope="module")
def ranges():
    graph = spiking()
    seen = calibrate(graph, inputs(0), "mse")
    return graph, seen, with_telling_currents(graph, seen, inputs(0))


def differing(graph: Graph, ranges) -> float:
    integer = apply_plan(graph, make_plan(graph, ranges, QuantRecipe()))
    kind, wrong = integer.inputs[0].type, []
    for (x,) in inputs(1):
        found = execute(integer, [quantize(x, kind.scale, kind.zero_point, kind.dtype)])[0]
        wrong.append(((found != 0) != (execute(graph, [x])[0] != 0)).mean())
    return float(np.mean(wrong))


def test_fewer_spikes_differ_on_inputs_that_were_not_seen(ranges):
    graph, seen, telling = ranges
    assert differing(graph, telling) < 0.8 * differing(graph, seen)


def test_values_that_are_only_moved_share_the_range(ranges):
    _, seen, telling = ranges
    assert telling["current"] == telling["moved"]
    assert telling["moved"][1] < seen["moved"][1]
    assert {name for name in seen if seen[name] != telling[name]} == {"current", "moved"}


def test_currents_that_something_else_reads_are_kept_whole():
    graph = spiking(second_reader=True)
    seen = calibrate(graph, inputs(0), "mse")
    assert with_telling_currents(graph, seen, inputs(0)) == seen
