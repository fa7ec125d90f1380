"""Several models that share a backbone as one, which computes and stores what they share once."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from edgetx.compiler.source import Source
from edgetx.errors import ConfigError
from edgetx.ir import Array, Graph, Node, Value
from edgetx.ir.graph import OpLike


@dataclass(frozen=True)
class Head:
    """One of several models in an artifact.

    Attributes:
        name: Its name.
        output: Index of the output that is its answer.
        shared: Layers that an earlier one computes already.
        own: Layers that are computed for it.
    """

    name: str
    output: int
    shared: int
    own: int


def joined(first: Source, others: Sequence[Source]) -> tuple[Source, list[Head]]:
    """One source whose outputs are those of several, in their order; its recipe is that of the first.

    Args:
        first: A model.
        others: Models that hear the same inputs.

    Raises:
        ConfigError: If one hears other inputs, keeps a state, or is quantized already.
    """
    heads = [Head(first.name, 0, 0, len(first.graph.nodes))]
    graph, calibration = first.graph, [first.calibration]
    for other in others:
        _check_alike(first, other)
        known = len(graph.nodes)
        graph = _with_outputs_of(graph, other.graph, f"{other.name}.{len(heads)}")
        own = len(graph.nodes) - known
        heads.append(Head(other.name, len(heads), len(other.graph.nodes) - own, own))
        calibration.append(other.calibration)
    if not others:
        return first, []
    digest = hashlib.sha256("".join(source.sha256 for source in (first, *others)).encode()).hexdigest()
    samples = np.concatenate([part for part in calibration if len(part)] or [first.calibration])
    return replace(first, graph=graph, calibration=samples, sha256=digest), heads


def _check_alike(first: Source, other: Source) -> None:
    hint = "heads share a backbone: `edgetx train` makes them by [adaptation] with rank = 0"
    if [value.type for value in first.graph.inputs] != [value.type for value in other.graph.inputs]:
        raise ConfigError(f"takes other inputs than {first.name}", where=other.name, hint=hint)
    if first.recipe and other.recipe and first.recipe.frontend != other.recipe.frontend:
        raise ConfigError(f"hears through another front end than {first.name}", where=other.name, hint=hint)
    for source in (first, other):
        if source.graph.states or source.plan or not source.graph.outputs[0].type.is_float:
            raise ConfigError("has states or a quantization of its own", where=source.name, hint=hint)


def _with_outputs_of(graph: Graph, other: Graph, prefix: str) -> Graph:
    """The graph with the outputs of another one, whose nodes are left out where equal ones are there."""
    added, nodes = dict(graph.consts), list(graph.nodes)
    stored = {_content(data): name for name, data in reversed([*graph.consts.items()])}
    same = {name: stored[_content(data)] for name, data in graph.consts.items()}
    known = {_computation(node.op, node.inputs, same): node.outputs for node in nodes}
    values = dict(zip((value.name for value in other.inputs), graph.inputs, strict=True))
    for node in other.nodes:
        for value in node.inputs:
            if value.name in other.consts and value.name not in values:
                data = other.consts[value.name]
                values[value.name] = Value(stored.get(_content(data), f"{prefix}.{value.name}"), value.type)
                added.setdefault(values[value.name].name, data)
        inputs = tuple(values[value.name] for value in node.inputs)
        key = _computation(node.op, inputs, same)
        if key not in known:
            known[key] = tuple(Value(f"{prefix}.{value.name}", value.type) for value in node.outputs)
            nodes.append(Node(f"{prefix}.{node.name}", node.op, inputs, known[key]))
        values.update(zip((value.name for value in node.outputs), known[key], strict=True))
    outputs = (*graph.outputs, *(values[value.name] for value in other.outputs))
    return replace(graph, outputs=outputs, nodes=tuple(nodes), consts=added)


def _computation(op: OpLike, inputs: Sequence[Value], same: Mapping[str, str]) -> tuple[object, ...]:
    """What makes two nodes equal; constants of equal contents are the same."""
    return op, *(same.get(value.name, value.name) for value in inputs)


def _content(data: Array) -> tuple[object, ...]:
    return data.dtype.str, data.shape, data.tobytes()
