"""TFLite operators that our own files do not use: what is imported computes what LiteRT does."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from edgetx.backends.tflite import operators
from edgetx.backends.tflite.builder import ModelFile
from edgetx.errors import UnsupportedOpError
from edgetx.frontends.tflite import import_tflite
from edgetx.ir import QuantParams, TensorType, Value
from edgetx.reference import execute
from edgetx.runtimes.litert import LitertRuntime

pytestmark = pytest.mark.runtimes
TABLES = {
    "CUMSUM": "CumsumOptions", "DEPTH_TO_SPACE": "DepthToSpaceOptions", "MIRROR_PAD": "MirrorPadOptions",
    "RESIZE_NEAREST_NEIGHBOR": "ResizeNearestNeighborOptions", "SPACE_TO_DEPTH": "SpaceToDepthOptions",
    "TRANSPOSE_CONV": "TransposeConvOptions", "WHILE": "WhileOptions", "PACK": "PackOptions", "SHAPE": "ShapeOptions",
}  # fmt: skip
INT8 = QuantParams((0.05,), -3)


@pytest.fixture(autouse=True)
def more_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    for builtin, table in TABLES.items():
        monkeypatch.setitem(operators.OPTIONS, builtin, table)


def tensor(name: str, shape: Sequence[int], dtype: str = "float32", quant: QuantParams | None = None) -> Value:
    return Value(name, TensorType(tuple(shape), dtype, quant or (INT8 if dtype == "int8" else None)))


@dataclass(frozen=True)
class One:
    """One operator: shapes of what it takes and gives, and constants behind that."""

    builtin: str
    shape: tuple[int, ...]
    result: tuple[int, ...]
    consts: tuple[object, ...] = ()
    options: dict[str, object] = field(default_factory=dict)
    first: tuple[object, ...] = ()

    def __str__(self) -> str:
        return f"{self.builtin}-{'x'.join(map(str, self.result))}"

    def file(self, dtype: str) -> bytes:
        file = ModelFile()
        main = file.subgraph({})
        x, y = tensor("x", self.shape, dtype), tensor("y", self.result, dtype)
        main.inputs([x])
        before, after = ([main.const(np.asarray(c), "c") for c in cs] for cs in (self.first, self.consts))
        main.operator(self.builtin, [*before, x, *after], [y], self.options)
        main.outputs([y])
        return file.finish()


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int32)


MOVING = [
    One("TILE", (1, 2, 3), (1, 4, 9), (ints(1, 2, 3),)),
    One("MIRROR_PAD", (1, 4, 3), (1, 7, 3), (ints(0, 0, 2, 1, 0, 0).reshape(3, 2),), {"Mode": 0}),
    One("MIRROR_PAD", (1, 4, 3), (1, 8, 3), (ints(0, 0, 4, 0, 0, 0).reshape(3, 2),), {"Mode": 1}),
    One("SPACE_TO_DEPTH", (1, 4, 6, 2), (1, 2, 3, 8), (), {"BlockSize": 2}),
    One("DEPTH_TO_SPACE", (1, 2, 3, 8), (1, 4, 6, 2), (), {"BlockSize": 2}),
    One("RESIZE_NEAREST_NEIGHBOR", (1, 3, 4, 2), (1, 6, 8, 2), (ints(6, 8),), {"HalfPixelCenters": True}),
    One("RESIZE_NEAREST_NEIGHBOR", (1, 3, 4, 2), (1, 7, 5, 2), (ints(7, 5),), {"AlignCorners": True}),
    One("RESIZE_BILINEAR", (1, 3, 4, 2), (1, 6, 8, 2), (ints(6, 8),), {"HalfPixelCenters": True}),
    One("RESIZE_BILINEAR", (1, 3, 4, 2), (1, 7, 5, 2), (ints(7, 5),), {"AlignCorners": True}),
    One("RESIZE_BILINEAR", (1, 5, 4, 2), (1, 3, 9, 2), (ints(3, 9),)),
    One("STRIDED_SLICE", (2, 3, 4), (2, 3, 2), (ints(0, 1), ints(0, 3), ints(1, 1)), {"EllipsisMask": 1}),
    One("STRIDED_SLICE", (2, 3, 4), (1, 2, 3, 4), (ints(0, 0), ints(0, 2), ints(1, 1)), {"NewAxisMask": 1}),
    One("STRIDED_SLICE", (1, 3, 4), (1, 3, 4), (ints(0, 2), ints(1, -4), ints(1, -1))),
]


@pytest.mark.parametrize("dtype", ["float32", "int8"])
@pytest.mark.parametrize("case", MOVING, ids=str)
def test_movement(case: One, dtype: str) -> None:
    if case.builtin == "TILE" and dtype == "int8":
        pytest.skip("LiteRT has no such kernel")
    agree(case.file(dtype), dtype)


@pytest.mark.parametrize("case", [
    One("CUMSUM", (1, 3, 4), (1, 3, 4), (np.array(1, np.int32),)),
    One("LOG_SOFTMAX", (1, 3, 5), (1, 3, 5)),
    One("RELU_N1_TO_1", (1, 3, 5), (1, 3, 5)),
    One("PRELU", (1, 2, 3, 5), (1, 2, 3, 5), (np.linspace(0, 1, 5, dtype=np.float32).reshape(1, 1, 5),)),
], ids=str)  # fmt: skip
def test_arithmetic(case: One) -> None:
    agree(case.file("float32"), "float32")


def agree(content: bytes, dtype: str) -> None:
    graph = import_tflite(content, "case")
    rng = np.random.default_rng(0)
    runtime = LitertRuntime(content)
    for _ in range(3):
        x = rng.normal(0, 2, graph.inputs[0].shape).astype(np.float32)
        if dtype == "int8":
            x = rng.integers(-128, 128, x.shape).astype(np.int8)
        (expected,), (found,) = runtime.run([x]), execute(graph, [x])
        assert found.shape == expected.shape
        if dtype == "int8":
            np.testing.assert_array_equal(found, expected)
        else:
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "int8"])
@pytest.mark.parametrize(("padding", "size", "stride"), [(0, (8, 6), (2, 2)), (1, (9, 7), (2, 2)), (0, (4, 9), (1, 3))])
def test_transposed_convolution(dtype: str, padding: int, size: tuple[int, int], stride: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    file = ModelFile()
    main = file.subgraph({})
    x, y = tensor("x", (1, 4, 3, 5), dtype), tensor("y", (1, *size, 2), dtype)
    main.inputs([x])
    shape = main.const(ints(1, *size, 2), "shape")
    if dtype == "int8":
        quant = QuantParams((0.01, 0.02), 0, 0)
        weight = main.const(rng.integers(-127, 128, (2, 3, 3, 5)).astype(np.int8), "w", quant)
    else:
        weight = main.const(rng.normal(0, 1, (2, 3, 3, 5)).astype(np.float32), "w")
    options = {"Padding": padding, "StrideH": stride[0], "StrideW": stride[1]}
    main.operator("TRANSPOSE_CONV", [shape, weight, x], [y], options)
    main.outputs([y])
    agree(file.finish(), dtype)


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_dilation_by_space_to_batch(dtype: str) -> None:
    """One dilated convolution, with what stands between it and the end of the batch."""
    rng = np.random.default_rng(0)
    file = ModelFile()
    main = file.subgraph({})
    x, y = tensor("x", (1, 9, 3), dtype), tensor("y", (1, 9, 4), dtype)
    spread, image = tensor("spread", (2, 7, 3), dtype), tensor("image", (2, 1, 7, 3), dtype)
    made, rows = tensor("made", (2, 1, 5, 4), dtype), tensor("rows", (2, 5, 4), dtype)
    main.inputs([x])
    block, pads, crops = main.const(ints(2), "b"), main.const(ints(2, 3).reshape(1, 2), "p"), ints(0, 1).reshape(1, 2)
    main.operator("SPACE_TO_BATCH_ND", [x, block, pads], [spread], {})
    main.operator("EXPAND_DIMS", [spread, main.const(np.array(1, np.int32), "axis")], [image], {})
    weight = rng.normal(0, 1, (4, 1, 3, 3)).astype(np.float32)
    if dtype == "int8":
        w = main.const(rng.integers(-127, 128, weight.shape).astype(np.int8), "w", QuantParams((0.01,) * 4, 0, 0))
        bias = main.const(np.zeros(4, np.int32), "bias", QuantParams((0.0005,) * 4, 0, 0))
    else:
        w, bias = main.const(weight, "w"), main.const(np.zeros(4, np.float32), "bias")
    main.operator("CONV_2D", [image, w, bias], [made], {"Padding": 1, "StrideH": 1, "StrideW": 1, "DilationHFactor": 1,
                                                      "DilationWFactor": 1})  # fmt: skip
    main.operator("RESHAPE", [made, main.const(ints(2, 5, 4), "shape")], [rows], {})
    main.operator("BATCH_TO_SPACE_ND", [rows, block, main.const(crops, "c")], [y], {})
    main.outputs([y])
    content = file.finish()
    agree(content, dtype)
    assert [node.op.name for node in import_tflite(content, "case").nodes].count("conv_2d") == 1


def loop(condition: str, limit: int) -> bytes:
    """x is halved and counted up, while the count is below a limit."""
    file = ModelFile()
    main, cond, body = (file.subgraph({}) for _ in range(3))
    x, y, count, end = tensor("x", (1, 4)), tensor("y", (1, 4)), tensor("n", (), "int32"), tensor("m", (), "int32")
    main.inputs([x])
    main.operator("WHILE", [main.const(np.array(0, np.int32), "0"), x], [end, y],
                  {"CondSubgraphIndex": 1, "BodySubgraphIndex": 2})  # fmt: skip
    main.outputs([y])
    truth = tensor("t", (), "bool")
    cond.inputs([count, x])
    cond.operator(condition, [count, cond.const(np.array(limit, np.int32), "limit")], [truth], {})
    cond.outputs([truth])
    more, half = tensor("more", (), "int32"), tensor("half", (1, 4))
    body.inputs([count, x])
    body.operator("ADD", [count, body.const(np.array(1, np.int32), "1")], [more], {"FusedActivationFunction": "none"})
    body.operator("MUL", [x, body.const(np.float32([0.5]), "half")], [half], {"FusedActivationFunction": "none"})
    body.outputs([more, half])
    return file.finish()


def test_loop_is_written_out() -> None:
    agree(loop("LESS", 5), "float32")


def test_endless_loop_is_refused() -> None:
    with pytest.raises(UnsupportedOpError, match="loop of more than"):
        import_tflite(loop("GREATER_EQUAL", -1), "loop")


def test_folded_shape_reaches_a_reshape() -> None:
    file = ModelFile()
    main = file.subgraph({})
    x, y = tensor("x", (1, 6)), tensor("y", (1, 3, 2))
    shape, part, listed = tensor("s", (2,), "int32"), tensor("p", (), "int32"), tensor("l", (3,), "int32")
    main.inputs([x])
    main.operator("SHAPE", [x], [shape], {"OutType": 2})
    main.operator("STRIDED_SLICE", [shape, *(main.const(ints(n), "b") for n in (0, 1, 1))], [part],
                  {"ShrinkAxisMask": 1})  # fmt: skip
    three, two = main.const(np.array(3, np.int32), "3"), main.const(np.array(2, np.int32), "2")
    main.operator("PACK", [part, three, two], [listed], {"ValuesCount": 3})
    main.operator("RESHAPE", [x, listed], [y], {})
    main.outputs([y])
    agree(file.finish(), "float32")
