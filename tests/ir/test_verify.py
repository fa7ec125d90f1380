"""Every rule finds its own violation, and no other rule stands before it."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

from edgetx.errors import ModelError
from edgetx.ir import Graph, GraphBuilder, QuantParams, State, TensorType, Value
from edgetx.ir.verify import FLOAT, INTEGER, PLANNED, TFLITE, Stage, verify
from edgetx.ops import Attention, FullyConnected, Gelu, Op

QUANT = QuantParams((0.1,), -3)
CHANNELS = QuantParams((0.1, 0.2, 0.3), 0, 0)


def float_graph() -> Graph:
    b = GraphBuilder("g")
    x = b.input("x", (1, 4))
    h = b.op(FullyConnected(), x, b.const(np.ones((4, 4), np.float32), "w"), name="h")
    return b.graph(b.op(Gelu(), h, name="y"))


def integer_graph() -> Graph:
    b = GraphBuilder("g")
    x = b.input("x", (1, 4), "int8", QUANT)
    state = b.state("s", np.zeros((1, 3), np.int8), QUANT)
    w = b.const(np.ones((3, 4), np.int8), "w", CHANNELS)
    h = b.op(FullyConnected(), x, w, name="h", quant=("int8", QUANT))
    b.write_state(state, h)
    v = b.const(np.ones((3, 3), np.int8), "v", CHANNELS)
    return b.graph(b.op(FullyConnected(), h, v, name="y", quant=("int8", QUANT)))


def retyped(graph: Graph, name: str, tensor_type: TensorType) -> Graph:
    """The graph with another type of one value wherever it appears."""

    def change(values: tuple[Value, ...]) -> tuple[Value, ...]:
        return tuple(Value(name, tensor_type) if v.name == name else v for v in values)

    nodes = tuple(replace(n, inputs=change(n.inputs), outputs=change(n.outputs)) for n in graph.nodes)
    states = tuple(State(s.name, s.init, *change((s.read, s.write))) for s in graph.states)
    return replace(graph, inputs=change(graph.inputs), outputs=change(graph.outputs), nodes=nodes, states=states)


def with_node(graph: Graph, index: int, **changes: object) -> Graph:
    nodes = list(graph.nodes)
    nodes[index] = replace(nodes[index], **changes)  # type: ignore[arg-type]
    return replace(graph, nodes=tuple(nodes))


def with_const(graph: Graph, name: str, data: np.ndarray) -> Graph:
    return replace(graph, consts={**graph.consts, name: data})


def value_of(graph: Graph, name: str) -> Value:
    return next(v for v in graph.values if v.name == name)


@dataclass(frozen=True)
class Silent(Gelu):
    """An op that no output form knows."""

    name: ClassVar[str] = "silent"
    to_tflite = Op.to_tflite
    to_c = Op.to_c


F, Q = float_graph(), integer_graph()
INT8 = TensorType((1, 4), "int8", QUANT)
W = value_of(Q, "w").type
ALONE = with_node(Q, 1, op=Silent(), inputs=(value_of(Q, "h"),))

BROKEN: list[tuple[str, Stage, Graph, str]] = [
    ("made_once", FLOAT, with_node(F, 1, outputs=(value_of(F, "h"),)), "h"),
    ("nodes_named", FLOAT, with_node(F, 1, name="h"), "h"),
    ("defined", FLOAT, replace(F, nodes=F.nodes[::-1]), "y: %h"),
    ("defined", FLOAT, replace(F, outputs=(Value("nobody", TensorType((1,))),)), "%nobody"),
    ("one_type", FLOAT, with_node(F, 1, inputs=(Value("h", TensorType((4, 1))),)), "y: %h"),
    ("static_shapes", FLOAT, retyped(F, "x", TensorType((0, 4))), "%x: float32[0x4]"),
    ("constants_fit", FLOAT, with_const(F, "w", np.ones((4, 5), np.float32)), "%w: float32[4x4]"),
    ("states_keep_type", INTEGER, replace(Q, states=(replace(Q.states[0], init=np.zeros((1, 3), np.int16)),)), "s"),
    ("constants_finite", FLOAT, with_const(F, "w", np.full((4, 4), np.nan, np.float32)), "w"),
    ("not_quantized", FLOAT, retyped(F, "y", TensorType((1, 4), "int8", QUANT)), "%y"),
    ("types_inferred", FLOAT, retyped(F, "y", TensorType((2, 2))), "y (inferred float32[1x4])"),
    ("activations_integer", INTEGER, retyped(Q, "x", TensorType((1, 4))), "%x: float32[1x4]"),
    ("activations_per_tensor", INTEGER, retyped(Q, "x", TensorType((1, 4), "int8")), "%x: int8[1x4]"),
    ("activations_per_tensor", INTEGER, retyped(Q, "x", TensorType((1, 4), "int8", CHANNELS)), "%x"),
    (
        "constants_integer",
        INTEGER,
        with_const(retyped(Q, "w", TensorType((3, 4))), "w", np.ones((3, 4), np.float32)),
        "w",
    ),
    ("scales_counted", INTEGER, retyped(Q, "w", W.with_quant("int8", QuantParams((0.1, 0.2), 0, 0))), "%w"),
    ("scales_counted", INTEGER, retyped(Q, "w", W.with_quant("int8", QuantParams((0.1, 0.2, 0.3), 0, 2))), "%w"),
    ("scales_positive", INTEGER, retyped(Q, "x", INT8.with_quant("int8", QuantParams((float("nan"),)))), "%x"),
    ("scales_positive", INTEGER, retyped(Q, "x", INT8.with_quant("int8", QuantParams((0.0,)))), "%x"),
    ("zero_points_in_range", INTEGER, retyped(Q, "x", INT8.with_quant("int8", QuantParams((0.1,), 128))), "%x"),
    ("zero_points_in_range", INTEGER, retyped(Q, "w", W.with_quant("int8", replace(CHANNELS, zero_point=1))), "%w"),
    ("shapes_inferred", INTEGER, retyped(Q, "y", TensorType((3, 1), "int8", QUANT)), "y (inferred [(1, 3)])"),
    ("widths_supported", PLANNED, retyped(ALONE, "y", TensorType((1, 3), "int16", QUANT)), "y (silent)"),
    ("wide_symmetric", TFLITE, retyped(Q, "y", TensorType((1, 3), "int16", QUANT)), "%y"),
    ("written_as_tflite", TFLITE, ALONE, "y (silent)"),
    ("written_as_c", PLANNED, ALONE, "y (silent)"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "stage", "graph", "place"), BROKEN, ids=[row[0] for row in BROKEN])
def test_rule_finds_its_violation(rule: str, stage: Stage, graph: Graph, place: str) -> None:
    (broken,) = (r for r in stage if r.__name__ == rule)
    with pytest.raises(ModelError) as error:
        verify(graph, stage)
    assert error.value.what.lower() == (broken.__doc__ or "").rstrip(".").lower()
    assert error.value.where.startswith(place)


def test_every_rule_has_a_violation_here() -> None:
    assert {row[0] for row in BROKEN} == {rule.__name__ for stage in (FLOAT, TFLITE, PLANNED) for rule in stage}


@pytest.mark.parametrize(("graph", "stage"), [(F, FLOAT), (Q, INTEGER), (Q, PLANNED), (Q, TFLITE)])
def test_sound_graph_passes(graph: Graph, stage: Stage) -> None:
    verify(graph, stage)


def test_error_names_the_pass_to_blame() -> None:
    with pytest.raises(ModelError, match="pass 'fuse-bias' made this graph"):
        verify(with_node(F, 1, name="h"), FLOAT, blame="fuse-bias")


def test_nan_weight_is_reported_without_blame() -> None:
    with pytest.raises(ModelError) as error:
        verify(with_const(F, "w", np.full((4, 4), np.nan, np.float32)), FLOAT)
    assert str(error.value) == "w: a constant holds NaN or infinity"


def test_operands_that_do_not_fit_name_the_node() -> None:
    graph = with_node(F, 1, op=Attention(3, 1.0), inputs=(value_of(F, "h"),) * 3)
    with pytest.raises(ModelError, match=r"^y: attention with 3 heads"):
        verify(graph, FLOAT)


def test_wrong_number_of_operands_names_the_node() -> None:
    with pytest.raises(ModelError, match=r"^y: .*operands"):
        verify(with_node(F, 1, inputs=F.inputs * 2), FLOAT)
