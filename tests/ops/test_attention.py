"""Attention at its extremes: long and short rows, equal and one-hot scores, scales that saturate."""

import numpy as np
import pytest
from host_kernels import run_c
from test_float import real_result

from edgetx import ops
from edgetx.fixedpoint import quantize
from edgetx.ir import Array, Graph, GraphBuilder, QuantParams
from edgetx.ops.attention import exp2_negative
from edgetx.reference import execute


def graph(queries: int, keys: int, heads: int, size: int, scales: tuple[float, float, float, float]) -> Graph:
    b = GraphBuilder("attention")
    lengths = (queries, keys, keys)
    operands = [
        b.input(name, (1, length, heads * size), "int8", QuantParams((scale,)))
        for name, length, scale in zip("qkv", lengths, scales[:3], strict=True)
    ]
    return b.graph(b.op(ops.Attention(heads, size**-0.5), *operands, quant=("int8", QuantParams((scales[3],), 5))))


def both(graph: Graph, inputs: list[Array]) -> Array:
    (expected,), (found,) = execute(graph, inputs), run_c(graph, inputs)
    np.testing.assert_array_equal(found, expected)
    return expected


def exact(graph: Graph, inputs: list[Array]) -> Array:
    out = graph.outputs[0].type
    return quantize(real_result(graph, inputs), out.scale, out.zero_point, "int8").astype(int)


@pytest.mark.parametrize("keys", [*range(1, 34), 63, 64, 65, 127, 128, 129, 255, 256, 257, 511, 512, 513])
def test_rows_of_every_length(keys: int) -> None:
    rng = np.random.default_rng(keys)
    g = graph(3, keys, 2, 4, (0.05, 0.05, 0.02, 0.02))
    inputs = [rng.integers(-128, 128, v.shape).astype(np.int8) for v in g.inputs]
    assert np.abs(both(g, inputs) - exact(g, inputs)).max() <= 1


@pytest.mark.parametrize("keys", [1, 3, 256, 257, 513])
@pytest.mark.parametrize("value", [-128, -1, 0, 127])
def test_equal_scores_give_the_mean(keys: int, value: int) -> None:
    g = graph(2, keys, 1, 4, (0.05, 0.05, 0.02, 0.02))
    inputs = [np.full(v.shape, 127, np.int8) for v in g.inputs[:2]] + [np.full(g.inputs[2].shape, value, np.int8)]
    assert np.abs(both(g, inputs) - np.clip(value + 5, -128, 127)).max() <= 1


@pytest.mark.parametrize("keys", [2, 64, 513])
def test_one_hot_scores_pick_a_value(keys: int) -> None:
    rng = np.random.default_rng(keys)
    g = graph(1, keys, 1, 4, (0.5, 0.5, 0.02, 0.02))
    q, k = np.full((1, 1, 4), 127, np.int8), np.full((1, keys, 4), -128, np.int8)
    k[0, keys // 2] = 127
    v = rng.integers(-120, 120, (1, keys, 4)).astype(np.int8)
    assert np.abs(both(g, [q, k, v]) - (v[0, keys // 2] + 5)).max() <= 1


@pytest.mark.parametrize("scores", [1e-6, 1e-3, 1.0, 100.0])
@pytest.mark.parametrize("v_scale", [1e-6, 1.0, 1e3])
@pytest.mark.parametrize("y_scale", [1e-3, 1.0, 1e3])
def test_extreme_scales_do_not_overflow(scores: float, v_scale: float, y_scale: float) -> None:
    rng = np.random.default_rng(0)
    g = graph(4, 40, 2, 8, (scores, scores, v_scale, y_scale))
    both(g, [rng.integers(-128, 128, v.shape).astype(np.int8) for v in g.inputs])


def test_powers_of_two_are_as_close_as_stated() -> None:
    octaves = np.arange(0, 16 << 16)
    error = exp2_negative(octaves) / 2**15 - 2.0 ** (-octaves / 2**16)
    truncation = 2 * 2.0**-15
    assert np.abs(error).max() < 7.4e-5 + truncation
