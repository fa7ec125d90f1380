"""Every kernel of every core's folder has the bits of the integer reference."""

from dataclasses import replace

import numpy as np
import pytest
from cases import CASES, WIDTHS, Case, LowestCase, contents
from fast_kernels import FOLDERS, KERNELS, planned_call, run_fast

from edgetx import ops
from edgetx.ir import Graph, GraphBuilder, QuantParams
from edgetx.ops.activation import Activation
from edgetx.ops.attention import EXP2_COEFFICIENTS, AttentionFormat
from edgetx.plan.kernels import choose_kernels
from edgetx.reference import execute

SEEDS = range(5)


def _more_cases() -> list[Case]:
    made = [Case(f"fully_connected_{r}x{i}x{o}", ops.FullyConnected(), ((1, r, i),), ((o, i), (o,)))
            for r in (1, 2, 5) for i in (7, 8, 16, 33, 64) for o in (1, 2, 3, 4, 6, 9)]  # fmt: skip
    for rounding in ("twice", "once"):
        made += [LowestCase(f"lowest_{rounding}_{r}x{i}x{o}", ops.FullyConnected("relu6", rounding=rounding),
                            ((1, r, i),), ((o, i), (o,)))
                 for r, i, o in [(1, 7, 3), (1, 44, 6), (3, 16, 5), (4, 33, 8), (9, 40, 7)]]  # fmt: skip
    made.append(LowestCase("lowest_conv", ops.Conv2D((2, 1), (1, 2), "same"), ((1, 9, 7, 5),), ((7, 3, 2, 5), (7,))))
    any_depthwise = ops.DepthwiseConv2D((2, 1), (1, 2), "same", "relu")
    depthwise, strided, pointwise = (
        ops.DepthwiseConv2D(padding="same"),
        ops.Conv2D((1, 2), (1, 2), "same"),
        ops.Conv2D(),
    )
    for n in WIDTHS:
        made.append(Case(f"depthwise_3x3_{n}", depthwise, ((1, 5, 4, n),), ((1, 3, 3, n), (n,))))
        made.append(Case(f"depthwise_{n}", any_depthwise, ((1, 6, 5, n),), ((1, 4, 3, n), (n,))))
        made.append(Case(f"conv_1d_{n}", strided, ((1, 1, 9, n),), ((3, 1, 3, n), (3,))))
        made.append(Case(f"pointwise_{n}", pointwise, ((1, 3, 3, n),), ((n, 1, 1, n), (n,))))
    for size in [(3, 3), (4, 3), (1, 1), (2, 7)]:
        for padding in ("same", "valid") if min(size) > 2 else ("same",):
            conv = ops.DepthwiseConv2D(padding=padding, activation="relu")
            made.append(Case(f"depthwise_3x3_{size}_{padding}", conv, ((1, *size, 6),), ((1, 3, 3, 6), (6,))))
    for rows, inputs, outputs in [(8, 20, 6), (9, 64, 58), (16, 33, 30)]:  # weights are copied, in parts where large
        made.append(
            Case(
                f"copied_{rows}x{inputs}x{outputs}",
                ops.FullyConnected(),
                ((1, rows, inputs),),
                ((outputs, inputs), (outputs,)),
            )
        )
    for depth in WIDTHS:
        rows, columns = 4 + depth % 3, 1 + depth % 5
        product, transposed = ops.BatchMatmul(), ops.BatchMatmul(adj_y=True)
        made.append(Case(f"product_{depth}", product, ((2, rows, depth), (2, depth, columns))))
        made.append(Case(f"product_transposed_{depth}", transposed, ((3, rows, depth), (1, columns, depth))))
    for r, i, o in [(1, 1, 1), (2, 4, 3), (5, 9, 8), (4, 16, 5), (3, 34, 2)]:
        made.append(Case(f"wide_{r}x{i}x{o}", ops.FullyConnected("relu6"), ((1, r, i),), ((o, i), (o,)), "int16"))
    for channels, window in [(1, (3, 3)), (4, (1, 3)), (7, (2, 2))]:
        shapes = ((1, 8, 9, channels),), ((5, *window, channels), (5,))
        made.append(Case(f"wide_{channels}x{window}", ops.Conv2D((2, 1), (1, 2), "same"), *shapes, "int16"))
    for channels, window in [(1, (3, 3)), (2, (3, 3)), (3, (2, 5)), (8, (3, 3)), (5, (3, 1)), (4, (1, 4))]:
        for dilation in [(1, 1), (2, 1), (1, 2)]:
            conv = ops.Conv2D((1, 2), dilation, "same", "relu")
            made.append(
                Case(
                    f"windows_{channels}x{window}_{dilation}",
                    conv,
                    ((1, 9, 11, channels),),
                    ((18, *window, channels), (18,)),
                )
            )
    for around in [((2, 1), (0, 3)), ((0, 2), (1, 0)), ((4, 3), (3, 5))]:  # as pads above leave them
        op, depthwise = ops.Conv2D((2, 1), around=around), ops.DepthwiseConv2D(around=around)
        made.append(Case(f"around_{around}", op, ((1, 6, 7, 5),), ((6, 3, 3, 5), (6,))))
        made.append(Case(f"depthwise_around_{around}", depthwise, ((1, 6, 7, 5),), ((1, 3, 3, 5), (5,))))
    made.append(Case("valid_windows", ops.Conv2D((2, 2), (1, 1), "valid"), ((1, 11, 9, 1),), ((8, 3, 3, 1), (8,))))
    made.append(Case("whole_rows", ops.Conv2D((1, 1), (1, 1), "valid"), ((1, 12, 3, 4),), ((8, 3, 3, 4), (8,))))
    made.append(
        Case("conv_first", ops.Conv2D((2, 2), (1, 1), "same", "relu"), ((1, 13, 10, 1),), ((9, 10, 4, 1), (9,)))
    )
    return made


