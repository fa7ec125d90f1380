"""Spiking neurons in TFLite's built-ins: the bits of the integer reference, step by step, and what is refused."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "ops"))
from recurrent_cases import RecurrentCase, contents, lif
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
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_neurons_give_the_bits_of_both_interpreters(case: RecurrentCase) -> None:
    for seed in range(8):
        graph = case.graph(seed)
        model = write_tflite(graph)
        for runtime in (TflmRuntime(model), LitertRuntime(model)):
            for style in range(5):  # the membrane saturates in some of them
                inputs = contents(graph, style)
                assert_same(graph, runtime.run(inputs), inputs)


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        (lif(49, 4, "int8"), "539 for 49 steps"),
        (lif(2, 4, "int8", tau=1.5), "power of two"),
        (lif(2, 4, "int16"), "int16 currents"),
    ],
    ids=str,
)
def test_what_is_not_exact_or_too_long_is_refused_with_the_reason(case: RecurrentCase, reason: str) -> None:
    with pytest.raises(UnsupportedOpError, match=reason) as refusal:
        write_tflite(case.graph(0))
    assert "--to onnx,c" in refusal.value.hint
