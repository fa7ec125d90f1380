"""Functions of one variable at every one of the 256 operands, over scales from far too fine to far too coarse."""

import numpy as np
import pytest
from cases import CASES
from host_kernels import run_c

from edgetx.backends.tflite import write_tflite
from edgetx.ir import Graph, GraphBuilder, QuantParams
from edgetx.ops.pointwise import INT8_VALUES, Pointwise
from edgetx.ops.quant_rule import Result
from edgetx.reference import execute

SCALES = [1e-6, 2.0**-10, 0.003, 2.0**-7, 0.01, 0.02345, 2.0**-5, 0.05, 0.0471, 6 / 255, 0.1, 2.0**-3, 0.25, 1.0, 3.7]
ZERO_POINTS = [-128, -1, 0, 38, 127]
FUNCTIONS = list({str(case.op): case.op for case in CASES if isinstance(case.op, Pointwise)}.values())
EVERY = INT8_VALUES.astype(np.int8).reshape(1, 256)


def graph(op: Pointwise, scale: float, zero_point: int) -> Graph:
    b = GraphBuilder("table")
    quant = QuantParams((float(np.float32(scale)),), zero_point)
    x = b.input("x", EVERY.shape, "int8", quant)
    result = op.quant_rule().result
    if result is Result.CALIBRATED:
        return b.graph(b.op(op, x, quant=("int8", QuantParams((float(np.float32(scale * 0.6)),), -zero_point - 1))))
    return b.graph(b.op(op, x, quant=("int8", quant if isinstance(result, Result) else result[8])))


@pytest.mark.runtimes
@pytest.mark.parametrize("op", FUNCTIONS, ids=str)
def test_all_runtimes_agree_on_every_operand(op: Pointwise) -> None:
    from edgetx.runtimes.tflm import TflmRuntime

    for scale in SCALES:
        for zero_point in ZERO_POINTS:
            g = graph(op, scale, zero_point)
            (expected,), (found,) = execute(g, [EVERY]), run_c(g, [EVERY])
            np.testing.assert_array_equal(found, expected)
            (tflm,) = TflmRuntime(write_tflite(g)).run([EVERY])
            np.testing.assert_array_equal(tflm.reshape(EVERY.shape), expected, f"{scale} {zero_point}")
