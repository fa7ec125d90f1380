"""Turn a float graph and a plan into the integer graph."""

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np

from edgetx.errors import QuantError
from edgetx.fixedpoint import quantize
from edgetx.ir import Array, Graph, GraphBuilder, Node, State, TensorType, Value, dtype_of
from edgetx.ops import Op, Quantize
from edgetx.ops.quant_rule import QuantRule, Result
from edgetx.quant.plan import QuantPlan, TensorPlan, tensor_plan


def apply_plan(graph: Graph, plan: QuantPlan) -> Graph:
    """The integer graph: the contract that every backend reproduces bit for bit.

    Where the plan gives the activations of one node different widths, the node computes at the wider one and
    `quantize` nodes convert at its border.

    Raises:
        QuantError: If the plan lacks a tensor of the graph.
    """
    return _Quantizer(graph, plan).run()


class _Quantizer:
    def __init__(self, graph: Graph, plan: QuantPlan) -> None:
        self.graph, self.plan = graph, plan
        self.builder = GraphBuilder(graph.name, [node.name for node in graph.nodes])
        self.values: dict[str, Value] = {}
        self.consts: dict[str, Array] = {}
        self.nodes: list[Node] = []

    def run(self) -> Graph:
        for value in (*self.graph.inputs, *(s.read for s in self.graph.states)):
            self.values[value.name] = Value(value.name, self._planned(value))
        for node in self.graph.nodes:
            self._quantize_node(node)
        states = tuple(self._state(state) for state in self.graph.states)
        inputs, outputs = (tuple(self.values[v.name] for v in vs) for vs in (self.graph.inputs, self.graph.outputs))
        return Graph(self.graph.name, inputs, outputs, tuple(self.nodes), self.consts, states).without_dead_code()

    def _tensor(self, value: Value) -> TensorPlan:
        if value.name not in self.plan.tensors:
            raise QuantError("the plan does not mention this tensor", where=value.name)
        return self.plan.tensors[value.name]

    def _planned(self, value: Value) -> TensorType:
        tensor = self._tensor(value)
        return value.type.with_quant(tensor.dtype, tensor.params)

    def _quantize_node(self, node: Node) -> None:
        rule = cast(Op, node.op).quant_rule()
        if rule.result is Result.SAME_AS_INPUT and self._tensor(node.output) != self._tensor(node.inputs[0]):
            raise QuantError("the plan quantizes it unlike its operand", where=node.output.name)
        activations = [v for i, v in enumerate(node.inputs) if i not in rule.consts or self.graph.const(v) is None]
        bits = max(self._tensor(v).bits for v in (*activations, *node.outputs))
        wanted = self._own_bits(node, rule) if rule.own_widths else {}
        operands: list[Value] = []
        outputs = tuple(Value(v.name, _at_width(self._planned(v), wanted.get(v.name, bits))) for v in node.outputs)
        for index, value in enumerate(node.inputs):
            data = self.graph.const(value)
            if data is not None and index in rule.consts:
                types = [operand.type for operand in operands]
                integers, params = rule.consts[index].quantize(data, types, outputs[0].type)
                operands.append(self._const(value, integers, value.type.with_quant(dtype_of(integers), params)))
            else:
                operands.append(self._activation(value, data, wanted.get(value.name, bits)))
        self._emit(replace(node, inputs=tuple(operands), outputs=outputs), node.outputs)

    def _own_bits(self, node: Node, rule: QuantRule) -> dict[str, int]:
        """The planned width of each activation of a node; of a state, that with which the op computes it."""
        activations = [v for i, v in enumerate(node.inputs) if i not in rule.consts]
        bits = {value.name: self._tensor(value).bits for value in (*activations, *node.outputs)}
        if rule.state:
            states = (node.inputs[-1], *(node.outputs[index] for index in rule.state.results))
            bits.update({value.name: rule.state.bits for value in states})
        return bits

    def _activation(self, value: Value, data: Array | None, bits: int) -> Value:
        """An operand at the node's width."""
        planned = self._planned(value)
        if data is not None:
            target = _at_width(planned, bits)
            return self._const(value, quantize(data, target.scale, target.zero_point, target.dtype), target)
        return self._converted(self.values[value.name], _at_width(planned, bits))

    def _emit(self, node: Node, named: Sequence[Value]) -> None:
        """Add the node, and conversions of its results to their planned widths."""
        wide = tuple(
            v if v.type == self._planned(v) else Value(self.builder.fresh(f"{v.name}.wide"), v.type)
            for v in node.outputs
        )
        self.nodes.append(replace(node, outputs=wide))
        for value, result in zip(named, wide, strict=True):
            planned = self._planned(value)
            self.values[value.name] = self._converted(result, planned, value.name)

    def _converted(self, value: Value, to: TensorType, name: str = "") -> Value:
        if value.type == to:
            return value
        converted = Value(name or self.builder.fresh(f"{value.name}.{to.dtype}"), to)
        self.nodes.append(Node(self.builder.fresh(f"{converted.name}.quantize"), Quantize(), (value,), (converted,)))
        return converted

    def _const(self, value: Value, data: Array, type_: TensorType) -> Value:
        """A quantized constant; one read at two quantizations gets a name for each."""
        name = value.name
        while name in self.values and self.values[name].type != type_:
            name = self.builder.fresh(value.name)
        self.values[name] = Value(name, type_)
        self.consts[name] = data
        return self.values[name]

    def _state(self, state: State) -> State:
        planned = self._planned(state.read)
        init = quantize(state.init, planned.scale, planned.zero_point, planned.dtype)
        return State(state.name, init, self.values[state.read.name], self.values[state.write.name])


def _at_width(planned: TensorType, bits: int) -> TensorType:
    """The planned type, widened to `bits` over the same range if it is narrower."""
    if planned.dtype == f"int{bits}":
        return planned
    low, high = ((q - planned.zero_point) * planned.scale for q in (planned.qmin, planned.qmax))
    wide = tensor_plan(low, high, bits, symmetric=True)
    return planned.with_quant(wide.dtype, wide.params)


def signal_to_noise_db(real: Array, restored: Array) -> float:
    """10 · log10 of the ratio of signal energy to error energy."""
    noise = float(((np.asarray(real, np.float64) - restored) ** 2).sum())
    signal = float((np.asarray(real, np.float64) ** 2).sum())
    return float("inf") if noise == 0 else 10 * float(np.log10(max(signal, 1e-300) / noise))
