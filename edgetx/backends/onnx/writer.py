"""Write a graph as an ONNX file that phones run.

An integer graph becomes QDQ: every op computes on real numbers, every result passes a QuantizeLinear, which makes
`<name>:int8`, and every operand comes from a DequantizeLinear. The file takes and gives real numbers (float32), so that
its users need no scales. A state is an extra input `<name>_in`, which may be left out to start from reset, and an extra
output `<name>_out`, both in the state's own element type.

Opset 20 is the first with Gelu; ONNX Runtime reads it from 1.17 (January 2024) on, Android and iOS included. Nothing
newer is asked for, with one exception: 16-bit activations need the QuantizeLinear of opset 21 (ONNX Runtime 1.18).
8-bit graphs avoid that one, because on x86 processors ONNX Runtime's own optimizer breaks it.
"""

from typing import cast

import onnx

import edgetx
from edgetx.backends.onnx.builder import QdqBuilder
from edgetx.ir import Graph
from edgetx.ops import Op

OPSET, IR_VERSION = 20, 9
OPSET_16_BIT, IR_VERSION_16_BIT = 21, 10


def write_onnx(graph: Graph) -> bytes:
    """The ONNX file of a float or an integer graph.

    Raises:
        UnsupportedOpError: If an op has no ONNX form.
    """
    builder = QdqBuilder(graph.consts)
    for value in graph.inputs:
        builder.input(value)
    for state in graph.states:
        builder.state_input(state)
    for node in graph.nodes:
        builder.scope = node.name
        cast(Op, node.op).to_onnx(node, builder)
    for value in graph.outputs:
        builder.output(value)
    for state in graph.states:
        builder.state_output(state)
    opset, ir_version = (OPSET_16_BIT, IR_VERSION_16_BIT) if _has_16_bit_activations(graph) else (OPSET, IR_VERSION)
    model = onnx.helper.make_model(
        builder.graph(graph.name),
        opset_imports=[onnx.helper.make_opsetid("", opset)],
        ir_version=ir_version,
        producer_name="edgetx",
        producer_version=edgetx.__version__,
    )
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def _has_16_bit_activations(graph: Graph) -> bool:
    return any(value.type.dtype == "int16" and value.name not in graph.consts for value in graph.values)
