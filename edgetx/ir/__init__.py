"""The intermediate representation: typed static-shape SSA with first-class state."""

from edgetx.ir.builder import GraphBuilder
from edgetx.ir.graph import Graph, Node, OpLike, State
from edgetx.ir.types import Array, Arrays, DType, QuantParams, TensorType, Value, dtype_of

__all__ = [
    "Array",
    "Arrays",
    "DType",
    "Graph",
    "GraphBuilder",
    "Node",
    "OpLike",
    "QuantParams",
    "State",
    "TensorType",
    "Value",
    "dtype_of",
]
