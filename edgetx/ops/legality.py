"""What must hold of an integer graph before a backend writes it."""

from collections.abc import Iterator
from typing import cast

from edgetx.ir import Graph, Node
from edgetx.ir.types import DTYPE_BYTES
from edgetx.ir.verify import INTEGER, Stage
from edgetx.ops.op import Op


def width_supported(graph: Graph) -> Iterator[str]:
    """An op has no integer arithmetic for the width of its results."""
    for node in graph.nodes:
        if any(8 * DTYPE_BYTES[value.type.dtype] not in _op(node).activation_bits for value in node.outputs):
            yield f"{node.name} ({node.op.name})"


def has_tflite_form(graph: Graph) -> Iterator[str]:
    """An op has no TFLite form."""
    yield from (f"{n.name} ({n.op.name})" for n in graph.nodes if type(_op(n)).to_tflite is Op.to_tflite)


def has_c_form(graph: Graph) -> Iterator[str]:
    """An op has no C form."""
    for node in graph.nodes:
        if type(_op(node)).to_c is Op.to_c and not _op(node).is_view:
            yield f"{node.name} ({node.op.name})"


def wide_symmetric(graph: Graph) -> Iterator[str]:
    """A 16-bit tensor has a zero point other than 0."""
    wide = (value for value in graph.values if value.type.dtype == "int16" and value.type.quant)
    yield from (f"{value}: {value.type}" for value in wide if value.type.zero_point)


TFLITE: Stage = (*INTEGER, width_supported, wide_symmetric, has_tflite_form)
PLANNED: Stage = (*INTEGER, width_supported, has_c_form)


def _op(node: Node) -> Op:
    return cast(Op, node.op)
