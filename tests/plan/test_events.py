"""Layers on spikes: which they are, and that adding the columns that fire gives the bits of the dense layer."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parents[1] / "ops"))
from host_kernels import run_call

from edgetx import ops
from edgetx.backends.c import emit_c, write_c
from edgetx.compiler.spikes import EventCosts, firing_rates, load_event_costs, spike_statistics
from edgetx.firmware import build_firmware
from edgetx.ir import Graph, GraphBuilder, QuantParams, Value
from edgetx.ops.lif import Gain
from edgetx.ops.quant_rule import Bias, Weight
from edgetx.plan.events import event_call, is_spikes, spike_layers
from edgetx.reference import execute
from edgetx.targets import load_target

SHAPES = [(1, 1, 1), (3, 5, 7), (2, 8, 8), (2, 9, 17), (3, 64, 12), (1, 258, 9), (2, 700, 3)]


def neurons(b: GraphBuilder, steps: int, channels: int) -> Value:
    """Neurons without memory, which fire where the input is positive."""
    op = ops.Lif(tau=1.0)
    x = b.input("x", (1, steps, channels), "int8", QuantParams((0.05,)))
    gain, quant = Gain(op.unit).quantize(np.full(channels, 50.0), [x.type], x.type)
    constants = [b.const(gain, "gain", quant), b.const(np.zeros(channels, np.int32), "shift", quant)]
    fixed = op.quant_rule().fixed
    start = b.const(np.zeros((1, channels), np.int16), "start", fixed[1][1])
    return b.ops(op, x, *constants, start, quants=[("int8", fixed[0][1]), ("int16", fixed[1][1])], name="s")[0]


def layer(b: GraphBuilder, spikes: Value, op: ops.FullyConnected | ops.Conv2D, shape: tuple[int, ...]) -> Value:
    rng = np.random.default_rng(sum(shape))
    integers, quant = Weight(0).quantize(rng.normal(0, 0.1, shape), [], spikes.type)
    w = b.const(integers, "w", quant)
    integers, quant = Bias().quantize(rng.normal(0, 0.5, shape[0]), [spikes.type, w.type], spikes.type)
    y = QuantParams((float(np.float32(0.02 * np.sqrt(shape[-1]))),), 5)
    return b.op(op, spikes, w, b.const(integers, "b", quant), quant=("int8", y), name="layer")


def dense(rows: int, inputs: int, outputs: int, activation: str = "none") -> Graph:
    b = GraphBuilder("dense")
    op = ops.FullyConnected(activation)  # type: ignore[arg-type]
    return b.graph(layer(b, neurons(b, rows, inputs), op, (outputs, inputs)))


def convolution(steps: int, channels: int, outputs: int, taps: int = 3) -> Graph:
    b = GraphBuilder("convolution")
    spikes = neurons(b, steps, channels)
    same = ("int8", spikes.type.quant)
    padded = b.op(ops.Pad(((0, 0), (taps - 1, 0), (0, 0))), spikes, quant=same)
    image = b.op(ops.Reshape((1, 1, steps + taps - 1, channels)), padded, quant=same)
    return b.graph(layer(b, image, ops.Conv2D(activation="relu"), (outputs, 1, taps, channels)))


def inputs(graph: Graph, rate: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    shape = graph.inputs[0].shape
    return np.where(rng.random(shape) < rate, 127, -128).astype(np.int8)


GRAPHS = [
    *(dense(*shape) for shape in SHAPES),
    dense(3, 17, 9, "relu6"),
    convolution(6, 8, 5),
    convolution(9, 1, 12, taps=5),
    convolution(3, 7, 8),
]


@pytest.mark.parametrize("graph", GRAPHS, ids=lambda g: f"{g.name}-{g.inputs[0].shape}-{g.outputs[0].shape}")
@pytest.mark.parametrize("rate", [0.0, 0.1, 0.6, 1.0])
def test_events_give_the_bits_of_the_dense_layer(graph: Graph, rate: float) -> None:
    (found,) = spike_layers(graph)
    call = found.node.op.to_c(found.node)  # type: ignore[attr-defined]
    data = [graph.const(o) if isinstance(o, Value) else o for o in call.operands]
    by_events = event_call(found, call, data)
    assert by_events is not None
    seen: dict[str, np.ndarray] = {}
    (expected,) = execute(graph, [inputs(graph, rate)], observe=seen.__setitem__)
    result = np.empty_like(expected)
    run_call(by_events, {**graph.consts, **seen}, [result])
    np.testing.assert_array_equal(result, expected)


@pytest.mark.toolchain
@pytest.mark.simulator
@pytest.mark.parametrize("board", ["nucleo-l4r5zi", "nucleo-g0b1re"])
@pytest.mark.parametrize("graph", [dense(9, 40, 20), convolution(7, 12, 9)], ids=lambda g: g.name)
def test_events_on_the_cores(board: str, graph: Graph, tmp_path: Path) -> None:
    pytest.importorskip("unicorn")
    from edgetx.runtimes.simulator import SimulatorRuntime

    target = load_target(board)
    write_c(emit_c(graph, target.kernels, ["layer"]), tmp_path / "c")
    firmware = build_firmware(tmp_path / "c", target, tmp_path / "image.elf", [])
    runtime = SimulatorRuntime(target, firmware.elf, graph)
    for rate in (0.0, 0.2, 1.0):
        x = inputs(graph, rate)
        np.testing.assert_array_equal(runtime.run([x])[0], execute(graph, [x])[0])


def test_only_spikes_are_spikes() -> None:
    graph = convolution(6, 8, 5)
    assert is_spikes(graph, graph.nodes[-1].inputs[0])
    assert not is_spikes(graph, graph.inputs[0])
    assert not is_spikes(graph, graph.outputs[0])
    assert not is_spikes(graph, graph.nodes[0].outputs[1])  # the membrane


def test_rings_of_spikes_are_spikes_and_other_states_are_not() -> None:
    b = GraphBuilder("hop")
    spikes = neurons(b, 1, 4)
    for begins, expected in ((0, True), (3, False)):
        ring = b.state("ring", np.full((1, 3, 4), begins, np.int8), spikes.type.quant)
        last = b.op(ops.ShiftIn(1), ring, spikes, quant=("int8", spikes.type.quant))
        b.write_state(ring, last)
        assert is_spikes(b.graph(last), last) == expected


def test_strided_and_padded_convolutions_stay_dense() -> None:
    b = GraphBuilder("strided")
    spikes = neurons(b, 8, 4)
    image = b.op(ops.Reshape((1, 1, 8, 4)), spikes, quant=("int8", spikes.type.quant))
    for op in (ops.Conv2D((1, 2)), ops.Conv2D(padding="same"), ops.Conv2D(dilation=(1, 2))):
        assert not spike_layers(b.graph(layer(b, image, op, (3, 1, 3, 4)))), op


COSTS = EventCosts("core", "made up", 1.0, 2.0, 10.0, 0.5, 2.0, 20.0, 1.0, 3.0, 4.0, 0.5, 0.0)


def test_break_even_is_where_costs_meet() -> None:
    (found,) = spike_layers(dense(4, 100, 10))
    rate = COSTS.break_even(found)
    assert 0 < rate < 1
    assert COSTS.events(found, rate) == pytest.approx(COSTS.dense(found))
    searching = replace(COSTS, cycles_per_input=200.0)
    assert searching.break_even(found) == 0  # looking for spikes takes longer than all products


def test_rates_are_those_of_the_inputs() -> None:
    graph = dense(50, 40, 5)
    x = inputs(graph, 0.3)
    (name,) = {node.inputs[0].name for node in graph.nodes if node.name == "layer"}
    assert firing_rates(graph, [(x,)], {name})[name] == pytest.approx(float((x > 0).mean()))


@pytest.mark.parametrize("core", ["cortex-m4", "cortex-m0plus", "cortex-m7", "cortex-m33"])
def test_quiet_layers_skip_and_loud_ones_do_not(core: str) -> None:
    costs = load_event_costs(core)
    assert costs is not None
    graph = dense(20, 192, 64)
    for rate in (0.0, 0.02):
        assert spike_statistics(graph, [(inputs(graph, rate),)], core)[0].event_driven
    (loud,) = spike_statistics(graph, [(inputs(graph, 1.0),)], core)
    assert loud.event_driven == (costs.break_even(spike_layers(graph)[0]) >= 1.0 and loud.rate < 1.0)
    assert loud.synaptic_operations == pytest.approx(loud.macs)


def test_core_without_costs_stays_dense() -> None:
    graph = dense(20, 64, 64)
    (found,) = spike_statistics(graph, [(inputs(graph, 0.0),)], "cortex-a53")
    assert found.break_even is None
    assert not found.event_driven
