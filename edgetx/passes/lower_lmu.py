"""Turn the memory of an LMU into a filter over its scalar input.

The memory is linear and does not change, so that m[t] = Σₐ h[a] · u[t−a] with its impulse response h, and a linear
readout W m[t] is a filter with the taps W h[a]: the convolution of Chilkuri & Eliasmith (2021) with the readout inside.
"""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from edgetx.ir import Array, Graph, GraphBuilder, Node, Value
from edgetx.legendre import impulse_response
from edgetx.ops import Add, Concatenation, Conv2D, FullyConnected, Lmu, Pad, Reshape
from edgetx.ops.lmu import fir_length
from edgetx.passes.base import Rule

LmuForm = Literal["fir", "parallel", "recurrence", "split"]
"""fir: memory and readout as one filter | parallel: the memory as a filter | recurrence: as it is |
split: the recurrence, and a layer of its own that reads the memory."""
FORMS: tuple[LmuForm, ...] = ("fir", "parallel", "recurrence", "split")
READOUT = ".memory"
"""Ends the name of the layer that reads nothing but a memory."""
HISTORY = ".history"
"""Ends the name of the node that puts zeros before the input of a filter."""
LONGEST = 4
"""Times theta after which no memory holds anything."""
TAIL_DB = 60.0
"""Energy of the taps that are left out, below that of all; more than 8 bits can tell."""


@dataclass(frozen=True)
class SplitReadout(Rule):
    """Read the memory by a layer of its own, so that it can be made part of the filter.

    Given:   %m = lmu(%u, %start)    %y = fully_connected[relu](concatenation(%m, %x), %w, %b)
    Result:  %y = add[relu](fully_connected(%m, %w_m), fully_connected(%x, %w_x, %b))
    """

    name: ClassVar[str] = "split-readout"

    def rewrite(self, node: Node, graph: Graph) -> Graph | str:
        if not isinstance(node.op, FullyConnected):
            return "not a linear layer"
        joined = graph.producer(node.inputs[0])
        if joined is None or not isinstance(joined.op, Concatenation):
            return "its operand is not several side by side"
        if joined.op.axis != joined.output.type.rank - 1 or not graph.has_one_use(joined.output):
            return "the operands are not features of its own"
        if not any(_memory(graph, value) for value in joined.inputs):
            return "no memory among them"
        weight, *bias = (graph.const(value) for value in node.inputs[1:])
        if weight is None:
            return "computed weights"
        b = GraphBuilder.beside(graph, node, joined)
        ends = np.cumsum([value.shape[-1] for value in joined.inputs])[:-1]
        parts: list[Value] = []
        for value, columns in zip(joined.inputs, np.split(weight, ends, 1), strict=True):
            name = node.name + (READOUT if _memory(graph, value) else ".direct")
            constants = [b.const(columns, f"{name}.weight")]
            if bias and value is joined.inputs[-1]:
                constants.append(b.const(np.asarray(bias[0]), f"{node.name}.bias"))
            parts.append(b.op(FullyConnected(), value, *constants, name=name))
        total = parts[0]
        for part in parts[1:-1]:
            total = b.op(Add(), total, part, name=f"{node.name}.sum")
        y = b.op(Add(node.op.activation), total, parts[-1], name=node.name)
        return graph.rewrite(remove=[node, joined], add=b.nodes, consts=b.consts, replace_values={node.output.name: y})


@dataclass(frozen=True)
class CollapseReadout(Rule):
    """The memory and a linear layer that reads it as one filter.

    Given:   %m = lmu(%u, 0)    %y = fully_connected(%m, %w)
    Result:  %y = conv_2d(pad(%u), %w · h)

    Attributes:
        endless: Whether the filter reaches beyond the clip, as a stream's memory does.
    """

    name: ClassVar[str] = "collapse-readout"

    endless: bool = False

    def rewrite(self, node: Node, graph: Graph) -> Graph | str:
        if not isinstance(node.op, FullyConnected):
            return "not a linear layer"
        memory = _memory(graph, node.inputs[0])
        if memory is None:
            return "does not read a memory that starts empty and ends unread"
        weight, *bias = (graph.const(value) for value in node.inputs[1:])
        if weight is None:
            return "computed weights"
        constants = [np.asarray(array) for array in bias]
        return _filtered(graph, node, memory, weight, constants, node.op.activation, self.endless)


