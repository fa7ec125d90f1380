"""Operators of ONNX Runtime's own domain: what is imported computes what ONNX Runtime does."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgetx.errors import UnsupportedOpError
from edgetx.frontends.onnx import import_onnx
from edgetx.frontends.onnx.scope import MICROSOFT
from edgetx.reference import execute
from edgetx.runtimes.onnxruntime import OnnxFile

pytestmark = pytest.mark.runtimes
RNG = np.random.default_rng(0)
ROWS, IMAGE, HEADS = (1, 6, 8), (1, 4, 7, 6), (1, 2, 6, 8)


def normal(*shape: int) -> np.ndarray:
    return RNG.normal(0, 0.7, shape).astype(np.float32)


def model(kind: str, shape, consts=(), outputs: int = 1, **attributes) -> bytes:
    """One operator of x and constants; x in place of a constant is x again, None nothing."""
    held = [
        numpy_helper.from_array(np.asarray(c), f"c{i}")
        for i, c in enumerate(consts)
        if isinstance(c, np.ndarray | np.generic)
    ]
    names = [c if isinstance(c, str) else "" if c is None else f"c{i}" for i, c in enumerate(consts)]
    results = ["y", *([""] * (outputs - 2)), *(["z"] if outputs > 1 else [])]
    node = helper.make_node(kind, ["x", *names], results, domain=MICROSOFT, **attributes)
    infos = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in results if name]
    graph = helper.make_graph([node], "g", infos, ends, held)
    domains = [helper.make_opsetid("", 17), helper.make_opsetid(MICROSOFT, 1)]
    return helper.make_model(graph, opset_imports=domains, ir_version=9).SerializeToString()


PACKED = RNG.integers(0, 256, (5, 2, 8), np.uint8)
TURNS = np.linspace(0, 3, 32, dtype=np.float32).reshape(8, 4)
CASES = {
    "conv": ("FusedConv", IMAGE, (normal(3, 4, 3, 3), normal(3)), {"activation": "Relu", "pads": [1, 1, 1, 1]}),
    "conv_leaky": ("FusedConv", IMAGE, (normal(3, 4, 1, 1),), {"activation": "LeakyRelu", "activation_params": [0.2]}),
    "conv_line": ("FusedConv", IMAGE, (normal(3, 4, 1, 1),),
                  {"activation": "HardSigmoid", "activation_params": [0.2, 0.4]}),
    "conv_sum": ("FusedConv", IMAGE, (normal(4, 4, 1, 1), normal(4), "x"), {"activation": "Relu"}),
    "gemm": ("FusedGemm", (3, 5), (normal(5, 4), normal(4)), {"activation": "Tanh", "alpha": 0.5}),
    "matmul": ("FusedMatMul", ROWS, ("x",), {"transB": 1, "alpha": 0.3}),
    "matmul_batches": ("FusedMatMul", (3, 2, 5), ("x",), {"transBatchA": 1, "transBatchB": 1, "transA": 1}),
    "gelu": ("Gelu", ROWS, (), {}), "bias_gelu": ("BiasGelu", ROWS, (normal(8),), {}),
    "fast_gelu": ("FastGelu", ROWS, (normal(8),), {}), "quick_gelu": ("QuickGelu", ROWS, (), {"alpha": 1.5}),
    "skip": ("SkipLayerNormalization", ROWS, ("x", normal(8), normal(8), normal(8)), {"outputs": 4, "epsilon": 1e-5}),
    "skip_rms": ("SkipSimplifiedLayerNormalization", ROWS, ("x", normal(8)), {"outputs": 4, "epsilon": 1e-5}),
    "attention": ("Attention", ROWS, (normal(8, 24), normal(24)), {"num_heads": 2}),
    "attention_causal": ("Attention", ROWS, (normal(8, 24), normal(24)), {"num_heads": 4, "unidirectional": 1}),
    "attention_masked": ("Attention", ROWS, (normal(8, 24), normal(24), np.int32([[1, 1, 1, 1, 0, 0]])),
                         {"num_heads": 2}),
    "attention_biased": ("Attention", ROWS, (normal(8, 24), normal(24), None, None, normal(1, 2, 6, 6)),
                         {"num_heads": 2}),
    "heads": ("MultiHeadAttention", ROWS, ("x", "x", normal(24)), {"num_heads": 2, "scale": 0.4}),
    "rotary": ("RotaryEmbedding", ROWS, (np.int64([[0, 1, 2, 3, 4, 5]]), np.cos(TURNS), np.sin(TURNS)), {}),
    "rotary_pairs": ("RotaryEmbedding", HEADS, (np.int64([1]), np.cos(TURNS), np.sin(TURNS)), {"interleaved": 1}),
    "four_bits": ("MatMulNBits", (1, 3, 30), (PACKED, abs(normal(10)), RNG.integers(0, 256, 5, np.uint8)),
                  {"K": 30, "N": 5, "bits": 4, "block_size": 16}),
    "four_bits_symmetric": ("MatMulNBits", (1, 3, 32), (PACKED, abs(normal(10))),
                            {"K": 32, "N": 5, "bits": 4, "block_size": 16}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_operator(name: str) -> None:
    kind, shape, consts, attributes = CASES[name]
    content = model(kind, shape, consts, **attributes)
    graph, x = import_onnx(content, "case", {}), normal(*shape)
    for found, expected in zip(execute(graph, [x]), OnnxFile(content, {}).run([x]), strict=True):
        np.testing.assert_allclose(found.reshape(expected.shape), expected, rtol=1e-3, atol=1e-4)


def test_unknown_operator_is_refused_with_its_domain() -> None:
    with pytest.raises(UnsupportedOpError, match=r"com\.microsoft"):
        import_onnx(model("Inverse", (1, 3, 3)), "case", {})


def test_integer_attention_is_taken_apart() -> None:
    """The file quantizes in the middle of floating point, so that its real numbers are what is imported."""
    arrays = {"s": np.float32(0.02), "z": np.uint8(128), "v": np.int8(0), "b": normal(24),
              "w": RNG.integers(-90, 90, (8, 24), np.int8)}  # fmt: skip
    held = [numpy_helper.from_array(np.asarray(data), name) for name, data in arrays.items()]
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        helper.make_node("QAttention", ["q", "w", "b", "s", "s", "", "z", "v"], ["y"], domain=MICROSOFT, num_heads=2),
    ]
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ROWS if n == "x" else None) for n in "xy"]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], held)
    domains = [helper.make_opsetid("", 17), helper.make_opsetid(MICROSOFT, 1)]
    content = helper.make_model(graph, opset_imports=domains, ir_version=9).SerializeToString()
    x = normal(*ROWS)
    (found,), (expected,) = execute(import_onnx(content, "case", {}), [x]), OnnxFile(content, {}).run([x])
    assert np.linalg.norm(found - expected) < 0.05 * np.linalg.norm(expected)
