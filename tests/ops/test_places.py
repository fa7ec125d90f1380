"""Places of elements, and rows at places: kernels and runtimes against the reference."""

from collections.abc import Iterator

import numpy as np
import pytest
from host_kernels import run_c

from edgetx import ops
from edgetx.backends.tflite import write_tflite
from edgetx.ir import DType, Graph, GraphBuilder, QuantParams
from edgetx.ops.quant_rule import PLACES
from edgetx.quant import QuantRecipe, apply_plan, make_plan
from edgetx.reference import execute

WHOLE: tuple[DType, QuantParams] = ("int16", PLACES[1])
QUANT = {"int8": QuantParams((0.05,), 3), "int16": QuantParams((0.001,))}
DTYPES: tuple[DType, ...] = ("int8", "int16")


def largest(dtype: DType, axis: int) -> Graph:
    b = GraphBuilder("largest")
    x = b.input("x", (2, 5, 7), dtype, QUANT[dtype])
    return b.graph(b.op(ops.ArgMax(axis), x, quant=WHOLE))


def rows(dtype: DType, wraps: bool = False) -> Graph:
    b = GraphBuilder("rows")
    table = b.const(np.arange(36).reshape(9, 2, 2).astype(dtype), "table", QUANT[dtype])
    index = b.input("index", (1, 12), *WHOLE)
    return b.graph(b.op(ops.Lookup(wraps), table, index, quant=(dtype, QUANT[dtype])))


def contents(graph: Graph) -> Iterator[list[np.ndarray]]:
    """Few values, so that there are ties; indices on both sides of the table; rails."""
    rng = np.random.default_rng(0)
    (kind,) = (value.type for value in graph.inputs)
    for low, high in ((-3, 4), (-13, 13), (kind.qmin, kind.qmax + 1)):
        yield [rng.integers(low, high, kind.shape).astype(kind.dtype)]


GRAPHS = [
    *(largest(dtype, axis) for dtype in DTYPES for axis in range(3)),
    *map(rows, DTYPES),
    rows("int8", wraps=True),
]
IDS = [f"{g.name}-{g.nodes[0].inputs[0].type.dtype}-{g.nodes[0].op}" for g in GRAPHS]


@pytest.mark.parametrize("graph", GRAPHS, ids=IDS)
def test_kernel_equals_reference(graph: Graph) -> None:
    for given in contents(graph):
        np.testing.assert_array_equal(run_c(graph, given)[0], execute(graph, given)[0])


@pytest.mark.runtimes
@pytest.mark.parametrize("graph", GRAPHS, ids=IDS)
def test_runtimes_equal_reference(graph: Graph) -> None:
    from edgetx.runtimes.litert import LitertRuntime
    from edgetx.runtimes.tflm import TflmRuntime

    content = write_tflite(graph)
    for given in contents(graph):
        (expected,) = execute(graph, given)
        for runtime in (TflmRuntime(content), LitertRuntime(content)):
            (found,) = runtime.run(given)
            np.testing.assert_array_equal(found.reshape(expected.shape), expected, runtime.name)


def test_first_of_equal_ones_is_the_largest() -> None:
    (found,) = ops.ArgMax(0).float_ref(np.array([1.0, 3.0, 3.0], np.float32))
    assert found == 1


def test_every_row_keeps_its_bits_although_few_are_seen() -> None:
    """The table's own range decides, not that of the rows that calibration happened to look up."""
    b = GraphBuilder("embedding")
    table = np.linspace(-5, 5, 60).astype(np.float32).reshape(20, 3)
    index = b.input("index", (1, 2))
    graph = b.graph(b.op(ops.Lookup(), b.const(table, "table"), index, name="y"))
    ranges = {"index": (0.0, 1.0), "y": (-0.1, 0.1)}
    integer = apply_plan(graph, make_plan(graph, ranges, QuantRecipe()))
    assert integer.inputs[0].type.dtype == "int16"
    (found,) = execute(integer, [np.array([[0, 19]], np.int16)])
    kind = integer.outputs[0].type
    np.testing.assert_allclose((found - kind.zero_point) * kind.scale, table[[0, 19]][None], atol=kind.scale)
