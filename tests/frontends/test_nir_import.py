"""Spiking networks in the exchange format of their field: what they compute, and what has no form is named."""

import random
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgetx.backends.c import emit_c, write_c
from edgetx.compiler.quantized import quantize_model
from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.firmware import build_host_library
from edgetx.fixedpoint import quantize
from edgetx.frontends.nir import load_nir
from edgetx.ir import Graph
from edgetx.quant import QuantRecipe
from edgetx.reference import execute, initial_state
from edgetx.runtimes.host_c import HostC

nir = pytest.importorskip("nir")

DT, STEPS = 1e-3, 60
RNG = np.random.default_rng(0)


def lif(size: int, tau: float | np.ndarray = 4e-3, **changes: Any) -> Any:
    ones = np.ones(size)
    given = {"tau": tau * ones, "r": 2 * ones, "v_leak": 0 * ones, "v_threshold": ones, "v_reset": 0 * ones, **changes}
    return nir.LIF(**given)


def written(path: Path, nodes: dict[str, Any], edges: list[tuple[str, str]]) -> Path:
    nir.write(str(path), nir.NIRGraph(nodes, edges))
    return path


def chain(path: Path, size: int, *nodes: Any, out: int | None = None) -> Path:
    names = [f"n{i}" for i in range(len(nodes))]
    every = {"input": nir.Input({"input": np.array([size])}), **dict(zip(names, nodes, strict=True)),
             "output": nir.Output({"output": np.array([out or size])})}  # fmt: skip
    order = ["input", *names, "output"]
    return written(path, every, list(pairwise(order)))


def run(graph: Graph, xs: np.ndarray) -> np.ndarray:
    state = initial_state(graph)
    return np.stack([execute(graph, [x], state)[0].ravel() for x in xs])


def currents(size: int) -> np.ndarray:
    return RNG.normal(0.4, 0.6, (STEPS, size)).astype(np.float32)


def euler_lif(xs: np.ndarray, node: Any) -> np.ndarray:
    """v += dt/τ (v_leak − v + r I), spike from the threshold on, reset to 0."""
    v, spikes = np.zeros(xs.shape[1]), []
    for x in xs:
        v = v + DT / node.tau * (node.v_leak - v + node.r * x)
        fired = v >= node.v_threshold
        spikes.append(fired.astype(float))
        v = np.where(fired, 0, v)
    return np.stack(spikes)


def test_neurons_are_those_of_the_equation(tmp_path: Path) -> None:
    node = lif(5, v_leak=np.full(5, 0.1), v_threshold=np.linspace(0.5, 1.5, 5))
    graph = load_nir(chain(tmp_path / "lif.nir", 5, node), DT)
    xs = currents(5)
    np.testing.assert_array_equal(run(graph, xs), euler_lif(xs, node))
    assert run(graph, xs).any()


def test_low_pass_and_current_based_neurons(tmp_path: Path) -> None:
    ones = np.ones(4)
    li = nir.LI(tau=np.array([2e-3, 4e-3, 8e-3, 5e-2]), r=3 * ones, v_leak=0.2 * ones)
    xs = currents(4)
    v, expected = np.zeros(4), []
    for x in xs:
        v = v + DT / li.tau * (li.v_leak - v + li.r * x)
        expected.append(v)
    np.testing.assert_allclose(run(load_nir(chain(tmp_path / "li.nir", 4, li), DT), xs), expected, atol=1e-5)
    cuba = nir.CubaLIF(tau_syn=2e-3 * ones, tau_mem=4e-3 * ones, r=2 * ones, v_leak=0 * ones, v_threshold=ones,
                       v_reset=0 * ones, w_in=1.5 * ones)  # fmt: skip
    current, currents_ = np.zeros(4), []
    for x in xs:
        current = current + DT / cuba.tau_syn * (cuba.w_in * x - current)
        currents_.append(current)
    membrane = lif(4)
    found = run(load_nir(chain(tmp_path / "cuba.nir", 4, cuba), DT), xs)
    np.testing.assert_array_equal(found, euler_lif(np.stack(currents_), membrane))


