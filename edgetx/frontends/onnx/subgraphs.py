"""ONNX operators that hold graphs: the branch that is taken, and loops written out."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import onnx

from edgetx import ops
from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.frontends.builder_scope import BuilderScope
from edgetx.ir import GraphBuilder, Value

NESTED = 8
"""Graphs within graphs at most."""
LARGEST_WRITTEN_OUT = 1 << 13
"""Operators of a loop, all rounds together."""


class Importer(Protocol):
    """What imports the operators of a graph."""

    builder: GraphBuilder

    def enter(self, graph: onnx.GraphProto) -> None:
        """Take in the constants of a graph, and who reads what."""

    def nodes(self, nodes: Sequence[onnx.NodeProto], depth: int) -> None:
        """Import operators."""

    def value(self, name: str) -> Value:
        """What a name stands for."""

    def name(self, name: str, value: Value) -> None:
        """Let a name stand for a value from now on."""


def branch(importer: Importer, node: onnx.NodeProto, depth: int) -> Sequence[Value]:
    """The results of the branch that is taken, known when the model is imported."""
    data = importer.builder.consts.get(importer.value(node.input[0]).name)
    if data is None or depth > NESTED:
        raise UnsupportedOpError("If on what is computed", hint="fix the inputs that it depends on: --set input.…")
    graph = _body(node, "then_branch" if data.item() else "else_branch")
    importer.enter(graph)
    importer.nodes(graph.node, depth + 1)
    return [importer.value(info.name) for info in graph.output]


def loop(importer: Importer, node: onnx.NodeProto, depth: int) -> Sequence[Value]:
    """Every round of a loop whose count is known: what it carries on, and the rows that it collects."""
    body, s = _body(node, "body"), BuilderScope(importer.builder, node.output[0])
    count, going, *initial = node.input
    trips = _known(importer, count, "the number of rounds") if count else LARGEST_WRITTEN_OUT
    goes_on = bool(_known(importer, going, "the condition of a loop")) if going else True
    carried = [importer.value(name) for name in initial]
    rows: list[list[Value]] = [[] for _ in body.output[1 + len(carried) :]]
    importer.enter(body)
    number = 0
    while goes_on and number < trips:
        _refuse_long(body, number, depth)
        given = [s.const(np.array(number), "round"), s.const(np.array(True), "round"), *carried]
        goes, *made = _round(importer, body, given, depth)
        goes_on = bool(_known_value(importer, goes, "the condition of a loop"))
        carried = made[: len(carried)]
        for row, value in zip(rows, made[len(carried) :], strict=True):
            row.append(value)
        number += 1
    return [*carried, *(_stacked(s, row, 0) for row in rows)]


def scan(importer: Importer, node: onnx.NodeProto, depth: int) -> Sequence[Value]:
    """A loop over the slices of its last operands."""
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    body, s = _body(node, "body"), BuilderScope(importer.builder, node.output[0])
    count = int(attributes["num_scan_inputs"])
    given = [importer.value(name) for name in node.input]
    if not 0 <= count <= len(given):
        raise ModelError(f"a scan of {count} of {len(given)} operands")
    carried, scanned = given[: len(given) - count], given[len(given) - count :]
    axes = [a % x.type.rank for a, x in zip(attributes.get("scan_input_axes", [0] * count), scanned, strict=True)]
    back = attributes.get("scan_input_directions", [0] * count)
    results = len(body.output) - len(carried)
    ends, reverse = (attributes.get(f"scan_output_{k}", [0] * results) for k in ("axes", "directions"))
    rows: list[list[Value]] = [[] for _ in range(results)]
    lengths = {x.shape[axis] for x, axis in zip(scanned, axes, strict=True)}
    if len(lengths) != 1:
        raise ModelError(f"scan over lengths {sorted(lengths)}")
    importer.enter(body)
    for number in range(steps := lengths.pop()):
        _refuse_long(body, number, depth)
        slices = [
            _slice(s, x, axis, steps - 1 - number if is_back else number)
            for x, axis, is_back in zip(scanned, axes, back, strict=True)
        ]
        made = _round(importer, body, [*carried, *slices], depth)
        carried = list(made[: len(carried)])
        for row, value, is_back in zip(rows, made[len(carried) :], reverse, strict=True):
            row.insert(0 if is_back else len(row), value)
    return [*carried, *(_stacked(s, row, axis) for row, axis in zip(rows, ends, strict=True))]


def _body(node: onnx.NodeProto, name: str) -> onnx.GraphProto:
    graphs: list[onnx.GraphProto] = [a.g for a in node.attribute if a.name == name]
    if len(graphs) != 1:
        raise ModelError(f"{node.op_type} without a graph '{name}'")
    return graphs[0]


def _round(importer: Importer, body: onnx.GraphProto, given: Sequence[Value], depth: int) -> Sequence[Value]:
    for info, value in zip(body.input, given, strict=True):
        importer.name(info.name, value)
    importer.nodes(body.node, depth + 1)
    return [importer.value(info.name) for info in body.output]


def _refuse_long(body: onnx.GraphProto, number: int, depth: int) -> None:
    if depth > NESTED or (number + 1) * max(len(body.node), 1) > LARGEST_WRITTEN_OUT:
        raise UnsupportedOpError(
            f"a loop of more than {LARGEST_WRITTEN_OUT} operators", hint="run it step by step, with state"
        )


def _known(importer: Importer, name: str, what: str) -> int:
    return _known_value(importer, importer.value(name), what)


def _known_value(importer: Importer, value: Value, what: str) -> int:
    data = importer.builder.consts.get(value.name)
    if data is None:
        raise UnsupportedOpError(f"{what} is computed", hint="loop a fixed number of times")
    return int(data.item())


def _slice(s: BuilderScope, x: Value, axis: int, index: int) -> Value:
    return s.reshape(s.slice(x, axis, index, index + 1), x.shape[:axis] + x.shape[axis + 1 :])


def _stacked(s: BuilderScope, rows: Sequence[Value], axis: int) -> Value:
    if not rows:
        raise ModelError("a loop without a round collects nothing")
    at = axis % (rows[0].type.rank + 1)
    shape = (*rows[0].shape[:at], 1, *rows[0].shape[at:])
    parts = [s.reshape(row, shape) for row in rows]
    return parts[0] if len(parts) == 1 else s.op(ops.Concatenation(at), *parts)
