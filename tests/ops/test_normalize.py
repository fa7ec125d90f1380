"""Rows at the edges of what normalization can meet; the compiled kernels trap on any overflow."""

import numpy as np
import pytest
from host_kernels import run_c

from edgetx import ops
from edgetx.errors import UnsupportedOpError
from edgetx.ir import Array, DType, Graph, GraphBuilder, QuantParams, TensorType
from edgetx.ops import Op
from edgetx.ops.normalize import MAX_WIDTH, Gain, Offset
from edgetx.reference import execute

NORMS = [ops.LayerNorm(1e-6), ops.RmsNorm(1e-6)]
DTYPES: list[DType] = ["int8", "int16"]


def graph(op: Op, width: int, dtype: DType, rows: int = 1, scale: float = 0.05, out: float = 0.05) -> Graph:
    b = GraphBuilder("norm")
    zero_point = -128 if dtype == "int8" else 0
    step = 1.0 if dtype == "int8" else 1 / 256
    x = b.input("x", (1, rows, width), dtype, QuantParams((scale * step,), zero_point))
    y = TensorType(x.shape, dtype, QuantParams((out * step,), 0))
    gamma = b.const(*_named(Gain().quantize(np.ones(width), [x.type], y)))
    operands = [x, gamma]
    if isinstance(op, ops.LayerNorm):
        operands.append(b.const(*_named(Offset().quantize(np.full(width, 0.5), [x.type, gamma.type], y))))
    return b.graph(b.op(op, *operands, quant=(dtype, y.quant)))


def _named(quantized: tuple[Array, QuantParams]) -> tuple[Array, str, QuantParams]:
    return quantized[0], "const", quantized[1]


def both(graph: Graph, x: Array) -> Array:
    (expected,), (found,) = execute(graph, [x]), run_c(graph, [x])
    np.testing.assert_array_equal(found, expected)
    return expected


@pytest.mark.parametrize("op", NORMS, ids=lambda op: op.name)
@pytest.mark.parametrize("dtype", DTYPES)
def test_spikes_of_every_size_in_rows_of_every_width(op: Op, dtype: DType) -> None:
    low, high = (-128, 127) if dtype == "int8" else (-32768, 32767)
    for width in [*range(1, 300), 511, 512, 513, 1023, 1024, MAX_WIDTH]:
        heights = np.unique(np.linspace(low, high, 16).round())
        x = np.full((1, heights.size, width), low, dtype)
        x[0, :, -1] = heights
        both(graph(op, width, dtype, heights.size), x)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("level", [-128, -1, 0, 1, 127])
@pytest.mark.parametrize("width", [1, 2, 7, 64])
def test_equal_values_normalize_to_beta(dtype: DType, level: int, width: int) -> None:
    g = graph(ops.LayerNorm(), width, dtype)
    beta = round(0.5 / g.outputs[0].type.scale)
    assert (both(g, np.full((1, 1, width), level, dtype)) == beta).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_zeros_have_no_direction(dtype: DType) -> None:
    g = graph(ops.RmsNorm(), 9, dtype)
    assert (both(g, np.full((1, 1, 9), g.inputs[0].type.zero_point, dtype)) == 0).all()


@pytest.mark.parametrize("op", NORMS, ids=lambda op: op.name)
@pytest.mark.parametrize("scale", [1e-7, 1e-4, 1.0, 100.0])
@pytest.mark.parametrize("out", [1e-7, 1e-3, 100.0])
def test_extreme_scales_do_not_overflow(op: Op, scale: float, out: float) -> None:
    rng = np.random.default_rng(0)
    for dtype in DTYPES:
        x = rng.integers(-128, 128, (1, 8, 16)).astype(dtype)
        both(graph(op, 16, dtype, 8, scale, out), x)


def test_rows_too_long_are_refused() -> None:
    with pytest.raises(UnsupportedOpError, match="at most"):
        graph(ops.LayerNorm(), MAX_WIDTH + 1, "int8")