def network(path: Path) -> Path:
    w1, w2 = RNG.normal(0, 0.5, (12, 6)), RNG.normal(0, 0.4, (12, 12))
    nodes = {
        "input": nir.Input({"input": np.array([6])}),
        "first": nir.Affine(w1, RNG.normal(0, 0.1, 12)),
        "spikes": lif(12),
        "back": nir.Linear(w2),
        "readout": nir.Linear(RNG.normal(0, 0.5, (3, 12))),
        "out": nir.LI(tau=np.full(3, 2e-2), r=np.ones(3), v_leak=np.zeros(3)),
        "output": nir.Output({"output": np.array([3])}),
    }
    edges = [("input", "first"), ("first", "spikes"), ("spikes", "back"), ("back", "spikes"), ("spikes", "readout"),
             ("readout", "out"), ("out", "output")]  # fmt: skip
    return written(path, nodes, edges)


def test_recurrent_network_in_integers_and_in_c(tmp_path: Path) -> None:
    """The spikes of the step before come back; integers stay near, and C has their bits, step after step."""
    graph = load_nir(network(tmp_path / "net.nir"), DT)
    assert {state.name for state in graph.states} == {"spikes.previous", "spikes.membrane", "out.state"}
    xs = currents(6)
    model = quantize_model(graph, xs[:, None], QuantRecipe())
    write_c(emit_c(model.graph), tmp_path / "c")
    c = HostC(build_host_library(tmp_path / "c", tmp_path / "net.so"), model.graph.inputs, model.graph.outputs)
    given = model.graph.inputs[0].type
    state, reals = initial_state(model.graph), run(graph, xs)
    results = []
    for x in xs:
        q = quantize(x.reshape(given.shape), given.scale, given.zero_point, given.dtype)
        (expected,) = execute(model.graph, [q], state)
        np.testing.assert_array_equal(c.run([q])[0].reshape(expected.shape), expected)
        results.append(expected.ravel() * model.graph.outputs[0].type.scale)
    assert np.corrcoef(np.stack(results).ravel(), reals.ravel())[0, 1] > 0.98


@pytest.mark.parametrize("dims", [1, 2])
def test_convolution_keeps_the_order_of_nir(tmp_path: Path, dims: int) -> None:
    torch = pytest.importorskip("torch")
    weight, bias = RNG.normal(size=(3, 2, *[3] * dims)).astype(np.float32), RNG.normal(size=3).astype(np.float32)
    shape = (7,) if dims == 1 else (7, 5)
    kind, size = (nir.Conv1d, 7) if dims == 1 else (nir.Conv2d, shape)
    node = kind(size, weight, *[2] * 1, 1, 1, 1, bias) if dims == 1 else kind(size, weight, 2, 1, 1, 1, bias)
    x = RNG.normal(size=(1, 2, *shape)).astype(np.float32)
    function = torch.nn.functional.conv1d if dims == 1 else torch.nn.functional.conv2d
    y = function(torch.from_numpy(x), torch.from_numpy(weight), torch.from_numpy(bias), 2, 1).numpy()
    nodes = {"input": nir.Input({"input": np.array(x.shape[1:])}), "conv": node,
             "output": nir.Output({"output": np.array(y.shape[1:])})}  # fmt: skip
    graph = load_nir(written(tmp_path / "conv.nir", nodes, [("input", "conv"), ("conv", "output")]), DT)
    np.testing.assert_allclose(execute(graph, [x.reshape(1, 1, -1)])[0].ravel(), y.ravel(), atol=1e-5)


REFUSED = [
    (lambda: nir.IF(r=np.ones(4), v_threshold=np.ones(4), v_reset=np.zeros(4)), "NIR node IF"),
    (lambda: nir.Threshold(np.ones(4)), "NIR node Threshold"),
    (lambda: lif(4, v_reset=np.full(4, 0.2)), "reset to other than 0"),
    (lambda: lif(4, np.array([1e-2, 2e-2, 1e-2, 1e-2])), "different time constants"),
]


