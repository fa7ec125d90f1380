"""Cases × runtimes: the integer reference against the compiled kernels and TFLite Micro, bit for bit."""

import numpy as np
import pytest
from cases import CASES, Case, contents
from host_kernels import run_c, run_c_in_place

from edgetx.backends.tflite import write_tflite
from edgetx.ops import REGISTRY
from edgetx.ops.op import Op
from edgetx.reference import execute

SEEDS = range(5)
RECURRENCES = {"lif", "linear_recurrence", "lmu", "wide_exp"}

TFLITE_CASES = [case for case in CASES if type(case.op).to_tflite is not Op.to_tflite]
TFLM_LACKS = {("gather", "int16"), ("reduce_max", "int16"), ("log", "int16"), ("resize_bilinear", "int16")}
TFLM_ABORTS = ("softmax_long_1", "softmax_long_3")
"""It asserts that shifts stay below 32, which rows of 512 equal values do not."""
ROUNDED_ONCE = [case for case in CASES if getattr(case.op, "rounding", "") == "once"]
TFLM_CASES = [
    case
    for case in TFLITE_CASES
    if case not in ROUNDED_ONCE and (case.op.name, case.dtype) not in TFLM_LACKS and case.name not in TFLM_ABORTS
]


def test_every_op_has_a_case() -> None:
    assert {case.op.name for case in CASES} == set(REGISTRY) - {
        "arg_max",
        "lookup",
        "lstm_cell",
        *RECURRENCES,
    }  # they have tests of their own


@pytest.mark.parametrize("case", CASES, ids=str)
def test_kernel_equals_reference(case: Case) -> None:
    for seed in SEEDS:
        graph = case.graph(seed)
        inputs = contents(graph, seed)
        (expected,) = execute(graph, inputs)
        assert expected.dtype == graph.outputs[0].type.dtype
        (found,) = run_c(graph, inputs)
        np.testing.assert_array_equal(found, expected, f"seed {seed}")
        if (in_place := run_c_in_place(graph, inputs)) is not None:
            np.testing.assert_array_equal(in_place[0], expected, f"in place, seed {seed}")


@pytest.mark.runtimes
@pytest.mark.parametrize("case", TFLM_CASES, ids=str)
def test_tflite_micro_equals_reference(case: Case) -> None:
    from edgetx.runtimes.tflm import TflmRuntime

    for seed in SEEDS:
        graph = case.graph(seed)
        inputs = contents(graph, seed)
        (expected,) = execute(graph, inputs)
        (found,) = TflmRuntime(write_tflite(graph)).run(inputs)
        np.testing.assert_array_equal(found.reshape(expected.shape), expected, f"seed {seed}")


@pytest.mark.runtimes
@pytest.mark.parametrize("case", ROUNDED_ONCE, ids=str)
def test_litert_equals_what_is_rounded_once(case: Case) -> None:
    from edgetx.runtimes.litert import LitertRuntime

    for seed in SEEDS:
        graph = case.graph(seed)
        inputs = contents(graph, seed)
        (found,) = LitertRuntime(write_tflite(graph)).run(inputs)
        np.testing.assert_array_equal(found, execute(graph, inputs)[0], f"seed {seed}")
