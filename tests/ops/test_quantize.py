"""Changes of width and scale, over every integer."""

import numpy as np
import pytest
from host_kernels import run_c

from edgetx import ops
from edgetx.backends.tflite import write_tflite
from edgetx.ir import DType, Graph, GraphBuilder, QuantParams
from edgetx.reference import execute

WIDTHS: list[tuple[DType, DType]] = [
    ("int8", "int8"), ("int8", "int16"), ("int16", "int8"), ("int16", "int16"), ("int8", "uint8"), ("uint8", "int8"),
    ("int16", "int32"),
]  # fmt: skip
ZERO_POINTS: dict[DType, tuple[int, int]] = {"int8": (17, -90), "uint8": (140, 38)}


def graph(source: DType, target: DType, ratio: float, zero_points: tuple[int, int] = (0, 0)) -> Graph:
    b = GraphBuilder("quantize")
    every = np.iinfo(source).max - np.iinfo(source).min + 1
    x = b.input("x", (1, every), source, QuantParams((float(np.float32(0.01 * ratio)),), zero_points[0]))
    return b.graph(b.op(ops.Quantize(), x, quant=(target, QuantParams((float(np.float32(0.01)),), zero_points[1]))))


def everything(graph: Graph) -> np.ndarray:
    kind = graph.inputs[0].type
    return np.arange(kind.qmin, kind.qmax + 1).astype(kind.dtype)[None]


@pytest.mark.runtimes
@pytest.mark.parametrize(("source", "target"), WIDTHS)
@pytest.mark.parametrize("ratio", [1.0, 0.5, 2.0**-8, 256.0, 1 / 3, 0.7, 100.0])
def test_all_runtimes_agree_on_every_integer(source: DType, target: DType, ratio: float) -> None:
    from edgetx.runtimes.tflm import TflmRuntime

    zero_points = ZERO_POINTS.get(source, (0, 0))[0], ZERO_POINTS.get(target, (0, 0))[1]
    g = graph(source, target, ratio, zero_points)
    x = everything(g)
    (expected,), (found,) = execute(g, [x]), run_c(g, [x])
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(TflmRuntime(write_tflite(g)).run([x])[0].reshape(x.shape), expected)


@pytest.mark.parametrize(("source", "target"), WIDTHS)
def test_same_scale_keeps_numbers_that_fit(source: DType, target: DType) -> None:
    g = graph(source, target, 1.0)
    x = everything(g)
    (found,) = execute(g, [x])
    np.testing.assert_array_equal(found, np.clip(x, np.iinfo(target).min, np.iinfo(target).max))


def test_halves_go_up() -> None:
    g = graph("int8", "int8", 0.5)
    (found,) = execute(g, [everything(g)])
    np.testing.assert_array_equal(found, (everything(g).astype(int) + 1) // 2)
