"""Recurrences: kernel, hops and ONNX against the integer reference, bit for bit, and that against the real function."""

import numpy as np
import pytest
from host_kernels import run_c
from recurrent_cases import CASES, RecurrentCase, contents, lif, lmu, one_step

from edgetx import ops
from edgetx.backends.onnx import write_onnx
from edgetx.errors import ModelError, QuantError
from edgetx.fixedpoint import dequantize
from edgetx.ir import Graph, GraphBuilder, QuantParams, TensorType
from edgetx.ops.lif import SPIKE
from edgetx.ops.linear_recurrence import DECAY
from edgetx.reference import execute

SEEDS = range(10)
THRESHOLD = ops.Lif().threshold_units


@pytest.mark.parametrize("case", CASES, ids=str)
def test_kernel_equals_reference(case: RecurrentCase) -> None:
    for seed in SEEDS:
        graph = case.graph(seed)
        inputs = contents(graph, seed)
        for found, expected in zip(run_c(graph, inputs), execute(graph, inputs), strict=True):
            assert found.dtype == expected.dtype
            np.testing.assert_array_equal(found, expected, f"seed {seed}")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_hops_equal_the_clip(case: RecurrentCase) -> None:
    for seed in SEEDS:
        graph = case.graph(seed)
        *sequences, state = contents(graph, seed)
        expected, last = execute(graph, [*sequences, state])
        hop = one_step(graph)
        for step in range(graph.inputs[0].shape[1]):
            found, state = execute(hop, [*(x[:, step : step + 1] for x in sequences), state])
            np.testing.assert_array_equal(found, expected[:, step : step + 1])
        np.testing.assert_array_equal(state, last)


@pytest.mark.runtimes
@pytest.mark.parametrize("case", CASES, ids=str)
def test_onnx_equals_reference(case: RecurrentCase) -> None:
    from edgetx.runtimes.onnxruntime import tensor_differences

    for seed in SEEDS[:2]:
        graph = case.graph(seed)
        differences = tensor_differences(graph, write_onnx(graph), [contents(graph, seed)])
        assert set(differences.values()) == {0}, (seed, differences)


@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_memory_is_near_the_real_one(dtype: str) -> None:
    """A memory of 16 bits within 35 dB, as `Never int8` demands, for a rectified random walk over many windows."""
    graph = lmu(600, 16, dtype, 64.0).graph(0)  # type: ignore[arg-type]
    rng = np.random.default_rng(0)
    walk = np.clip(np.cumsum(rng.normal(0, 0.05, 600)) % 1.6 - 0.8, 0, 1)
    kind = graph.inputs[0].type
    u = np.round(kind.zero_point + walk * (kind.qmax - kind.zero_point) * 0.9).astype(kind.dtype).reshape(1, -1, 1)
    found, _ = execute(graph, [u, np.zeros(graph.inputs[1].shape, np.int16)])
    real, _ = ops.Lmu(16, 64.0).float_ref(dequantize(u, kind.scale, kind.zero_point), np.zeros((1, 16)))
    error = found * graph.outputs[0].type.scale - real
    inside = np.abs(real) < 32000 * graph.outputs[0].type.scale
    if inside.all():
        assert 10 * np.log10((real**2).sum() / (error**2).sum()) > 35


def test_memory_saturates_and_recovers() -> None:
    graph = _lmu_with_state(scale=1e-4)
    u = np.array([127] * 60 + [0] * 400, np.int8).reshape(1, -1, 1)
    found, last = execute(graph, [u, np.zeros((1, 4), np.int16)])
    assert found.max() == 32767 or found.min() == -32768
    assert np.abs(last).max() < 600  # it forgets what it could not hold
    np.testing.assert_array_equal(run_c(graph, [u, np.zeros((1, 4), np.int16)])[0], found)


def test_absurd_scale_of_the_memory_is_an_error() -> None:
    graph = _lmu_with_state(scale=1e-12)
    with pytest.raises(QuantError, match="too fine"):
        execute(graph, [np.zeros((1, 460, 1), np.int8), np.zeros((1, 4), np.int16)])


def _lmu_with_state(scale: float) -> Graph:
    b = GraphBuilder("lmu")
    u, state = b.input("u", (1, 460, 1), "int8", QuantParams((0.1,))), QuantParams((scale,))
    start = b.input("m0", (1, 4), "int16", state)
    return b.graph(*b.ops(ops.Lmu(4, 16.0), u, start, quants=[("int16", state)] * 2))