@pytest.mark.parametrize(("make", "reason"), REFUSED, ids=[reason for _, reason in REFUSED])
def test_node_without_a_form_is_named(tmp_path: Path, make: Any, reason: str) -> None:
    with pytest.raises(UnsupportedOpError, match=reason) as refused:
        load_nir(chain(tmp_path / "refused.nir", 4, make()), DT)
    assert refused.value.where == "n0"


def test_time_constant_below_a_step_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="time constant"):
        load_nir(chain(tmp_path / "fast.nir", 4, lif(4, tau=1e-4)), DT)


def replaced(path: Path, field: str, data: Any) -> Path:
    """A good network with other contents in one place."""
    h5py = pytest.importorskip("h5py")
    network(path)
    with h5py.File(path, "a") as file:
        del file[field]
        file[field] = data
    return path


@pytest.mark.parametrize(
    ("field", "data", "reason"),
    [
        ("node/nodes/first/bias", np.zeros((12, 1, 2)), "24 parameters for 12 values"),
        ("node/nodes/first/bias", "many", "no numbers"),
        ("node/nodes/back/weight", "many", "not a NIR graph"),
        ("node/nodes/readout/weight", np.zeros((3, 11)), "not a NIR graph"),
        ("node/nodes/out/tau", np.zeros(5), "not a NIR graph"),
    ],
)
def test_contents_that_do_not_fit_are_errors(tmp_path: Path, field: str, data: Any, reason: str) -> None:
    with pytest.raises(ModelError, match=reason):
        load_nir(replaced(tmp_path / "odd.nir", field, data), DT)


def test_damaged_files_are_errors(tmp_path: Path) -> None:
    """Bytes cut off or changed: a clear error or, where nothing that matters was hit, the graph."""
    good = network(tmp_path / "good.nir").read_bytes()
    generator = random.Random(0)
    for index in range(40):
        broken = bytearray(good[: generator.randrange(len(good))] if index % 2 else good)
        for _ in range(0 if index % 2 else 8):
            broken[generator.randrange(len(broken))] = generator.randrange(256)
        path = tmp_path / f"broken{index}.nir"
        path.write_bytes(bytes(broken))
        with suppress(ModelError):
            load_nir(path, DT)


def test_trained_weights(tmp_path: Path, shared_data: Path) -> None:
    """The linear part and the leaky readout of a published keyword network; its neurons adapt, which NIR cannot say."""
    w = np.load(shared_data / "models" / "snn_gscv1_srnn.npz")
    sound = np.isfinite(w["dense_1.dense.bias"])  # one neuron of the file is not a number
    assert sound.sum() == 299
    share = 1 - np.exp(-1 / w["dense_2.tau_m"].astype(np.float64))  # of the input in each step
    nodes = {
        "input": nir.Input({"input": np.array([120])}),
        "dense_1": nir.Affine(w["dense_1.dense.weight"][sound], w["dense_1.dense.bias"][sound]),
        "spikes_1": lif(299, 20 * DT, v_threshold=np.full(299, float(w["thr"][0])), r=np.ones(299)),
        "dense_2": nir.Affine(w["dense_2.dense.weight"][:, sound], w["dense_2.dense.bias"]),
        "readout": nir.LI(tau=DT / share, r=np.ones(12), v_leak=np.zeros(12)),
        "output": nir.Output({"output": np.array([12])}),
    }
    order = list(nodes)
    graph = load_nir(written(tmp_path / "srnn.nir", nodes, list(pairwise(order))), DT)
    xs = RNG.normal(0, 1, (40, 120)).astype(np.float32)
    model = quantize_model(graph, xs[:, None], QuantRecipe())
    given, kind = model.graph.inputs[0].type, model.graph.outputs[0].type
    found = run(model.graph, quantize(xs, given.scale, given.zero_point, given.dtype)) * kind.scale
    real = run(graph, xs)
    assert 10 * np.log10((real**2).sum() / ((found - real) ** 2).sum()) > 15
