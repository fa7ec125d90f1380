"""The LSTM cell: kernel against reference, reference against torch, and its 16-bit functions against the real ones."""

import ctypes
from pathlib import Path

import numpy as np
import pytest
from host_kernels import compile_library, run_c

from edgetx import fixedpoint16, ops
from edgetx.errors import QuantError
from edgetx.fixedpoint import dequantize, quantize
from edgetx.ir import Graph, GraphBuilder, QuantParams
from edgetx.reference import execute

EVERY = np.arange(-(2**15), 2**15)
SIZES = [(1, 1), (3, 5), (8, 8), (17, 9)]


def graph(inputs: int, units: int, seed: int, cell_bits: int = 4, clip: float = 10.0, largest: float = 0.03) -> Graph:
    rng = np.random.default_rng(seed)
    b = GraphBuilder("lstm")
    hidden = QuantParams((1 / 128,), int(rng.integers(-5, 5)))
    x = b.input("x", (1, inputs), "int8", QuantParams((0.05,), int(rng.integers(-128, 128))))
    h = b.input("h", (1, units), "int8", hidden)
    c = b.input("c", (1, units), "int16", QuantParams((2.0 ** (cell_bits - 15),)))
    scales = QuantParams(tuple(float(s) for s in rng.uniform(largest / 10, largest, 4 * units)), 0, 0)
    w, r = (b.const(rng.integers(-127, 128, (4 * units, n)).astype(np.int8), "w", scales) for n in (inputs, units))
    bias = b.const(rng.integers(-500, 500, 4 * units).astype(np.int32), "b")
    quants = [("int8", hidden), ("int16", c.type.quant)]
    return b.graph(*b.ops(ops.LstmCell(clip), x, h, c, w, r, bias, quants=quants))


def contents(g: Graph, seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.integers(v.type.qmin, v.type.qmax + 1, v.shape).astype(v.type.dtype) for v in g.inputs]


@pytest.mark.parametrize(("inputs", "units"), SIZES)
@pytest.mark.parametrize("clip", [10.0, 3.0, float("inf")])
def test_kernel_equals_reference(inputs: int, units: int, clip: float) -> None:
    for seed in range(20):
        g = graph(inputs, units, seed, cell_bits=3 + seed % 2, clip=clip)
        given = contents(g, seed)
        for found, expected in zip(run_c(g, given), execute(g, given), strict=True):
            np.testing.assert_array_equal(found, expected, f"seed {seed}")


def test_integers_are_near_the_real_function() -> None:
    g = graph(8, 8, 0, largest=0.003)  # sums at the gates stay within 16 bits
    (node,) = g.nodes
    given = contents(g, 1)
    reals = [dequantize(q, v.type.scale, v.type.zero_point) for q, v in zip(given, g.inputs, strict=True)]
    w, r, b = (g.consts[v.name] for v in node.inputs[3:])
    scale = np.array(node.inputs[3].type.quant.scale)[:, None]
    bias = b * scale[:, 0] * node.inputs[0].type.scale
    hidden, cell = node.op.float_ref(*reals, w * scale, r * scale, bias)
    found = execute(g, given)
    for y, real, value, steps in zip(found, (hidden, cell), g.outputs, (2, 40), strict=True):
        exact = quantize(real, value.type.scale, value.type.zero_point, value.type.dtype)
        assert np.abs(y.astype(int) - exact).max() <= steps


def test_float_reference_equals_torch() -> None:
    torch = pytest.importorskip("torch")
    cell = torch.nn.LSTMCell(5, 7)
    x, h, c = torch.randn(1, 5), torch.randn(1, 7), torch.randn(1, 7)
    hidden, state = cell(x, (h, c))
    weights = [cell.weight_ih, cell.weight_hh, cell.bias_ih + cell.bias_hh]
    found = ops.LstmCell().float_ref(*(t.detach().numpy() for t in (x, h, c, *weights)))
    np.testing.assert_allclose(found[0], hidden.detach(), atol=1e-6)
    np.testing.assert_allclose(found[1], state.detach(), atol=1e-6)


def test_scale_of_the_cell_must_be_a_power_of_two() -> None:
    g = graph(3, 2, 0)
    (node,) = g.nodes
    odd = GraphBuilder("odd")
    c = odd.input("c", (1, 2), "int16", QuantParams((0.001,)))
    with pytest.raises(QuantError, match="scale"):
        node.op.cell_bits(type(node)(node.name, node.op, (*node.inputs[:2], c, *node.inputs[3:]), node.outputs))


def test_sixteen_bit_functions_are_near_the_real_ones() -> None:
    for bits in range(5):
        real = EVERY * 2.0 ** (bits - 15)
        assert np.abs(fixedpoint16.tanh(EVERY, bits) / 2**15 - np.tanh(real)).max() < 5e-4
        assert np.abs(fixedpoint16.logistic(EVERY, bits) / 2**15 - 1 / (1 + np.exp(-real))).max() < 3e-4


def test_sixteen_bit_functions_in_c_equal_python(tmp_path: Path) -> None:
    source = tmp_path / "exports.c"
    source.write_text(
        '#include "etx_fixedpoint16.h"\n'
        "int32_t logistic16(int32_t x, int32_t b);\nint32_t tanh16(int32_t x, int32_t b);\n"
        "int32_t logistic16(int32_t x, int32_t b) { return etx_logistic16(x, b); }\n"
        "int32_t tanh16(int32_t x, int32_t b) { return etx_tanh16(x, b); }\n"
    )
    library: ctypes.CDLL = compile_library([source])
    for bits in (0, 3, 4):
        for name in ("logistic", "tanh"):
            function = getattr(library, f"{name}16")
            expected = getattr(fixedpoint16, name)(EVERY, bits)
            assert [function(int(x), bits) for x in EVERY[::7]] == expected[::7].tolist()
