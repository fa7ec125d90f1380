import json

import numpy as np
import pytest
from encoders import ENCODERS, imported
from hypothesis import given
from hypothesis import strategies as st

from edgetx.compiler.quantized import quantize_for_tflite, quantize_model
from edgetx.errors import ConfigError, DataError, QuantError
from edgetx.fixedpoint import dequantize
from edgetx.ir import GraphBuilder
from edgetx.ops import Add, Concatenation, FullyConnected, LayerNorm, Log, Neg, Softmax, Square
from edgetx.passes.pipeline import canonicalize
from edgetx.quant import QuantPlan, QuantRecipe, apply_plan, calibrate, make_plan, parse_recipe
from edgetx.quant.apply import signal_to_noise_db
from edgetx.quant.plan import tensor_plan
from edgetx.reference import execute

FINITE = st.floats(-1e4, 1e4)


def samples(x, count=16):
    return np.random.default_rng(0).normal(size=(count, *x.shape[1:])).astype(np.float32)


def snr(model, integer, data):
    real, restored = [], []
    for sample in data:
        real.append(execute(model.float_graph, [sample])[0])
        x, y = integer.inputs[0].type, integer.outputs[0].type
        q = np.clip(np.rint(sample / x.scale) + x.zero_point, x.qmin, x.qmax).astype(x.dtype)
        restored.append(dequantize(execute(integer, [q])[0], y.scale, y.zero_point))
    return signal_to_noise_db(np.array(real), np.array(restored))


@given(FINITE, FINITE, st.sampled_from([8, 16]), st.booleans())
def test_zero_is_exact_and_the_range_is_covered(a, b, bits, symmetric):
    plan = tensor_plan(min(a, b), max(a, b), bits, symmetric=symmetric)
    half = 1 << (bits - 1)
    assert -half <= plan.zero_point < half
    assert float(np.float32(plan.scale)) == plan.scale > 0
    low, high = ((q - plan.zero_point) * plan.scale for q in (-half, half - 1))
    assert low - plan.scale <= min(a, b, 0.0)
    assert max(a, b, 0.0) <= high + plan.scale
    if symmetric:
        assert plan.zero_point == 0


@pytest.mark.parametrize("name", ENCODERS)
def test_eight_bits_keep_encoders_near_float(name):
    graph, x, _ = imported(name)
    data = samples(x)
    model = quantize_model(graph, data, QuantRecipe(method="minmax"))
    assert snr(model, model.graph, data) > 25
    assert snr(model, quantize_for_tflite(model, data, QuantRecipe(method="minmax")), data) > 20


@pytest.mark.parametrize("name", ["post-norm mean relu", "convolutional stem"])
def test_sixteen_bits_widen_what_has_arithmetic_for_it(name):
    graph, x, _ = imported(name)
    model = quantize_model(graph, samples(x), QuantRecipe(16, "minmax"))
    widths = {plan.bits for plan in model.plan.tensors.values()}
    assert widths == {8, 16}
    assert any(node.op.name == "quantize" for node in model.graph.nodes)


def test_concatenated_tensors_share_one_quantization():
    b = GraphBuilder("g")
    a, c = b.input("a", (1, 2, 4)), b.input("c", (1, 3, 4))
    graph = b.graph(b.op(Concatenation(1), a, c, name="joined"))
    plan = make_plan(graph, {"a": (-1, 1), "c": (-4, 2), "joined": (-4, 2)}, QuantRecipe())
    assert plan.tensors["a"] == plan.tensors["c"] == plan.tensors["joined"]


def test_what_a_logarithm_reads_is_kept_in_sixteen_bits():
    b = GraphBuilder("g")
    x = b.input("x", (1, 4))
    y = b.op(Log(), b.op(Square(), b.op(Add(), x, b.op(Neg(), x, name="n"), name="a"), name="s"), name="y")
    graph = b.graph(b.op(Add(), y, y, name="z"))
    plan = make_plan(graph, dict.fromkeys("xnasyz", (-1.0, 1.0)), QuantRecipe())
    widths = {name: tensor.bits for name, tensor in plan.tensors.items()}
    assert widths == {"x": 8, "n": 8, "a": 8, "s": 8, "y": 16, "z": 8}  # tables have 8 bits, and spoil what follows
    assert {v.name: v.type.dtype for v in apply_plan(graph, plan).values}["y"] == "int16"


