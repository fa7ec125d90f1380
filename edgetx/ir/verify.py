"""What must hold of a graph at each stage; lowering means passing a longer list of rules.

A rule is a function that finds the places where a graph breaks it; its docstring is the message.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import TypeAlias

import numpy as np

from edgetx.errors import ModelError
from edgetx.ir.graph import Graph, Node
from edgetx.ir.types import DTYPE_BYTES, TensorType, Value

Rule: TypeAlias = Callable[[Graph], Iterable[str]]
Stage: TypeAlias = tuple[Rule, ...]


def verify(graph: Graph, stage: Stage, blame: str = "") -> None:
    """Check every rule of a stage.

    Args:
        graph: The graph to check.
        stage: The rules: `FLOAT`, `INTEGER`, `TFLITE` or `PLANNED`.
        blame: Name of the pass that made the graph.

    Raises:
        ModelError: At the first place where a rule is broken.
    """
    for rule in stage:
        for place in rule(graph):
            hint = f"pass '{blame}' made this graph: please report it" if blame else ""
            raise ModelError(_message(rule), where=place, hint=hint)


def made_once(graph: Graph) -> Iterator[str]:
    """Two inputs, states, constants or results have the same name."""
    results = (value.name for node in graph.nodes for value in node.outputs)
    yield from _repeated(chain((v.name for v in _sources(graph)), graph.consts, results))


def nodes_named(graph: Graph) -> Iterator[str]:
    """Two nodes have the same name."""
    yield from _repeated(node.name for node in graph.nodes)


def defined(graph: Graph) -> Iterator[str]:
    """A value is read that nothing has made by then."""
    known = {*graph.consts, *(value.name for value in _sources(graph))}
    for node in graph.nodes:
        yield from (f"{node.name}: {v}" for v in node.inputs if v.name not in known)
        known.update(value.name for value in node.outputs)
    yield from (str(value) for value in _leaving(graph) if value.name not in known)


def one_type(graph: Graph) -> Iterator[str]:
    """A value is read as another type than it was made."""
    types = {value.name: value.type for value in graph.values}
    for node in graph.nodes:
        yield from (f"{node.name}: {v}" for v in node.inputs if v.type != types[v.name])
    yield from (str(value) for value in _leaving(graph) if value.type != types.get(value.name, value.type))


def static_shapes(graph: Graph) -> Iterator[str]:
    """A tensor has an axis without elements."""
    yield from (f"{value}: {value.type}" for value in graph.values if value.type.size < 1)


def constants_fit(graph: Graph) -> Iterator[str]:
    """The data of a constant has another shape or element type than its value."""
    for value in graph.values:
        data = graph.const(value)
        if data is not None and (data.shape, data.dtype.name) != (value.shape, value.type.dtype):
            yield f"{value}: {value.type}"


def states_keep_type(graph: Graph) -> Iterator[str]:
    """A state is initialized, read and written in different types."""
    for state in graph.states:
        read = state.read.type
        if state.write.type != read or (state.init.shape, state.init.dtype.name) != (read.shape, read.dtype):
            yield state.name


def constants_finite(graph: Graph) -> Iterator[str]:
    """A constant holds NaN or infinity."""
    contents = chain(graph.consts.items(), ((state.name, state.init) for state in graph.states))
    yield from (name for name, data in contents if data.dtype.kind == "f" and not np.isfinite(data).all())


def shapes_inferred(graph: Graph) -> Iterator[str]:
    """The results of a node have other shapes than its op infers."""
    for node in graph.nodes:
        shapes = [tensor_type.shape for tensor_type in _inferred(node)]
        if shapes != [value.shape for value in node.outputs]:
            yield f"{node.name} (inferred {shapes})"


def types_inferred(graph: Graph) -> Iterator[str]:
    """The results of a node have other types than its op infers."""
    for node in graph.nodes:
        types = _inferred(node)
        if types != tuple(value.type for value in node.outputs):
            yield f"{node.name} (inferred {', '.join(map(str, types))})"


def not_quantized(graph: Graph) -> Iterator[str]:
    """A tensor of a float graph is quantized."""
    yield from (str(value) for value in graph.values if value.type.quant)


def activations_integer(graph: Graph) -> Iterator[str]:
    """An activation is neither int8 nor int16; only `quantize` gives and takes others."""
    for value in _activations(graph):
        touching = filter(None, (graph.producer(value), *graph.users(value)))
        if value.type.dtype not in ("int8", "int16") and any(node.op.name != "quantize" for node in touching):
            yield f"{value}: {value.type}"


def activations_per_tensor(graph: Graph) -> Iterator[str]:
    """An activation lacks one scale and zero point for the whole tensor."""
    quants = ((value, value.type.quant) for value in _activations(graph))
    yield from (f"{value}: {value.type}" for value, quant in quants if quant is None or quant.axis is not None)


def constants_integer(graph: Graph) -> Iterator[str]:
    """A constant of an integer graph holds floating-point numbers."""
    yield from (name for name, data in graph.consts.items() if data.dtype.kind == "f")


def scales_positive(graph: Graph) -> Iterator[str]:
    """A scale is not a positive number."""
    for value in graph.values:
        if value.type.quant and not all(0 < scale < math.inf for scale in value.type.quant.scale):
            yield f"{value}: {value.type}"


def scales_counted(graph: Graph) -> Iterator[str]:
    """The number of scales is not that of the channels."""
    yield from (f"{v}: {v.type}" for v in graph.values if v.type.quant and len(v.type.quant.scale) != _channels(v.type))


def zero_points_in_range(graph: Graph) -> Iterator[str]:
    """A zero point lies outside the element type, or is not 0 although there is one scale per channel."""
    for value in graph.values:
        if quant := value.type.quant:
            low, high = (value.type.qmin, value.type.qmax) if quant.axis is None else (0, 0)
            if not low <= quant.zero_point <= high:
                yield f"{value}: {value.type}"


def widths_supported(graph: Graph) -> Iterator[str]:
    """An op has no integer arithmetic for the width of its results."""
    for node in graph.nodes:
        if any(8 * DTYPE_BYTES[value.type.dtype] not in node.op.activation_bits for value in node.outputs):
            yield f"{node.name} ({node.op.name})"


def wide_symmetric(graph: Graph) -> Iterator[str]:
    """A 16-bit tensor has a zero point other than 0."""
    wide = ((value, value.type.quant) for value in graph.values if value.type.dtype == "int16")
    yield from (f"{value}: {value.type}" for value, quant in wide if quant and quant.zero_point)


def written_as_tflite(graph: Graph) -> Iterator[str]:
    """An op has no TFLite form."""
    yield from (f"{node.name} ({node.op.name})" for node in graph.nodes if not node.op.has_form("tflite"))


def written_as_c(graph: Graph) -> Iterator[str]:
    """An op has no C form."""
    yield from (f"{node.name} ({node.op.name})" for node in graph.nodes if not node.op.has_form("c"))


STRUCTURE: Stage = (made_once, nodes_named, defined, one_type, static_shapes, constants_fit, states_keep_type)
FLOAT: Stage = (*STRUCTURE, constants_finite, not_quantized, types_inferred)
INTEGER: Stage = (
    *STRUCTURE,
    activations_integer,
    activations_per_tensor,
    constants_integer,
    scales_counted,
    scales_positive,
    zero_points_in_range,
    shapes_inferred,
    widths_supported,
)
TFLITE: Stage = (*INTEGER, wide_symmetric, written_as_tflite)
PLANNED: Stage = (*INTEGER, written_as_c)


def _message(rule: Rule) -> str:
    text = (rule.__doc__ or rule.__name__).rstrip(".")
    return text[0].lower() + text[1:]


def _sources(graph: Graph) -> Iterator[Value]:
    yield from graph.inputs
    yield from (state.read for state in graph.states)


def _leaving(graph: Graph) -> Iterator[Value]:
    yield from graph.outputs
    yield from (state.write for state in graph.states)


def _activations(graph: Graph) -> Iterator[Value]:
    return (value for value in graph.values if value.name not in graph.consts)


def _inferred(node: Node) -> tuple[TensorType, ...]:
    try:
        return node.op.infer(*(value.type for value in node.inputs))
    except ModelError as error:
        raise ModelError(error.what, where=node.name, hint=error.hint) from error
    except (ValueError, IndexError) as error:
        raise ModelError(f"{node.op.name} cannot take these operands: {error}", where=node.name) from error


def _channels(tensor_type: TensorType) -> int:
    axis = tensor_type.quant.axis if tensor_type.quant else None
    if axis is None:
        return 1
    return tensor_type.shape[axis] if 0 <= axis < tensor_type.rank else 0


def _repeated(names: Iterable[str]) -> Iterator[str]:
    yield from (name for name, count in Counter(names).items() if count > 1)
