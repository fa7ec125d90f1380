"""Chains of convolutions in strips of rows compute the same, in less memory."""

import ctypes
from pathlib import Path

import numpy as np
import pytest

from edgetx.backends.c import emit_c, write_c
from edgetx.firmware import build_host_library
from edgetx.ir import Graph, GraphBuilder, QuantParams, Value
from edgetx.ops import AveragePool2D, Conv2D, DepthwiseConv2D
from edgetx.ops.convolution import Convolution
from edgetx.plan import plan_program
from edgetx.plan.order import least_arena
from edgetx.plan.strips import chains, fit_in_strips, in_strips
from edgetx.reference import execute

QUANT = QuantParams((0.05,), 7)


def convolution(b: GraphBuilder, x: Value, op: Convolution, size: tuple[int, int], outputs: int) -> Value:
    rng = np.random.default_rng(outputs)
    shape = (1, *size, outputs) if isinstance(op, DepthwiseConv2D) else (outputs, *size, x.shape[-1])
    weight = b.const(rng.integers(-127, 128, shape).astype(np.int8), "w", QuantParams((0.003,), 0))
    return b.op(op, x, weight, quant=("int8", QUANT))


def stem(height: int, width: int) -> Graph:
    """Convolutions with steps, dilation and borders of every kind, then a pool."""
    b = GraphBuilder("stem")
    x = b.input("x", (1, height, width, 3), "int8", QUANT)
    y = convolution(b, x, Conv2D((1, 2), padding="same"), (3, 3), 8)
    y = convolution(b, y, DepthwiseConv2D(dilation=(2, 1), around=((3, 1), (0, 2))), (3, 3), 8)
    y = convolution(b, y, Conv2D(activation="relu"), (1, 1), 12)
    y = convolution(b, y, Conv2D((2, 1), padding="same"), (4, 3), 6)
    return b.graph(b.op(AveragePool2D((2, 2), (2, 2)), y, quant=("int8", QUANT)))


def noise(graph: Graph) -> np.ndarray:
    return np.random.default_rng(0).integers(-128, 128, graph.inputs[0].shape).astype(np.int8)


@pytest.mark.parametrize("size", [(17, 12), (8, 9), (31, 7)])
@pytest.mark.parametrize("count", [2, 3, 5, 40])
def test_strips_have_the_bits_of_the_whole(size: tuple[int, int], count: int) -> None:
    graph = stem(*size)
    x = noise(graph)
    (expected,) = execute(graph, (x,))
    for chain in chains(graph):
        np.testing.assert_array_equal(execute(in_strips(graph, chain, count), (x,))[0], expected)


def test_chains_end_where_something_else_reads() -> None:
    b = GraphBuilder("g")
    x = b.input("x", (1, 9, 9, 2), "int8", QUANT)
    first = convolution(b, x, Conv2D(), (3, 3), 4)
    second = convolution(b, first, Conv2D(), (3, 3), 4)
    last = convolution(b, second, Conv2D(), (3, 3), 4)
    assert [len(chain) for chain in chains(b.graph(last))] == [2, 3, 2]
    assert [len(chain) for chain in chains(b.graph(last, second))] == [2]


def test_as_few_strips_as_the_memory_asks_for() -> None:
    graph = stem(31, 20)
    whole = least_arena(graph)
    assert fit_in_strips(graph, whole) is graph
    for part in (0.9, 0.75):
        smaller = fit_in_strips(graph, part * whole)
        assert least_arena(smaller) <= part * whole
    assert least_arena(fit_in_strips(graph, 0)) >= graph.inputs[0].type.nbytes


@pytest.mark.parametrize("folders", [(), ("cortex_m_dsp",), ("cortex_m0",)])
def test_c_computes_strips_where_their_rows_lie(folders: tuple[str, ...], tmp_path: Path) -> None:
    graph = stem(31, 20)
    most = plan_program(graph, folders).arena.nbytes * 3 // 4
    sources = emit_c(graph, folders, arena_bytes=most)
    assert sources.program.arena.nbytes <= most
    kernels = {step.call.kernel for step in sources.program.steps}
    assert not kernels & {"strided_copy_s8", "concatenation_s8"}, "rows are read and written where they lie"
    write_c(sources, tmp_path / "c")
    library = ctypes.CDLL(str(build_host_library(tmp_path / "c", tmp_path / "model.so", sanitizers=("undefined",))))
    x = noise(graph)
    (expected,) = execute(graph, (x,))
    library.edgetx_input.restype = library.edgetx_output.restype = ctypes.c_void_p
    ctypes.memmove(library.edgetx_input(0), x.ctypes.data, x.nbytes)
    library.edgetx_invoke()
    assert ctypes.string_at(library.edgetx_output(0), expected.nbytes) == expected.tobytes()