def test_fixed_result_keeps_its_parameters():
    b = GraphBuilder("g")
    graph = b.graph(b.op(Softmax(), b.input("x", (1, 4)), name="p"))
    plan = make_plan(graph, {"x": (-1, 1), "p": (0, 1)}, QuantRecipe())
    assert (plan.tensors["p"].scale, plan.tensors["p"].zero_point) == (1 / 256, -128)


def test_given_parameters_win_for_the_whole_group():
    b = GraphBuilder("g")
    a, c = b.input("a", (1, 2, 4)), b.input("c", (1, 3, 4))
    graph = b.graph(b.op(Concatenation(1), a, c, name="joined"))
    given_plan = tensor_plan(-8, 8, 8, symmetric=False)
    plan = make_plan(graph, {"a": (-1, 1), "c": (-4, 2), "joined": (-4, 2)}, QuantRecipe(), {"c": given_plan})
    assert set(plan.tensors.values()) == {given_plan}


def test_position_embedding_has_its_own_range():
    b = GraphBuilder("g")
    position = b.const(np.full((1, 2, 4), 0.01, np.float32), "position")
    graph = b.graph(b.op(Add(), b.input("x", (1, 2, 4)), position, name="y"))
    plan = make_plan(graph, {"x": (-10, 10), "y": (-10, 10)}, QuantRecipe())
    assert plan.tensors["position"].scale < plan.tensors["x"].scale / 100


def test_plan_survives_json_and_an_edited_width_is_obeyed():
    graph, x, _ = imported("post-norm mean relu")
    model = quantize_model(graph, samples(x), QuantRecipe())
    record = json.loads(json.dumps(model.plan.to_json()))
    assert QuantPlan.from_json(record) == model.plan
    name = next(n.output.name for n in model.float_graph.nodes if isinstance(n.op, LayerNorm))
    record["tensors"][name] = {"bits": 16, "scale": 0.001, "zero_point": 0}
    edited = apply_plan(model.float_graph, QuantPlan.from_json(record))
    assert {v.name: v.type.dtype for v in edited.values}[name] == "int16"


@pytest.mark.parametrize("change", [{"bits": 4}, {"scale": 0.0}, {"scale": float("nan")}, {"zero_point": 300}])
def test_edited_plan_that_is_none_is_refused(change):
    record = {"recipe": "static_wi8_ai8", "tensors": {"x": {"bits": 8, "scale": 0.1, "zero_point": 0, **change}}}
    with pytest.raises(QuantError, match="not a quantization"):
        QuantPlan.from_json(record)


def test_plan_that_forgets_a_tensor_is_refused():
    b = GraphBuilder("g")
    x = b.input("x", (1, 4))
    graph = b.graph(b.op(FullyConnected(), x, b.const(np.ones((2, 4), np.float32), "w"), name="y"))
    with pytest.raises(QuantError, match="does not mention"):
        apply_plan(graph, QuantPlan("static_wi8_ai8", {"x": tensor_plan(-1, 1, 8, symmetric=False)}))


def test_calibration_refuses_what_is_not_finite_and_nothing_at_all():
    graph, x, _ = imported("hand plain")
    canonical = canonicalize(graph)
    with pytest.raises(QuantError, match="not a finite number"):
        calibrate(canonical, [(np.full_like(x, np.inf),)])
    with pytest.raises(QuantError, match="no calibration data"):
        calibrate(canonical, [])


def test_calibration_of_another_size_is_refused():
    graph, _, _ = imported("hand plain")
    with pytest.raises(DataError, match="the model takes 12 × 10"):
        quantize_model(graph, np.zeros((2, 3, 3), np.float32), QuantRecipe())


@pytest.mark.parametrize("method", ["minmax", "percentile", "mse"])
def test_outliers_widen_only_minmax(method):
    b = GraphBuilder("g")
    graph = b.graph(b.op(Add(), b.input("x", (1, 1000)), b.const(np.zeros(1000, np.float32)), name="y"))
    data = np.random.default_rng(0).normal(size=(30, 1000)).astype(np.float32)
    data[7, 7] = 40.0
    high = calibrate(graph, [(row[None],) for row in data], method)["x"][1]
    assert high == pytest.approx(40.0) if method == "minmax" else 3.0 < high < 39.0


@pytest.mark.parametrize("name", ["int8", "static_wi4_ai8", "static_wi8_ai32"])
def test_unknown_recipe_is_refused(name):
    with pytest.raises(ConfigError, match="unknown recipe"):
        parse_recipe(name)
