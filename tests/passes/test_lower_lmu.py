"""Forms of an LMU: all compute the memory's readout, and only a memory that is a clip's own is turned into a filter."""

import numpy as np
import pytest
import torch
from architectures import recipe

from edgetx import ops
from edgetx.errors import UnsupportedOpError
from edgetx.frontends.torch import export_module
from edgetx.ir import Array, Graph, GraphBuilder
from edgetx.nn import build
from edgetx.ops.lmu import fir_length
from edgetx.passes.base import run_passes, why_not
from edgetx.passes.fold_into_lif import FoldIntoLif
from edgetx.passes.legalize_tflite import legalize_tflite
from edgetx.passes.lower_lmu import FORMS, UnfoldMemory, lowering
from edgetx.passes.pipeline import canonicalize
from edgetx.passes.streaming import Stream
from edgetx.quant.apply import signal_to_noise_db
from edgetx.reference import execute, initial_state

STEPS, ORDER, THETA, WIDTH, OUT = 30, 8, 12.0, 5, 6


def lmu_layer(start: float = 0.0, *, keep_last: bool = False, steps: int = STEPS, theta: float = THETA) -> Graph:
    """h = relu(W [m; x] + b)."""
    rng = np.random.default_rng(0)
    b = GraphBuilder("lmu")
    u, x = b.input("u", (1, steps, 1)), b.input("x", (1, steps, WIDTH))
    memory, last = b.ops(ops.Lmu(ORDER, theta), u, b.const(np.full((1, ORDER), start, np.float32), "start"), name="m")
    joined = b.op(ops.Concatenation(2), memory, x, name="joined")
    weight, bias = (b.const(rng.normal(size=s).astype(np.float32)) for s in ((OUT, ORDER + WIDTH), (OUT,)))
    y = b.op(ops.FullyConnected("relu"), joined, weight, bias, name="y")
    return b.graph(y, *([last] if keep_last else []))


def inputs(graph: Graph) -> list[Array]:
    rng = np.random.default_rng(1)
    return [rng.normal(size=value.shape).astype(np.float32) for value in graph.inputs]


@pytest.mark.parametrize("form", FORMS)
def test_forms_compute_the_same(form: str) -> None:
    graph = lmu_layer(theta=2.0 * STEPS)
    lowered = run_passes(graph, lowering(form))  # type: ignore[arg-type]
    assert ("lmu" in {node.op.name for node in lowered.nodes}) == (form in ("recurrence", "split"))
    np.testing.assert_allclose(execute(lowered, inputs(graph))[0], execute(graph, inputs(graph))[0], atol=1e-5)


def test_fir_reads_the_memory_within_the_filter() -> None:
    lowered = run_passes(lmu_layer(), lowering("fir"))
    filters = [node for node in lowered.nodes if isinstance(node.op, ops.Conv2D)]
    assert [node.output.shape[-1] for node in filters] == [OUT]
    assert not any(isinstance(node.op, ops.Concatenation) for node in lowered.nodes)


def test_filter_of_a_stream_remembers_as_the_recurrence_does() -> None:
    """Over three lengths of the clip, beyond whose beginning a filter of the clip has no taps."""
    torch.manual_seed(0)  # with some weights nothing gets into the memory
    made = recipe("lmuformer-causal", {"width": 8, "layers": 1, "mlp": 8, "mixer": ["lmu(8, 40)"]}, clip_ms=500.0)
    frames, features = made.input_shape
    x = np.random.default_rng(2).normal(size=(3 * frames, features)).astype(np.float32)
    graph = export_module(build(made).eval(), x[None, :frames], "m")
    forms = {
        "recurrence": canonicalize(graph, lmu="recurrence"),
        "stream": canonicalize(graph, lmu="fir", endless=True),
        "clip": canonicalize(graph, lmu="fir"),
    }
    heard = {}
    for name, clip in forms.items():
        streamed = Stream(1).run(clip)
        state = initial_state(streamed)
        heard[name] = np.stack([execute(streamed, [row[None, None]], state)[0] for row in x])
    found = {name: signal_to_noise_db(heard["recurrence"], heard[name]) for name in ("stream", "clip")}
    assert found["stream"] > 50 > found["clip"]


def test_long_history_is_cut_where_it_no_longer_matters() -> None:
    graph = lmu_layer(steps=200)
    lowered = run_passes(graph, lowering("fir"))
    (taps,) = {data.shape[2] for name, data in lowered.consts.items() if name.endswith(".taps")}
    assert taps == fir_length(ORDER, THETA, 200, 60.0) < 60
    found, exact = execute(lowered, inputs(graph))[0], execute(graph, inputs(graph))[0]
    error = float(((found - exact) ** 2).sum() / (exact**2).sum())
    assert error < 1e-5


@pytest.mark.parametrize("graph", [lmu_layer(start=1.0), lmu_layer(keep_last=True)], ids=["started", "kept"])
def test_memory_that_comes_from_or_goes_elsewhere_stays(graph: Graph) -> None:
    assert "starts empty and ends unread" in why_not(UnfoldMemory(), graph, "m")
    lowered = run_passes(graph, lowering("fir"))
    assert any(isinstance(node.op, ops.Lmu) for node in lowered.nodes)


def test_tflite_form_of_a_recurrence_is_a_filter() -> None:
    names = {node.op.name for node in legalize_tflite(lmu_layer()).nodes}
    assert "lmu" not in names


def test_recurrence_that_tflite_cannot_hold_says_what_to_do() -> None:
    node = lmu_layer(keep_last=True).nodes[0]
    with pytest.raises(UnsupportedOpError, match="would not forget") as refused:
        node.op.to_tflite(node, None)
    assert "lmu.form=fir" in refused.value.hint


def spiking_norm(*, read_elsewhere: bool = False) -> Graph:
    rng = np.random.default_rng(0)
    b = GraphBuilder("lif")
    x = b.input("x", (1, STEPS, WIDTH))
    gain, shift = (b.const(rng.normal(size=WIDTH).astype(np.float32), "c") for _ in range(2))
    normed = b.op(ops.Add(), b.op(ops.Mul(), x, gain, name="scaled"), shift, name="normed")
    ones, zeros = b.const(np.ones(WIDTH, np.float32), "ones"), b.const(np.zeros(WIDTH, np.float32), "zeros")
    start = b.const(np.zeros((1, WIDTH), np.float32), "start")
    spikes, _ = b.ops(ops.Lif(), normed, ones, zeros, start, name="s")
    return b.graph(spikes, *([normed] if read_elsewhere else []))


def test_normalization_becomes_part_of_the_neurons() -> None:
    graph = spiking_norm()
    folded = FoldIntoLif().run(graph)
    assert [node.op.name for node in folded.nodes] == ["lif"]
    np.testing.assert_array_equal(execute(folded, inputs(graph))[0], execute(graph, inputs(graph))[0])


def test_normalization_that_others_read_stays() -> None:
    assert "read elsewhere" in why_not(FoldIntoLif(), spiking_norm(read_elsewhere=True), "s")