@dataclass(frozen=True)
class UnfoldMemory(Rule):
    """The memory as a filter: all steps of a clip at once.

    Given:   %m = lmu(%u, 0)
    Result:  %m = conv_2d(pad(%u), h)

    Attributes:
        endless: Whether the filter reaches beyond the clip, as a stream's memory does.
    """

    name: ClassVar[str] = "unfold-memory"

    endless: bool = False

    def rewrite(self, node: Node, graph: Graph) -> Graph | str:
        memory = _memory(graph, node.outputs[0]) if isinstance(node.op, Lmu) else None
        if memory is None:
            return "not a memory that starts empty and ends unread"
        return _filtered(graph, memory, memory, np.eye(memory.op.order), [], "none", self.endless)  # type: ignore[attr-defined]


def _memory(graph: Graph, value: Value) -> Node | None:
    """The LMU whose states `value` is, if it starts at zero and nothing keeps its last state."""
    node = graph.producer(value)
    if node is None or not isinstance(node.op, Lmu) or value.name != node.outputs[0].name:
        return None
    start = graph.const(node.inputs[1])
    kept = graph.users(node.outputs[1]) or graph.is_result(node.outputs[1])
    return None if start is None or start.any() or kept else node


def _filtered(
    graph: Graph, node: Node, memory: Node, weight: Array, bias: list[Array], activation: str, endless: bool
) -> Graph:
    """The graph with the result of `node`, which is weight · memory + bias, computed from the memory's input."""
    op, u = memory.op, memory.inputs[0]
    assert isinstance(op, Lmu)
    steps = u.shape[1]
    longest = max(steps, math.ceil(LONGEST * op.theta)) if endless else steps
    taps = fir_length(op.order, op.theta, longest, TAIL_DB)
    response = weight.astype(np.float64) @ impulse_response(op.order, op.theta, taps)
    kernel = response[:, ::-1].astype(np.float32)[:, None, :, None]
    b = GraphBuilder.beside(graph, node)
    padded = b.op(Pad(((0, 0), (taps - 1, 0), (0, 0))), u, name=f"{node.name}{HISTORY}") if taps > 1 else u
    row = b.op(Reshape((1, 1, *padded.shape[1:])), padded, name=f"{node.name}.row")
    constants = [b.const(kernel, f"{node.name}.taps"), *(b.const(array, f"{node.name}.bias") for array in bias)]
    y = b.op(Conv2D(activation=activation), row, *constants, name=node.name)  # type: ignore[arg-type]
    flat = b.op(Reshape((1, steps, len(weight))), y, name=f"{node.name}.steps")
    return graph.rewrite(remove=[node], add=b.nodes, consts=b.consts, replace_values={node.outputs[0].name: flat})


def lowering(form: LmuForm, endless: bool = False) -> list[Rule]:
    """The rules that give every LMU of a clip that form; where nothing linear reads a memory, fir is parallel.

    Args:
        form: The form.
        endless: Whether filters reach beyond the clip, as a stream's memory does.
    """
    rules: dict[LmuForm, list[Rule]] = {
        "fir": [SplitReadout(), CollapseReadout(endless), UnfoldMemory(endless)],
        "parallel": [UnfoldMemory(endless)],
        "recurrence": [],
        "split": [SplitReadout()],
    }
    return rules[form]


def memory_state_bytes(graph: Graph) -> int:
    """What the memories of an integer graph keep from one step to the next when it runs step by step.

    A recurrence keeps its state, a filter the inputs that its taps still need.
    """
    kept = 0
    for node in graph.nodes:
        if isinstance(node.op, Lmu):
            kept += node.outputs[-1].type.nbytes
        elif isinstance(node.op, Pad) and node.name.endswith(HISTORY):
            kept += node.output.type.nbytes - node.inputs[0].type.nbytes
    return kept
