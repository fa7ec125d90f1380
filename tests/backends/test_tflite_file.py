"""Whole networks as TFLite files: equal bits in both interpreters, few operators, few bytes."""

from collections import Counter
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
import tflite
from keyword_transformer import Shape, keyword_transformer

from edgetx.backends.tflite import micro_sources, write_tflite
from edgetx.backends.tflite.micro import BUILTIN_NAMES
from edgetx.errors import UnsupportedOpError
from edgetx.fixedpoint import dequantize, quantize
from edgetx.ir import Array, Graph
from edgetx.passes.legalize_tflite import legalize_tflite
from edgetx.passes.pipeline import canonicalize
from edgetx.quant import apply_plan, calibrate, make_plan, parse_recipe
from edgetx.reference import execute
from edgetx.runtimes.litert import LitertRuntime
from edgetx.runtimes.runtime import Runtime
from edgetx.runtimes.tflm import TflmRuntime

pytestmark = pytest.mark.runtimes

NETWORKS = {
    "pre_norm": Shape(),
    "two_heads": Shape(heads=2, class_token=True),
    "post_norm": Shape(pre_norm=False, qkv_bias=False, class_token=True),
    "four_heads_post_norm": Shape(heads=4, pre_norm=False),
    "trained_norms": Shape(layers=2, pre_norm=False, trained_norms=True),
}


@dataclass(frozen=True)
class Compiled:
    """A network, its integer form in built-ins, the file, and inputs that calibration has not seen."""

    real: Graph
    integer: Graph
    model: bytes
    inputs: list[Array]

    @property
    def quantized_inputs(self) -> list[Array]:
        x = self.integer.inputs[0].type
        return [quantize(array, x.scale, x.zero_point, x.dtype) for array in self.inputs]


@cache
def compiled_network(name: str) -> Compiled:
    real = keyword_transformer(NETWORKS[name])
    rng = np.random.default_rng(7)
    samples = [rng.normal(0, 1, real.inputs[0].shape).astype(np.float32) for _ in range(24)]
    recipe = parse_recipe("static_wi8_ai8")
    legal = legalize_tflite(canonicalize(real))
    ranges = calibrate(legal, [(x,) for x in samples[:12]], recipe.method)
    integer = apply_plan(legal, make_plan(legal, ranges, recipe))
    return Compiled(real, integer, write_tflite(integer), samples[12:])


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("runtime", [TflmRuntime, LitertRuntime], ids=lambda runtime: runtime.name)
def test_network_gives_the_bits_of_the_reference(name: str, runtime: type[TflmRuntime | LitertRuntime]) -> None:
    network = compiled_network(name)
    interpreter: Runtime = runtime(network.model)
    rng = np.random.default_rng(3)
    noise = [rng.integers(-128, 128, x.shape).astype(np.int8) for x in network.inputs[:4]]
    for x in (*network.quantized_inputs, *noise):
        (expected,), (result,) = execute(network.integer, [x]), interpreter.run([x])
        np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("name", NETWORKS)
def test_legal_network_computes_the_same(name: str) -> None:
    real = compiled_network(name).real
    legal = legalize_tflite(canonicalize(real))
    for x in compiled_network(name).inputs[:4]:
        np.testing.assert_allclose(execute(legal, [x])[0], execute(real, [x])[0], atol=1e-4)


@pytest.mark.parametrize(("name", "least_db"), [("pre_norm", 26), ("two_heads", 26), ("post_norm", 26)])
def test_network_is_small_and_precise(name: str, least_db: float) -> None:
    network = compiled_network(name)
    assert sum(operators(network.model).values()) <= 110
    assert len(network.model) <= 1.5 * network.real.parameters
    assert signal_to_noise_db(network) >= least_db


def test_four_heads_after_each_other_keep_to_the_limits() -> None:
    network = compiled_network("four_heads_post_norm")
    assert sum(operators(network.model).values()) <= 110
    assert len(network.model) <= 1.5 * network.real.parameters


def test_pre_norm_network_becomes_these_operators() -> None:
    layers = 4
    assert operators(compiled_network("pre_norm").model) == {
        "RESHAPE": 2,  # to four axes and back
        "CONV_2D": 6 * layers + 2,
        "L2_NORMALIZATION": 2 * layers + 1,
        "ADD": 2 * layers + 1,
        "TRANSPOSE": layers,
        "BATCH_MATMUL": 2 * layers,
        "SOFTMAX": layers,
        "QUANTIZE": 2 * layers,
        "GATHER": layers,
        "MEAN": 1,
    }


def test_equal_parts_are_stored_once() -> None:
    root = tflite.Model.GetRootAs(compiled_network("pre_norm").model)
    buffers = [root.Buffers(i).DataAsNumpy() for i in range(1, root.BuffersLength())]
    assert len({data.tobytes() for data in buffers}) == len(buffers)
    assert root.Buffers(0).DataLength() == 0


def test_buffers_are_aligned() -> None:
    model = compiled_network("pre_norm").model
    root = tflite.Model.GetRootAs(model)
    for index in range(1, root.BuffersLength()):
        data = root.Buffers(index).DataAsNumpy()
        start = data.__array_interface__["data"][0] - np.frombuffer(model, np.uint8).__array_interface__["data"][0]
        assert start % 16 == 0


def test_arena_is_what_tflm_needs() -> None:
    network = compiled_network("pre_norm")
    runtime = TflmRuntime(network.model)
    runtime.run(network.quantized_inputs[:1])
    arena = runtime.arena()
    hidden = 48 * 80
    assert arena.activation_bytes >= hidden * (2 + 4)  # int16 and int32 indices of the GELU table
    assert 0 < arena.persistent_bytes < arena.total_bytes


def test_sources_for_firmware_hold_the_model_and_its_operators() -> None:
    model = compiled_network("pre_norm").model
    sources = micro_sources(model)
    array = sources["model_data.cc"].split("{")[1].split("}")[0]
    assert bytes(int(byte, 16) for byte in array.replace(",", " ").split()) == model
    for method in ("AddBatchMatMul", "AddConv2D", "AddL2Normalization", "AddSoftmax"):
        assert f"resolver.{method}()" in sources["op_resolver.h"]
    assert "MicroMutableOpResolver<10>" in sources["op_resolver.h"]


def test_op_without_built_in_is_refused() -> None:
    real = canonicalize(keyword_transformer(Shape(layers=1)))
    recipe = parse_recipe("static_wi8_ai8")
    samples = [(np.zeros(real.inputs[0].shape, np.float32),)]
    integer = apply_plan(real, make_plan(real, calibrate(real, samples), recipe))
    with pytest.raises(UnsupportedOpError, match="no TFLite form"):
        write_tflite(integer)


def operators(model: bytes) -> Counter[str]:
    root = tflite.Model.GetRootAs(model)
    graph = root.Subgraphs(0)
    codes = [graph.Operators(i).OpcodeIndex() for i in range(graph.OperatorsLength())]
    return Counter(BUILTIN_NAMES[root.OperatorCodes(code).BuiltinCode()] for code in codes)


def signal_to_noise_db(network: Compiled) -> float:
    out = network.integer.outputs[0].type
    real = np.stack([execute(network.real, [x])[0] for x in network.inputs])
    integer = [execute(network.integer, [x])[0] for x in network.quantized_inputs]
    noise = real - dequantize(np.stack(integer), out.scale, out.zero_point)
    return 10 * float(np.log10((real**2).sum() / (noise**2).sum()))