def replaces(folder: str, case: Case) -> bool:
    """Whether the folder, or the portable kernels if it is none, has another kernel than the op's for a case.

    Whether it takes it may hang on the numbers.
    """
    graph = case.graph(0)
    node = graph.nodes[0]
    if node.op.is_view:
        return False
    call = node.op.to_c(node)
    data = [graph.const(o) if hasattr(o, "name") else o for o in call.operands]
    chosen, source = choose_kernels(call, data, (folder,))[0]
    return source.parent.name == folder if folder else chosen.kernel != call.kernel


RUNS = [(folder, case) for folder in (*FOLDERS, "") for case in (*CASES, *_more_cases()) if replaces(folder, case)]


@pytest.mark.parametrize(("folder", "case"), RUNS, ids=lambda value: str(value))
def test_fast_kernel_equals_reference(folder: str, case: Case) -> None:
    for seed in SEEDS:
        graph = case.graph(seed)
        inputs = contents(graph, seed)
        (expected,) = execute(graph, inputs)
        (found,) = run_fast(graph, folder, inputs)
        np.testing.assert_array_equal(found, expected, f"seed {seed}")
        call = planned_call(graph, folder)
        if call.in_place is not None and graph.inputs[0].type.nbytes == expected.nbytes:
            (found,) = run_fast(graph, folder, inputs, in_place=True)
            np.testing.assert_array_equal(found, expected, f"in place, seed {seed}")


@pytest.mark.parametrize("folder", ["cortex_m_dsp", "cortex_m0"])
@pytest.mark.parametrize(("op", "activation"), [(ops.Add, "none"), (ops.Sub, "relu6")])
@pytest.mark.parametrize(
    "scales", [(0.1, 0.1, 0.1), (0.1, 0.05, 0.1), (0.05, 0.1, 0.17), (0.1, 1e-4, 0.03), (1, 0.3, 9)]
)
def test_sums_of_all_pairs(
    scales: tuple[float, float, float], activation: Activation, op: type[ops.Add | ops.Sub], folder: str
) -> None:
    every = np.arange(-128, 128).astype(np.int8)
    a, b = (np.ascontiguousarray(x) for x in np.broadcast_arrays(every[:, None], every[None, :]))
    for zero_points in [(0, 0, 0), (-128, 127, -128), (5, -77, 100)]:
        quants = [QuantParams((scale,), zero) for scale, zero in zip(scales, zero_points, strict=True)]
        builder = GraphBuilder("add")
        inputs = [builder.input(name, a.shape, "int8", quant) for name, quant in zip("ab", quants, strict=False)]
        graph = builder.graph(builder.op(op(activation), *inputs, quant=("int8", quants[2])))
        (found,) = run_fast(graph, folder, (a, b))
        np.testing.assert_array_equal(found, execute(graph, (a, b))[0])


