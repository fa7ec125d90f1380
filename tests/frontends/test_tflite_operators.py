"""TFLite operators that our own files do not use: what is imported computes what LiteRT does."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from edgetx.backends.tflite import operators
from edgetx.backends.tflite.builder import ModelFile
from edgetx.errors import UnsupportedOpError
from edgetx.frontends.tflite import import_tflite
from edgetx.frontends.tflite.file import Operator, Subgraph, Tensor
from edgetx.frontends.tflite.importer import import_subgraphs
from edgetx.ir import QuantParams, TensorType, Value
from edgetx.reference import execute
from edgetx.runtimes.litert import LitertRuntime

pytestmark = pytest.mark.runtimes
TABLES = {
    "CUMSUM": "CumsumOptions", "DEPTH_TO_SPACE": "DepthToSpaceOptions", "MIRROR_PAD": "MirrorPadOptions",
    "RESIZE_NEAREST_NEIGHBOR": "ResizeNearestNeighborOptions", "SPACE_TO_DEPTH": "SpaceToDepthOptions",
    "CONV_3D": "Conv3DOptions", "IF": "IfOptions", "L2_POOL_2D": "Pool2DOptions", "ONE_HOT": "OneHotOptions",
    "REDUCE_ANY": "ReducerOptions",
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
    One("GATHER", (2, 4, 3), (2, 2, 3), (ints(1, 3, 0, 3).reshape(2, 2),), {"Axis": 1, "BatchDims": 1}),
    One("GATHER_ND", (2, 4, 3), (2, 3), (ints(1, 3, 0, 2).reshape(2, 2),)),
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
    One("PADV2", (1, 3, 5), (1, 4, 7), (ints(0, 0, 1, 0, 2, 0).reshape(3, 2), np.float32(-1.5))),
    One("L2_POOL_2D", (1, 5, 4, 3), (1, 2, 2, 3), (), {"FilterHeight": 3, "FilterWidth": 2, "StrideH": 2, "StrideW": 2,
                                                      "Padding": 1}),
    One("FLOOR", (1, 3, 5), (1, 3, 5)),
    One("SIGN", (1, 3, 5), (1, 3, 5)),
    One("SIN", (1, 3, 5), (1, 3, 5)),
    One("COS", (1, 3, 5), (1, 3, 5)),
    One("FLOOR_MOD", (1, 3, 5), (1, 3, 5), (np.float32([0.7]),)),
    One("FLOOR_DIV", (1, 3, 5), (1, 3, 5), (np.float32([-0.7]),)),
], ids=str)  # fmt: skip
def test_arithmetic(case: One) -> None:
    agree(case.file("float32"), "float32")


@pytest.mark.parametrize("builtin", ["CEIL", "ROUND"])
def test_rounding(builtin: str) -> None:
    """LiteRT has no reference kernels of these."""
    agree(One(builtin, (1, 30, 50), (1, 30, 50)).file("float32"), "float32", optimize=True)


def agree(content: bytes, dtype: str, *, optimize: bool = False) -> None:
    graph = import_tflite(content, "case")
    rng = np.random.default_rng(0)
    runtime = LitertRuntime(content, optimize=optimize)
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


@pytest.mark.parametrize(("padding", "size", "stride"), [(0, (3, 3, 2), (2, 2, 1)), (1, (2, 4, 2), (2, 1, 1))])
def test_convolution_of_a_volume(padding: int, size: tuple[int, int, int], stride: tuple[int, int, int]) -> None:
    weight, bias = (np.random.default_rng(0).normal(0, 1, s).astype(np.float32) for s in ((3, 2, 2, 2, 4), (4,)))
    options = {f"Stride{axis}": n for axis, n in zip("DHW", stride, strict=True)} | {"Padding": padding}
    options |= {f"Dilation{axis}Factor": 1 for axis in "DHW"}
    shape = (1, 6 if not padding else 5, 5, 3 if padding else 2, 2)
    agree(One("CONV_3D", shape, (1, *size, 4), (weight, bias), options).file("float32"), "float32")


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_place_of_the_largest(dtype: str) -> None:
    file = ModelFile()
    main = file.subgraph({})
    x, y = tensor("x", (2, 5, 3), dtype), tensor("y", (2, 3), "int32")
    main.inputs([x])
    main.operator("ARG_MAX", [x, main.const(np.array(-2, np.int32), "axis")], [y], {"OutputType": "int32"})
    main.outputs([y])
    agree(file.finish(), dtype)


def taken(axis: int) -> bytes:
    """Elements of a table at places that are cut off, and positions one of which is on."""
    file = ModelFile()
    main = file.subgraph({})
    x, positive, whole = tensor("x", (1, 4)), tensor("positive", (1, 4)), tensor("whole", (1, 4), "int32")
    rows, hot = tensor("rows", (1, 4, 3) if axis == 0 else (4, 1, 4)), tensor("hot", (1, 4, 3))
    main.inputs([x])
    main.operator("ABS", [x], [positive], {})
    main.operator("CAST", [positive], [whole], {"InDataType": "float32", "OutDataType": "int32"})
    table = np.random.default_rng(0).normal(0, 1, (9, 3) if axis == 0 else (4, 9)).astype(np.float32)
    main.operator("GATHER", [main.const(table, "table"), whole], [rows], {"Axis": axis})
    on, off, depth = main.const(np.float32(2), "on"), main.const(np.float32(-1), "off"), main.const(ints(3)[0], "depth")
    main.operator("ONE_HOT", [whole, depth, on, off], [hot], {"Axis": -1})
    main.outputs([rows, hot])
    return file.finish()


@pytest.mark.parametrize("axis", [0, 1])
def test_elements_at_computed_places(axis: int) -> None:
    content = taken(axis)
    graph, runtime = import_tflite(content, "case"), LitertRuntime(content)
    for seed in range(3):
        x = np.random.default_rng(seed).uniform(-6, 6, (1, 4)).astype(np.float32)
        for found, expected in zip(execute(graph, [x]), runtime.run([x]), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_truths_of_equality() -> None:
    """Rows without any zero keep their numbers."""
    file = ModelFile()
    main = file.subgraph({})
    x, y, zero = tensor("x", (1, 3, 2)), tensor("y", (1, 3, 2)), main.const(np.float32([0]), "zero")
    zeros, row, rest = (tensor(name, (1, 3, n), "bool") for name, n in (("zeros", 2), ("row", 1), ("rest", 1)))
    main.inputs([x])
    main.operator("EQUAL", [x, zero], [zeros], {})
    main.operator("REDUCE_ANY", [zeros, main.const(ints(2), "axes")], [row], {"KeepDims": True})
    main.operator("LOGICAL_NOT", [row], [rest], {})
    main.operator("SELECT_V2", [rest, x, zero], [y], {})
    main.outputs([y])
    content = file.finish()
    rows = np.float32([[[1, 2], [0, 3], [4, 0]]])
    (found,) = execute(import_tflite(content, "case"), [rows])
    np.testing.assert_array_equal(found, LitertRuntime(content).run([rows])[0])


def test_branches_are_both_computed() -> None:
    """x is doubled where its largest element is above 1, else negated."""
    file = ModelFile()
    main, then, other = (file.subgraph({}) for _ in range(3))
    x, y, top, truth = tensor("x", (1, 4)), tensor("y", (1, 4)), tensor("top", ()), tensor("t", (), "bool")
    twice, less = tensor("twice", (1, 4)), tensor("less", (1, 4))
    main.inputs([x])
    main.operator("REDUCE_MAX", [x, main.const(ints(0, 1), "axes")], [top], {})
    main.operator("GREATER", [top, main.const(np.float32(1), "1")], [truth], {})
    main.operator("IF", [truth, x], [y], {"ThenSubgraphIndex": 1, "ElseSubgraphIndex": 2})
    main.outputs([y])
    for branch, operands, result in ((then, [x, x], twice), (other, [x], less)):
        branch.inputs([x])
        builtin, options = ("ADD", {"FusedActivationFunction": "none"}) if len(operands) > 1 else ("NEG", {})
        branch.operator(builtin, operands, [result], options)
        branch.outputs([result])
    content = file.finish()
    graph, runtime = import_tflite(content, "case"), LitertRuntime(content)
    for x_now in (np.float32([[0.5, -2, 0.9, 0]]), np.float32([[0.5, -2, 1.1, 0]])):
        np.testing.assert_array_equal(execute(graph, [x_now])[0], runtime.run([x_now])[0])


def test_bytes_without_sign_are_signed_ones() -> None:
    """A whole model moved by 128, as TensorFlow 1 wrote it."""
    kinds = (("UINT8", (0.02,), (140,)), ("UINT8", (1 / 256,), (0,)))
    tensors = tuple(Tensor(name, (1, 256), *kind) for name, kind in zip("xy", kinds, strict=True))
    graph = import_subgraphs([Subgraph(tensors, (Operator("LOGISTIC", (0,), (1,), (), None),), (0,), (1,))], "old")
    assert [v.type.dtype for v in (*graph.inputs, *graph.outputs)] == ["int8", "int8"]
    every = np.arange(256)
    (found,) = execute(graph, [(every - 128).astype(np.int8).reshape(1, -1)])
    expected = np.round(256 / (1 + np.exp(-0.02 * (every - 140.0))))
    np.testing.assert_array_equal(found[0].astype(int) + 128, np.clip(expected, 0, 255))


@pytest.mark.parametrize("builtin", ["GATHER", "EMBEDDING_LOOKUP"])
def test_index_of_an_integer_table_is_given_as_it_is(builtin: str) -> None:
    file = ModelFile()
    main = file.subgraph({})
    x, rows = tensor("x", (4,), "int32"), tensor("rows", (4, 3), "int8")
    main.inputs([x])
    table = main.const(np.arange(27).reshape(9, 3).astype(np.int8), "table", INT8)
    main.operator(builtin, [table, x] if builtin == "GATHER" else [x, table], [rows], {})
    main.outputs([rows])
    graph = import_tflite(file.finish(), "case")
    assert graph.inputs[0].type.dtype == "int16"
    (found,) = execute(graph, [np.array([8, 0, 3, 3], np.int16)])
    np.testing.assert_array_equal(found, np.arange(27).reshape(9, 3)[[8, 0, 3, 3]])