@pytest.mark.parametrize("v", [THRESHOLD - 1, THRESHOLD, THRESHOLD + 1, -32768, 32767, 0, 1, -1])
@pytest.mark.parametrize("x", [-32768, -1, 0, 1, 2, 32767])
def test_membrane_near_threshold_ties_and_rails(v: int, x: int) -> None:
    """v ← (v + x + 1) >> 1 with a guard bit; a spike from the threshold on, then 0."""
    b, op = GraphBuilder("lif"), ops.Lif()
    fixed = op.quant_rule().fixed
    current = b.input("x", (1, 1, 1), "int16", fixed[1][1])  # one step of x is one unit of the membrane
    start = b.input("v0", (1, 1), "int16", fixed[1][1])
    gain, shift = b.const(np.ones(1, np.int32), "gain", QuantParams((1.0,))), b.const(np.zeros(1, np.int32), "shift")
    graph = b.graph(*b.ops(op, current, gain, shift, start, quants=[("int8", fixed[0][1]), ("int16", fixed[1][1])]))
    inputs = [np.full((1, 1, 1), x, np.int16), np.full((1, 1), v, np.int16)]
    membrane = (v + x + 1) >> 1
    fires = membrane >= THRESHOLD
    for spike, after in (execute(graph, inputs), run_c(graph, inputs)):
        assert spike.item() == (SPIKE if fires else 0)
        assert after.item() == (0 if fires else membrane)


def test_current_saturates_where_every_neuron_fires() -> None:
    graph = lif(1, 3, "int8", affine=False, threshold=0.01).graph(3)
    node = graph.nodes[0]
    constants = (graph.consts[v.name] for v in node.inputs[1:3])
    found = node.op.currents(node, np.array([[[-128, 0, 127]]], np.int8), *constants)
    assert np.abs(found).max() <= node.op.current_max


def test_membrane_saturates_below_and_recovers() -> None:
    """Under a strong current the wrong way the membrane stays at the rail; the right way, it fires at once."""
    for tau in (1.0, 2.0, 20.0):
        graph = lif(400, 1, "int8", affine=False, threshold=1e-3, tau=tau).graph(3)
        low, high = graph.inputs[0].type.qmin, graph.inputs[0].type.qmax
        x = np.full((1, 400, 1), low, np.int8)
        x[0, -1] = high
        spikes, _ = execute(graph, [x, np.zeros((1, 1), np.int16)])
        assert spikes.ravel().tolist() == [0] * 399 + [SPIKE]
        np.testing.assert_array_equal(run_c(graph, [x, np.zeros((1, 1), np.int16)])[0], spikes)


def test_spikes_are_those_of_the_real_neuron_but_near_the_threshold() -> None:
    for seed in range(20):
        graph = lif(40, 33, "int8").graph(seed)
        node = graph.nodes[0]
        x = np.random.default_rng(seed).integers(-128, 128, graph.inputs[0].shape).astype(np.int8)
        gain, shift = (graph.consts[v.name] * v.type.scale for v in node.inputs[1:3])
        real = dequantize(x, graph.inputs[0].type.scale, graph.inputs[0].type.zero_point)
        v, spikes = np.zeros(33), []
        for current in (real * gain + shift)[0]:
            v = np.maximum(v + (current - v) / node.op.tau, -node.op.reach * node.op.threshold)
            spikes.append(v >= node.op.threshold)
            v = np.where(spikes[-1], 0, v)
        found = execute(graph, [x, np.zeros((1, 33), np.int16)])[0] / SPIKE
        assert (found[0] != spikes).mean() < 0.01


MISFITS = [
    (ops.Lmu(4, 8.0), [(1, 5, 2), (1, 4)], "one scalar"),
    (ops.Lmu(4, 8.0), [(1, 5, 1), (1, 3)], "state"),
    (ops.Lif(), [(1, 5, 2), (2,), (2,), (1, 3)], "state"),
    (ops.Lif(), [(1, 5, 2), (3,), (2,), (1, 2)], "lif of"),
    (ops.LinearRecurrence(), [(1, 5, 1, 3), (1, 5, 2, 3), (1, 2, 3)], "decay"),
    (ops.LinearRecurrence(), [(1, 5, 2), (1, 5, 2), (1, 3)], "state"),
]


@pytest.mark.parametrize(("op", "shapes", "reason"), MISFITS, ids=lambda value: getattr(value, "name", ""))
def test_misfit_is_refused(op: ops.Op, shapes: list[tuple[int, ...]], reason: str) -> None:
    with pytest.raises(ModelError, match=reason):
        op.infer(*map(TensorType, shapes))


@pytest.mark.parametrize(("threshold", "tau"), [(0.0, 2.0), (-1.0, 2.0), (1.0, 0.5)])
def test_neuron_without_meaning_is_refused(threshold: float, tau: float) -> None:
    with pytest.raises(ModelError, match="lif with"):
        ops.Lif(threshold, tau)


def test_wide_exponential_in_c_is_its_table() -> None:
    b = GraphBuilder("wide_exp")
    x = b.input("x", (1, 16, 16), "int8", QuantParams((0.03,), 127))
    graph = b.graph(b.op(ops.WideExp(), x, quant=("int16", DECAY)))
    every = np.arange(-128, 128).astype(np.int8).reshape(1, 16, 16)
    (found,), (expected,) = run_c(graph, [every]), execute(graph, [every])
    np.testing.assert_array_equal(found, expected)
    real = np.exp(0.03 * (every.astype(float) - 127))
    assert np.abs(found / 2**15 - real).max() <= 2**-15
