"""The ONNX file as a whole: an encoder, its border, its states, and what it refuses."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import onnx
import onnxruntime
import pytest

from edgetx import ops
from edgetx.backends.onnx import write_onnx
from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.fixedpoint import dequantize
from edgetx.ir import Array, Arrays, Graph, GraphBuilder, QuantParams, Value
from edgetx.quant import QuantRecipe, apply_plan, calibrate, make_plan
from edgetx.reference import execute, initial_state
from edgetx.runtimes.onnxruntime import OnnxRuntime, tensor_differences

pytestmark = pytest.mark.runtimes

TOKENS, FEATURES, WIDTH, HEADS, CLASSES = 12, 10, 16, 2, 4


class Encoder:
    """A float transformer encoder with random weights: class token, positions, two layers."""

    def __init__(self, rng: np.random.Generator, pre_norm: bool) -> None:
        self.rng, self.pre_norm = rng, pre_norm
        self.b = GraphBuilder("encoder")

    def const(self, *shape: int, name: str, around: float = 0.0, spread: float = 0.3) -> Value:
        return self.b.const((around + spread * self.rng.normal(size=shape)).astype(np.float32), name)

    def dense(self, x: Value, width: int, name: str) -> Value:
        weight, bias = self.const(width, x.shape[-1], name=f"{name}.weight"), self.const(width, name=f"{name}.bias")
        return self.b.op(ops.FullyConnected(), x, weight, bias, name=name)

    def norm(self, x: Value, name: str) -> Value:
        gamma = self.const(WIDTH, name=f"{name}.gamma", around=1.0)
        return self.b.op(ops.LayerNorm(), x, gamma, self.const(WIDTH, name=f"{name}.beta"), name=name)

    def attention(self, x: Value, name: str) -> Value:
        q, k, v = (self.dense(x, WIDTH, f"{name}.{part}") for part in "qkv")
        mixed = self.b.op(ops.Attention(HEADS, (WIDTH // HEADS) ** -0.5), q, k, v, name=name)
        return self.dense(mixed, WIDTH, f"{name}.out")

    def mlp(self, x: Value, name: str) -> Value:
        return self.dense(self.b.op(ops.Gelu(), self.dense(x, 2 * WIDTH, f"{name}.up")), WIDTH, f"{name}.down")

    def residual(self, x: Value, block: object, name: str) -> Value:
        if self.pre_norm:
            return self.b.op(ops.Add(), x, block(self.norm(x, f"{name}.norm"), name))  # type: ignore[operator]
        return self.norm(self.b.op(ops.Add(), x, block(x, name)), f"{name}.norm")  # type: ignore[operator]

    def graph(self) -> Graph:
        x = self.b.input("frames", (1, TOKENS, FEATURES))
        token = self.const(1, 1, WIDTH, name="class_token")
        h = self.b.op(ops.Concatenation(1), token, self.dense(x, WIDTH, "embed"))
        h = self.b.op(ops.Add(), h, self.const(1, TOKENS + 1, WIDTH, name="positions"))
        for layer in range(2):
            h = self.residual(h, self.attention, f"attention{layer}")
            h = self.residual(h, self.mlp, f"mlp{layer}")
        first = self.b.op(ops.StridedSlice((0, 0, 0), (1, 1, WIDTH), (1, 1, 1)), h)
        return self.b.graph(self.dense(self.b.op(ops.Reshape((1, WIDTH)), first), CLASSES, "logits"))


def float_encoder(pre_norm: bool = True, count: int = 40) -> tuple[Graph, list[Arrays]]:
    rng = np.random.default_rng(1)
    graph = Encoder(rng, pre_norm).graph()
    return graph, [(rng.normal(size=(1, TOKENS, FEATURES)).astype(np.float32),) for _ in range(count)]


def integer_encoder(pre_norm: bool = True, bits: int = 8) -> tuple[Graph, list[Arrays]]:
    graph, samples = float_encoder(pre_norm)
    integer = apply_plan(graph, make_plan(graph, calibrate(graph, samples), QuantRecipe(bits)))
    return integer, [(quantized(x, integer.inputs[0]),) for (x,) in samples]


def quantized(x: Array, value: Value) -> Array:
    q = np.rint(x / value.type.scale) + value.type.zero_point
    return np.clip(q, value.type.qmin, value.type.qmax).astype(value.type.dtype)


def real(q: Array, value: Value) -> Array:
    return dequantize(q, value.type.scale, value.type.zero_point)


@pytest.mark.parametrize("optimize", [False, True])
@pytest.mark.parametrize("pre_norm", [False, True])
def test_every_tensor_of_an_encoder_is_within_one_step(pre_norm: bool, optimize: bool) -> None:
    graph, cases = integer_encoder(pre_norm)
    differences = tensor_differences(graph, write_onnx(graph), cases, optimize=optimize)
    assert len(differences) == 1 + len(graph.nodes)
    assert max(differences.values()) <= 1


@pytest.mark.parametrize("optimize", [False, True])
@pytest.mark.parametrize("pre_norm", [False, True])
def test_whole_encoder_is_as_near_to_the_float_model_as_the_reference(pre_norm: bool, optimize: bool) -> None:
    graph, samples = float_encoder(pre_norm)
    integer, cases = integer_encoder(pre_norm)
    runtime = OnnxRuntime(write_onnx(integer), integer=True, optimize=optimize)
    exact = [execute(graph, sample)[0] for sample in samples]
    ours = error([execute(integer, case)[0] for case in cases], exact, integer.outputs[0])
    theirs = error([runtime.run(case)[0] for case in cases], exact, integer.outputs[0])
    assert theirs <= 1.15 * ours


def error(found: list[Array], exact: list[Array], value: Value) -> float:
    """Root mean square, in steps."""
    difference = real(np.stack(found), value) - np.stack(exact)
    return float(np.sqrt((difference**2).mean()) / value.type.scale)


def test_file_takes_and_gives_real_numbers_under_the_names_of_the_graph() -> None:
    graph, cases = integer_encoder()
    model = write_onnx(graph)
    session = onnxruntime.InferenceSession(model)
    assert [(i.name, i.type, i.shape) for i in session.get_inputs()] == [
        ("frames", "tensor(float)", [1, TOKENS, FEATURES])
    ]
    (logits,) = session.run(["logits"], {"frames": real(cases[0][0], graph.inputs[0])})
    (integers,) = OnnxRuntime(model, integer=True, optimize=True).run(cases[0])
    np.testing.assert_array_equal(logits, real(integers, graph.outputs[0]))


@pytest.mark.parametrize(("bits", "opset", "ir_version"), [(8, 20, 9), (16, 21, 10)])
def test_file_asks_for_no_newer_onnx_than_it_needs(bits: int, opset: int, ir_version: int) -> None:
    proto = onnx.load_from_string(write_onnx(integer_encoder(bits=bits)[0]))
    onnx.checker.check_model(proto, full_check=True)
    assert ([i.version for i in proto.opset_import], proto.ir_version) == ([opset], ir_version)


def test_weights_are_stored_as_bytes() -> None:
    graph, _ = integer_encoder()
    proto = onnx.load_from_string(write_onnx(graph))
    stored = {t.name: t.data_type for t in proto.graph.initializer}
    weights = [name for name in graph.consts if name.endswith(".weight")]
    assert len(weights) == 14
    assert {stored[name] for name in weights} == {onnx.TensorProto.INT8}


def test_onnx_runtime_computes_dense_layers_in_integers(tmp_path: Path) -> None:
    graph, _ = integer_encoder()
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    options.log_severity_level = 3
    onnxruntime.InferenceSession(write_onnx(graph), options)
    fused = [node.op_type for node in onnx.load(tmp_path / "optimized.onnx").graph.node]
    dense = sum(isinstance(node.op, ops.FullyConnected) for node in graph.nodes)
    assert fused.count("QGemm") == dense == 14


def stateful_graph() -> Graph:
    """y = x + a + b, a and b being the last two values of y; the states are declared out of alphabetical order."""
    builder = GraphBuilder("echo")
    quant = QuantParams((0.25,), 5)
    x = builder.input("x", (1, 3), "int8", quant)
    later = builder.state("last", np.full((1, 3), 7, np.int8), quant)
    earlier = builder.state("before", np.full((1, 3), 3, np.int8), quant)
    y = builder.op(ops.Add(), x, later, quant=("int8", quant))
    y = builder.op(ops.Add(), y, earlier, name="y", quant=("int8", quant))
    builder.write_state(later, y)
    builder.write_state(earlier, later)
    return builder.graph(y)


def test_states_pass_from_run_to_run_until_reset() -> None:
    graph = stateful_graph()
    runtime = OnnxRuntime(write_onnx(graph), integer=True)
    inputs = [(np.array([[i, 2 * i, -i]], np.int8),) for i in range(5)]
    for _ in range(2):
        state = initial_state(graph)
        for case in inputs:
            np.testing.assert_array_equal(runtime.run(case)[0], execute(graph, case, state)[0])
        runtime.reset()


def test_state_is_an_input_that_may_be_left_out() -> None:
    session = onnxruntime.InferenceSession(write_onnx(stateful_graph()))
    assert [i.name for i in session.get_inputs()] == ["x"]
    assert [i.name for i in session.get_overridable_initializers()] == ["last_in", "before_in"]
    assert [o.name for o in session.get_outputs()] == ["y", "last_out", "before_out"]
    x = {"x": np.zeros((1, 3), np.float32)}
    y, last, before = session.run(None, x)
    np.testing.assert_array_equal(before, np.full((1, 3), 7))
    (z, *_) = session.run(None, {**x, "last_in": last, "before_in": before})
    assert (y != z).any()


def test_differences_of_a_stateful_graph_are_taken_step_by_step() -> None:
    graph = stateful_graph()
    cases = [(np.array([[i, 2 * i, -i]], np.int8),) for i in range(5)]
    assert tensor_differences(graph, write_onnx(graph), cases) == {"x": 0, "add": 0, "y": 0}


def test_float_graph_becomes_a_float_file() -> None:
    rng = np.random.default_rng(2)
    graph = Encoder(rng, True).graph()
    x = rng.normal(size=(1, TOKENS, FEATURES)).astype(np.float32)
    (found,) = OnnxRuntime(write_onnx(graph)).run([x])
    np.testing.assert_allclose(found, execute(graph, [x])[0], atol=1e-5)


@pytest.mark.parametrize("outputs", [("x", "x"), ("y", "y"), ("x", "y")])
def test_values_may_be_given_twice(outputs: tuple[str, str]) -> None:
    b = GraphBuilder("twice")
    quant = QuantParams((0.5,), 0)
    x = b.input("x", (1, 2), "int8", quant)
    values = {"x": x, "y": b.op(ops.Add(), x, x, name="y", quant=("int8", quant))}
    graph = b.graph(*(values[name] for name in outputs))
    case = (np.array([[3, -4]], np.int8),)
    found = OnnxRuntime(write_onnx(graph), integer=True).run(case)
    np.testing.assert_array_equal(np.stack(found), np.stack(execute(graph, case)))


@dataclass(frozen=True)
class Private(ops.Gelu):
    """An op without an ONNX form."""

    name: ClassVar[str] = "private"
    to_onnx = ops.Op.to_onnx


def test_op_without_onnx_form_names_the_node() -> None:
    b = GraphBuilder("g")
    x = b.input("x", (1, 2))
    with pytest.raises(UnsupportedOpError, match=r"block3\.act: op 'private' has no ONNX form"):
        write_onnx(b.graph(b.op(Private(), x, name="block3.act")))


def test_activation_of_32_bits_names_the_value() -> None:
    b = GraphBuilder("g")
    x = b.input("x", (1, 2), "int8", QuantParams((0.5,)))
    with pytest.raises(UnsupportedOpError, match="sum: ONNX cannot quantize to int32"):
        write_onnx(b.graph(b.op(ops.Add(), x, x, name="sum", quant=("int32", QuantParams((0.5,))))))


def test_input_of_wrong_shape_is_refused() -> None:
    graph, _ = integer_encoder()
    with pytest.raises(ModelError, match=r"takes inputs of shape \[\(1, 12, 10\)\], got \[\(1, 12\)\]"):
        OnnxRuntime(write_onnx(graph)).run([np.zeros((1, 12), np.float32)])


@pytest.mark.parametrize("integer", [False, True])
def test_damaged_file_is_refused(integer: bool) -> None:
    model = write_onnx(stateful_graph())
    with pytest.raises(ModelError):
        OnnxRuntime(model[: len(model) // 2], integer=integer)
