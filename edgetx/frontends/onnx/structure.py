"""An ONNX model in operators that have handlers, each behind those that make its operands."""

import heapq
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import onnx
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto
from onnx.inliner import inline_local_functions, inline_selected_functions

from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.frontends.onnx.folding import FOLDED
from edgetx.frontends.onnx.qoperator import standard_nodes
from edgetx.frontends.onnx.scope import HANDLERS, MICROSOFT, handler_name

STANDARD_DOMAINS = ("", "ai.onnx")
EVALUATED = (
    "Constant", "DequantizeLinear", "DynamicQuantizeLinear", "If", "Loop", "QuantizeLinear", "Scan", "Shape", "Size",
    "SequenceAt", "SequenceConstruct", "SequenceEmpty", "SequenceInsert", "SplitToSequence", "ConcatFromSequence",
)  # fmt: skip
"""Operators that the importer evaluates by itself."""
LARGEST_INLINED = 1 << 16
"""Operators of a model once its functions are written out."""
DEEPEST = 64
"""Functions that call one another."""
QDQ = "quantize with quant_format=QuantFormat.QDQ, or pass the float model"


def normalize(model: ModelProto) -> ModelProto:
    """Write functions out, take quantized operators apart, and sort.

    Raises:
        UnsupportedOpError: If an operator is of a domain that is not known.
        ModelError: If functions call each other in a circle or make an absurd number of operators.
    """
    if model.functions:
        _refuse_explosion(model)
        model = _inlined(lambda: inline_local_functions(model))
    _standardize(model.graph, model)
    composed = {node.op_type for node in nested_nodes(model.graph.node) if _is_composed(node)}
    if composed:
        names = [("", name) for name in sorted(composed)]
        model = _inlined(lambda: inline_selected_functions(model, names, inline_schema_functions=True))
    _sort(model.graph)
    return model


def nested_graphs(node: NodeProto) -> Iterator[GraphProto]:
    """The graphs that an operator holds."""
    for attribute in node.attribute:
        if attribute.type == AttributeProto.GRAPH:
            yield attribute.g
        yield from attribute.graphs


def nested_nodes(nodes: Sequence[NodeProto]) -> Iterator[NodeProto]:
    """All operators, those in graphs within others too."""
    for node in nodes:
        yield node
        for graph in nested_graphs(node):
            yield from nested_nodes(graph.node)


def _inlined(inline: Callable[[], ModelProto]) -> ModelProto:
    try:
        return inline()
    except Exception as problem:  # ONNX raises errors of its own, and whatever its bindings make of C++ ones
        raise ModelError(f"functions cannot be written out: {problem}") from problem


def _is_composed(node: NodeProto) -> bool:
    """Whether only the standard's own definition says what an operator does."""
    if node.domain not in STANDARD_DOMAINS or node.op_type in {*HANDLERS, *FOLDED, *EVALUATED}:
        return False
    schema: Any = onnx.defs.get_schema(node.op_type)
    return bool(schema.has_function or schema.has_context_dependent_function)


def _refuse_explosion(model: ModelProto) -> None:
    """Count the operators before any are made."""
    functions = {(f.domain, f.name): f.node for f in model.functions}
    sizes: dict[tuple[str, str], int] = {}

    def total(nodes: Sequence[NodeProto], above: Collection[tuple[str, str]]) -> int:
        return sum(size((node.domain, node.op_type), above) for node in nested_nodes(nodes))

    def size(key: tuple[str, str], above: Collection[tuple[str, str]]) -> int:
        if key not in functions:
            return 1
        if key in above or len(above) == DEEPEST:
            raise ModelError(f"function '{key[1]}' calls itself, or calls too deep")
        if key not in sizes:
            sizes[key] = total(functions[key], (*above, key))
        return sizes[key]

    if total(model.graph.node, ()) > LARGEST_INLINED:
        raise ModelError(f"functions make more than {LARGEST_INLINED} operators")


def _standardize(graph: GraphProto, model: ModelProto) -> None:
    """Quantized operators in standard ones, within graphs of operators too."""
    nodes = list(standard_nodes(graph.node))
    for node in nodes:
        if not _is_known(node):
            raise UnsupportedOpError(
                f"operator {node.op_type} of domain {_domain(node, model)} is not supported",
                where=node.output[0] if node.output else node.name,
                hint=QDQ if node.op_type.startswith("QLinear") else "export with operators of the standard domain",
            )
        for inner in nested_graphs(node):
            _standardize(inner, model)
    del graph.node[:]
    graph.node.extend(nodes)


def _is_known(node: NodeProto) -> bool:
    if node.domain == MICROSOFT:
        return handler_name(node) in HANDLERS
    return node.domain in STANDARD_DOMAINS and (onnx.defs.has(node.op_type) or node.op_type in HANDLERS)


def _domain(node: NodeProto, model: ModelProto) -> str:
    """The domain of an operator; where the file does not say, those that it imports."""
    foreign = [entry.domain for entry in model.opset_import if entry.domain not in STANDARD_DOMAINS]
    candidates = [node.domain] if node.domain else foreign or ["ai.onnx"]
    return repr(candidates[0]) + (f" (or {len(candidates) - 1} others)" if len(candidates) > 1 else "")


def _sort(graph: GraphProto) -> None:
    """Operators behind those that make their operands, and otherwise in the order of the file."""
    makers = {name: i for i, node in enumerate(graph.node) for name in node.output if name}
    waits = [{makers[name] for name in _read(node) if name in makers} for node in graph.node]
    if all(max(wait, default=-1) < i for i, wait in enumerate(waits)):
        return
    users: dict[int, list[int]] = {}
    for i, wait in enumerate(waits):
        for maker in wait:
            users.setdefault(maker, []).append(i)
    ready, order, open_ = [i for i, wait in enumerate(waits) if not wait], list[int](), [len(wait) for wait in waits]
    while ready:
        order.append(heapq.heappop(ready))
        for user in users.get(order[-1], ()):
            open_[user] -= 1
            if not open_[user]:
                heapq.heappush(ready, user)
    if len(order) < len(waits):
        raise ModelError("operators wait for each other in a circle")
    nodes = [graph.node[i] for i in order]
    copies = [NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(copies)


def _read(node: NodeProto) -> set[str]:
    """Names that an operator reads, those that its graphs take from around it too."""
    inner = (part for graph in nested_graphs(node) for part in nested_nodes(graph.node))
    return {name for part in (node, *inner) for name in part.input if name}