def test_powers_of_two_as_the_dsp_kernel_rounds_them() -> None:
    """Weights of attention for every fraction: lanes, negative products and the carry against the op's own cubic."""
    fraction = np.arange(1 << 16)
    start, slope, square, cubic = EXP2_COEFFICIENTS
    inner = square - (fraction * cubic >> 16)
    power = start - (fraction * (slope - (fraction * inner >> 16)) >> 16)
    inner = square + 1 + (fraction * -cubic >> 16)
    found = start - (fraction * (slope - (fraction * inner >> 16)) >> 16)
    np.testing.assert_array_equal(found, power)
    upper = found << 16 | slope  # what the last subtraction leaves in the lower lane
    for places in range(25):
        carry = upper >> 15 + places & 1
        np.testing.assert_array_equal((upper >> 16 + places) + carry, (2 * power >> places) + 1 >> 1)


def attention_of(keys: int, scale: float, head: int = 6) -> Graph:
    b = GraphBuilder("attention")
    quant = QuantParams((0.1,), 3)
    q, k, v = (b.input(n, (1, s, 2 * head), "int8", quant) for n, s in [("q", 5), ("k", keys), ("v", keys)])
    return b.graph(b.op(ops.Attention(2, scale), q, k, v, quant=("int8", QuantParams((0.09,), -5))))


@pytest.mark.parametrize("keys", [1, 49, 300, 5000])
def test_octaves_of_attention_fit_a_word_with_what_a_weight_is_shifted_by(keys: int) -> None:
    ends = np.log(2) / 0.01 * 16 / np.arange(1, 100)  # a whole number of steps is 16 octaves
    for scale in (*np.logspace(-12, 6, 400), *ends, *np.nextafter(ends, 0), *np.nextafter(ends, np.inf)):
        form = AttentionFormat.of(attention_of(keys, float(scale)).nodes[0])
        octaves = (form.difference_max + 1) * form.score_mantissa
        assert octaves <= 1 << 31
        assert octaves + (form.weight_shift + 16 << 16 + form.score_shift) < 1 << 32


@pytest.mark.parametrize("folder", ["cortex_m_dsp", "cortex_m0"])
@pytest.mark.parametrize("scale", [1e-9, 1e-5, 2e-4, 3e-3, 0.07, 40.0, 1100.0, 17000.0])
def test_attention_of_every_reach(scale: float, folder: str) -> None:
    """Scores that differ by fractions of an octave, by many, and some without weight."""
    rng = np.random.default_rng(1)
    for keys, head in ((1, 6), (2, 6), (7, 6), (150, 16), (300, 6), (600, 6)):
        graph = attention_of(keys, scale, head)
        inputs = [rng.integers(-128, 128, value.shape).astype(np.int8) for value in graph.inputs]
        (found,) = run_fast(graph, folder, inputs)
        np.testing.assert_array_equal(found, execute(graph, inputs)[0], f"{keys} keys")


@pytest.mark.parametrize(("keys", "head", "columns"), [(7, 16, 16), (150, 16, 8), (300, 6, 0)])
def test_attention_copies_values_where_there_is_room(keys: int, head: int, columns: int) -> None:
    assert planned_call(attention_of(keys, 0.1, head), "cortex_m_dsp").params["copied_columns"] == columns


@pytest.mark.parametrize("folder", ["cortex_m_dsp", "cortex_m0", ""])
@pytest.mark.parametrize(
    ("op", "weight"),
    [
        (ops.DepthwiseConv2D(), (1, 3, 3, 4)),
        (ops.DepthwiseConv2D((2, 1)), (1, 3, 2, 4)),
        (ops.Conv2D(), (4, 3, 2, 4)),
    ],
)
@pytest.mark.parametrize("end", [-(2**31), 2**31 - 1])
def test_sums_beyond_24_bits_are_not_packed(end: int, op: ops.Op, weight: tuple[int, ...], folder: str) -> None:
    graph = Case("far", op, ((1, 5, 4, 4),), (weight, (4,))).graph(0)
    (bias,) = (name for name, x in graph.consts.items() if x.dtype == np.int32)
    far = np.where(np.arange(4) == 2, end, graph.consts[bias]).astype(np.int32)
    call = planned_call(replace(graph, consts={**graph.consts, bias: far}), folder)
    assert call.kernel == f"{op.name}_s8"


def test_every_kernel_is_tested() -> None:
    used = {folder: set() for folder in (*FOLDERS, "")}
    for folder, case in RUNS:
        used[folder] |= {planned_call(case.graph(seed), folder).kernel for seed in SEEDS}
    for folder in FOLDERS:
        assert {path.stem for path in (KERNELS / folder).glob("*.c")} <= used[folder]
