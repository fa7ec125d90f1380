"""Every op on its own: the integer reference is what TFLite Micro and LiteRT compute."""

from collections.abc import Sequence

import numpy as np
import pytest
from tflite_cases import CASES, any_inputs, any_quant, every_input, every_pair, finished, matmul_with_sums

from edgetx import ops
from edgetx.backends.tflite import write_tflite
from edgetx.backends.tflite.builder import ModelFile
from edgetx.errors import ModelError
from edgetx.fixedpoint import quantize_multiplier, requantize
from edgetx.ir import Array, Graph, GraphBuilder, QuantParams, TensorType, Value
from edgetx.ops.pointwise import Pointwise
from edgetx.reference import execute
from edgetx.runtimes.litert import LitertRuntime
from edgetx.runtimes.tflm import TflmRuntime

pytestmark = pytest.mark.runtimes

LITERT_DIFFERS = {
    "fully_connected": "rounds results once",
    "mul": "multiplies and divides the scales in single precision",
    "batch_matmul": "multiplies the scales in single precision",
}
"""Ops of which LiteRT has other reference kernels than TFLite Micro; the tests below say exactly how they differ."""


@pytest.mark.parametrize("name", CASES)
def test_op_gives_the_bits_of_tflm(name: str) -> None:
    for seed in range(12):
        rng = np.random.default_rng(seed)
        graph = CASES[name](rng)
        runtime = TflmRuntime(write_tflite(graph))
        for _ in range(2):
            assert_same(graph, runtime.run(inputs := any_inputs(rng, graph)), inputs)


@pytest.mark.parametrize("name", [n for n in CASES if not n.startswith(tuple(LITERT_DIFFERS))])
def test_op_gives_the_bits_of_litert(name: str) -> None:
    for seed in range(12):
        rng = np.random.default_rng(seed)
        graph = CASES[name](rng)
        inputs = any_inputs(rng, graph)
        assert_same(graph, LitertRuntime(write_tflite(graph)).run(inputs), inputs)


@pytest.mark.parametrize("op", [ops.Add(), ops.Sub(), ops.Mul()], ids=lambda op: op.name)
def test_every_pair_of_operands(op: ops.Add | ops.Sub | ops.Mul) -> None:
    for seed in range(30):
        graph = every_pair(op, np.random.default_rng(seed))
        inputs = every_input(graph)
        assert_same(graph, TflmRuntime(write_tflite(graph)).run(inputs), inputs)
        if op.name not in LITERT_DIFFERS:
            assert_same(graph, LitertRuntime(write_tflite(graph)).run(inputs), inputs)


@pytest.mark.parametrize(
    ("op", "quant"),
    [
        (ops.Gelu(), None),
        (ops.Silu(), None),
        (ops.Quantize(), None),
        (ops.Relu(), None),
        (ops.Logistic(), QuantParams((1 / 256,), -128)),
        (ops.Tanh(), QuantParams((1 / 128,))),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_every_operand(op: Pointwise, quant: QuantParams | None) -> None:
    for seed in range(30):
        graph = every_value(op, np.random.default_rng(seed), quant)
        inputs = every_input(graph)
        assert_same(graph, TflmRuntime(write_tflite(graph)).run(inputs), inputs)


def test_litert_fully_connected_rounds_once() -> None:
    differing = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        graph = CASES["fully_connected"](rng)
        inputs = any_inputs(rng, graph)
        (y,) = LitertRuntime(write_tflite(graph)).run(inputs)
        np.testing.assert_array_equal(y, fully_connected_rounded_once(graph, inputs[0]))
        differing += int((y != execute(graph, inputs)[0]).sum())
    assert differing, "LiteRT agrees with TFLite Micro now: strike the op off LITERT_DIFFERS"


def test_litert_mul_factor_is_single_precision() -> None:
    differing = 0
    for seed in range(100):
        graph = every_pair(ops.Mul(), np.random.default_rng(seed))
        (y,) = LitertRuntime(write_tflite(graph)).run(every_input(graph))
        a, b, out = (value.type for value in (*graph.inputs, graph.outputs[0]))
        factor = np.float32(a.scale) * np.float32(b.scale) / np.float32(out.scale)
        x = np.arange(-128, 128)
        product = (x[:, None] - a.zero_point) * (x - b.zero_point)
        expected = requantize(product, *quantize_multiplier(float(factor)), out.zero_point, -128, 127)
        np.testing.assert_array_equal(y, expected)
        differing += int((y != execute(graph, every_input(graph))[0]).sum())
    assert differing, "LiteRT agrees with TFLite Micro now: strike the op off LITERT_DIFFERS"


def test_litert_batch_matmul_multiplies_scales_in_single_precision() -> None:
    differing, sums = 0, np.arange(-16_000, 16_001)
    for seed in range(40):
        graph, inputs = matmul_with_sums(sums, np.random.default_rng(seed))
        (y,) = LitertRuntime(write_tflite(graph)).run(inputs)
        a, b, out = (value.type.scale for value in (*graph.inputs, graph.outputs[0]))
        factor = float(np.float32(a) * np.float32(b)) / out
        np.testing.assert_array_equal(y[0], requantize(sums, *quantize_multiplier(factor), 0, -128, 127))
        differing += int((y != execute(graph, inputs)[0]).sum())
    assert differing, "LiteRT agrees with TFLite Micro now: strike the op off LITERT_DIFFERS"


def test_refusal_of_tflm_is_an_error_with_its_reason(capfd: pytest.CaptureFixture[str]) -> None:
    file = ModelFile()
    graph = file.subgraph({})
    x, y = (Value(name, TensorType((1, 4), "int8", QuantParams((0.1,)))) for name in "xy")
    graph.inputs([x])
    graph.operator("GELU", [x], [y], {})
    graph.outputs([y])
    with pytest.raises(ModelError, match="Didn't find op for builtin opcode 'GELU'"):
        TflmRuntime(file.finish())
    assert not capfd.readouterr().err


def every_value(op: Pointwise, rng: np.random.Generator, quant: QuantParams | None) -> Graph:
    b = GraphBuilder("every_value")
    x = b.input("x", (1, 256), "int8", any_quant(rng))
    return finished(b, op, x, quant=quant or any_quant(rng))


def fully_connected_rounded_once(graph: Graph, x: Array) -> Array:
    (node,) = graph.nodes
    x_type, w, b = (value.type for value in node.inputs)
    weight, bias = (graph.consts[value.name].astype(np.int64) for value in node.inputs[1:])
    acc = (x.astype(np.int64) - x_type.zero_point) @ weight.T + bias
    out = node.output.type
    assert w.quant is not None
    assert b.quant is not None
    factors = [quantize_multiplier(x_type.scale * scale / out.scale) for scale in w.quant.scale]
    mantissa, shift = np.array(factors, np.int64).T
    rounded = (acc * mantissa + (np.int64(1) << (30 - shift))) >> (31 - shift)
    return np.clip(rounded + out.zero_point, -128, 127)


def assert_same(graph: Graph, results: Sequence[Array], inputs: Sequence[Array]) -> None:
    for expected, result in zip(execute(graph, inputs), results, strict=True):
        np.testing.assert_array_equal(result.reshape(expected.shape), expected)
