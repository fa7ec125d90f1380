"""Recurrences in TFLite's built-ins: the bits of the integer reference, step by step, and what is refused."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "ops"))
from recurrent_cases import RecurrentCase, contents, lif, linear_recurrence
from test_tflite_ops import assert_same

from edgetx.backends.tflite import write_tflite
from edgetx.errors import UnsupportedOpError
from edgetx.runtimes.litert import LitertRuntime
from edgetx.runtimes.tflm import TflmRuntime

pytestmark = pytest.mark.runtimes

CASES = [
    lif(1, 4, "int8"),
    lif(6, 17, "int8"),
    lif(9, 5, "int8", affine=False),
    lif(10, 8, "int8", threshold=0.5),
    lif(3, 8, "int8", tau=1.0),
    lif(3, 8, "int8", tau=4.0),
    *(linear_recurrence(1, (2, 3, 5), n, "int8") for n in range(4)),
    linear_recurrence(1, (7,), 0, "int8"),
    linear_recurrence(9, (4, 4), 1, "int8"),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_both_interpreters_give_the_bits(case: RecurrentCase) -> None:
    for seed in range(8):
        graph = case.graph(seed)
        model = write_tflite(graph)
        for runtime in (TflmRuntime(model), LitertRuntime(model)):
            for style in range(5):  # states saturate in some of them
                inputs = contents(graph, style)
                assert_same(graph, runtime.run(inputs), inputs)


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        (lif(49, 4, "int8"), "539 for 49 steps"),
        (lif(2, 4, "int8", tau=1.5), "power of two"),
        (lif(2, 4, "int16"), "int16 currents"),
        (linear_recurrence(49, (4,), 0, "int8"), "931 for 49 steps"),
        (linear_recurrence(1, (4,), 0, "int16"), "on int16"),
    ],
    ids=str,
)
def test_what_is_not_exact_or_too_long_is_refused_with_the_reason(case: RecurrentCase, reason: str) -> None:
    with pytest.raises(UnsupportedOpError, match=reason) as refusal:
        write_tflite(case.graph(0))
    assert "--to onnx,c" in refusal.value.hint
