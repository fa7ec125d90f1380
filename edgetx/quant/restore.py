"""What an integer graph stands for: its float graph, and its quantization as a plan."""

from dataclasses import replace

import numpy as np

from edgetx.fixedpoint import dequantize
from edgetx.ir import Array, DType, Graph, Node, State, TensorType, Value
from edgetx.ops import Quantize
from edgetx.quant.plan import QuantPlan, TensorPlan

IMPORTED = "imported"


def float_twin(graph: Graph) -> Graph:
    """The graph in real numbers: constants restored, results neither rounded nor clipped, changes of width left out."""
    renamed: dict[str, Value] = {}

    def real(value: Value) -> Value:
        return renamed.get(value.name) or Value(value.name, _real_type(value.type))

    nodes: list[Node] = []
    for node in graph.nodes:
        if isinstance(node.op, Quantize):
            renamed[node.output.name] = real(node.inputs[0])
        else:
            nodes.append(replace(node, inputs=tuple(map(real, node.inputs)), outputs=tuple(map(real, node.outputs))))
    types = {value.name: value.type for value in graph.values}
    return Graph(
        graph.name,
        tuple(map(real, graph.inputs)),
        tuple(map(real, graph.outputs)),
        tuple(nodes),
        {name: restored(data, types[name]) for name, data in graph.consts.items()},
        tuple(State(s.name, restored(s.init, s.read.type), real(s.read), real(s.write)) for s in graph.states),
    )


def restored(data: Array, stored: TensorType) -> Array:
    """The real numbers that integers of a type stand for; what is not quantized stays."""
    if stored.quant is None:
        return data
    shape = [1] * stored.rank
    if stored.quant.axis is not None:
        shape[stored.quant.axis] = len(stored.quant.scale)
    return dequantize(data, np.array(stored.quant.scale).reshape(shape), stored.quant.zero_point)


def plan_of(graph: Graph) -> QuantPlan:
    """Width and parameters of the activations, which came with the model."""
    activations = ((v.name, v.type) for v in graph.values if v.name not in graph.consts)
    bits: dict[DType, int] = {"int8": 8, "int16": 16}
    tensors = {name: TensorPlan(bits[t.dtype], t.scale, t.zero_point) for name, t in activations if t.dtype in bits}
    return QuantPlan(IMPORTED, tensors)


def _real_type(stored: TensorType) -> TensorType:
    return stored if stored.quant is None else stored.with_quant("float32", None)
