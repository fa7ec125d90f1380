"""Layers that read spikes: which they are, and the kernel that adds the columns of their weights that fire."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edgetx.fixedpoint import wrap_int32
from edgetx.ir import Array, Graph, Node, Value
from edgetx.ops import (
    Concatenation,
    Conv2D,
    FullyConnected,
    KernelCall,
    Lif,
    Pad,
    Reshape,
    ShiftIn,
    StridedSlice,
    Transpose,
)
from edgetx.ops.lif import SPIKE
from edgetx.plan.packing.tables import COPIED_ROWS, SUM_LIMIT, rescaling_table
from edgetx.plan.packing.weights import COPIED_BYTES

OUTPUTS = 8
"""Outputs that the kernel computes together."""
RESULT_BYTES = 16
"""Bias, mantissa, rounding and shift of a result."""
WEIGHT_OFFSET = 128
STAGED_BYTES = 20480
"""Columns are read in no order, which flash memory punishes; so more of them are copied into RAM than of rows."""
MOVEMENT = (Concatenation, Pad, Reshape, ShiftIn, StridedSlice, Transpose)
"""Ops whose results are spikes, or nothing, if all their operands are."""


@dataclass(frozen=True)
class SpikeLayer:
    """A layer with weights on spikes.

    Attributes:
        node: The layer.
        rows: Rows that it computes.
        inputs: Spikes, or their absence, that each row reads.
        outputs: Results per row.
    """

    node: Node
    rows: int
    inputs: int
    outputs: int

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the dense form."""
        return self.rows * self.inputs * self.outputs

    @property
    def padded_outputs(self) -> int:
        """Results that the event-driven kernel computes per row."""
        return -(-self.outputs // OUTPUTS) * OUTPUTS

    @property
    def packed_bytes(self) -> int:
        """Bytes of weights, biases and multipliers, either way."""
        return self.padded_outputs * (self.inputs + RESULT_BYTES)

    @property
    def copies_columns(self) -> bool:
        """Whether the event-driven form reads its columns from a copy in RAM."""
        return self.rows >= COPIED_ROWS and self.packed_bytes <= STAGED_BYTES

    @property
    def copies_weights(self) -> bool:
        """Whether the dense form reads its weights from a copy in RAM."""
        return self.rows >= COPIED_ROWS and self.packed_bytes <= COPIED_BYTES


def spike_layers(graph: Graph) -> list[SpikeLayer]:
    """The layers of an integer graph that could skip silent inputs, in order."""
    layers = []
    for node in graph.nodes:
        shape = _row_shape(node)
        if shape is not None and is_spikes(graph, node.inputs[0]) and graph.const(node.inputs[1]) is not None:
            layers.append(SpikeLayer(node, *shape))
    return layers


def is_spikes(graph: Graph, value: Value) -> bool:
    """Whether a value holds nothing but spikes and their absence."""
    node = graph.producer(value)
    if node is None:
        data = _contents(graph, value)
        return data is not None and bool(np.isin(data, (0, SPIKE)).all())
    if isinstance(node.op, Lif):
        return value.name == node.outputs[0].name
    return isinstance(node.op, MOVEMENT) and all(is_spikes(graph, operand) for operand in node.inputs)


def _contents(graph: Graph, value: Value) -> Array | None:
    """A constant, or what a ring holds after a reset; None for the rest."""
    rings = {
        state.read.name: state.init
        for state in graph.states
        if (moved := graph.producer(state.write)) and isinstance(moved.op, ShiftIn) and moved.inputs[0] == state.read
    }
    return rings.get(value.name, graph.const(value))


def _row_shape(node: Node) -> tuple[int, int, int] | None:
    """Rows, inputs and outputs of a layer whose rows lie in memory one after the other, if it is one."""
    if node.outputs[0].type.dtype != "int8" or not node.inputs or node.inputs[0].type.dtype != "int8":
        return None
    if isinstance(node.op, FullyConnected) and not node.op.rounds_once(node):
        inputs = node.inputs[0].shape[-1]
        return node.inputs[0].type.size // inputs, inputs, node.output.shape[-1]
    if not isinstance(node.op, Conv2D):
        return None
    x, w = node.inputs[0].type, node.inputs[1].type
    window = node.op.window(w.shape)
    flat = x.shape[1] == window.size[0] == 1 and window.stride == (1, 1) and window.dilation == (1, 1)
    if not flat or window.pads(x) != ((0, 0), (0, 0)):
        return None
    return node.output.shape[2], w.size // w.shape[0], w.shape[0]


def event_call(layer: SpikeLayer, call: KernelCall, data: Sequence[Array | None]) -> KernelCall | None:
    """The event-driven form of the call of a layer; None if a sum or a shift is too large for it.

    Args:
        layer: The layer.
        call: The call as its op makes it.
        data: Contents of the operands; None for those computed at run time.
    """
    weight, bias, mantissas, shifts = data[1:]
    if weight is None or bias is None or mantissas is None or shifts is None:
        return None
    flat = weight.reshape(layer.outputs, layer.inputs).astype(np.int64)
    zero_point = call.params["output_offset"]
    assert isinstance(zero_point, int)
    rescaling = rescaling_table(mantissas.astype(np.int64), shifts.astype(np.int64), zero_point)
    if rescaling is None or (np.abs(bias) + SPIKE * np.abs(flat).sum(1)).max() >= SUM_LIMIT:
        return None
    step = layer.inputs if isinstance(layer.node.op, FullyConnected) else layer.node.inputs[0].shape[-1]
    params: Mapping[str, int | Sequence[int]] = {
        "rows": layer.rows,
        "step": step,
        "inputs": layer.inputs,
        "outputs": layer.outputs,
        **{field: call.params[field] for field in ("low", "high")},
    }
    packed = packed_blocks(flat, np.column_stack([bias, rescaling]))
    staged = 1 if layer.copies_columns else None
    return KernelCall(
        "event_matmul_s8", params, (call.operands[0], packed), scratch_bytes=2 * layer.inputs + 2, staged=staged
    )


def packed_blocks(weight: Array, results: Array) -> Array:
    """What the kernel reads, for eight outputs each: `results` [outputs, 4], then the columns of the weight.

    A column is two words of four outputs each, 128 added.
    """
    outputs, inputs = weight.shape
    fill = ((0, -outputs % OUTPUTS), (0, 0))
    quads = (np.pad(weight.astype(np.int64), fill) + WEIGHT_OFFSET).reshape(-1, 2, 4, inputs)
    columns = (quads << np.array([0, 8, 16, 24])[:, None]).sum(2).transpose(0, 2, 1)
    tables = np.pad(results.astype(np.int64), fill).reshape(len(columns), -1)
    return wrap_int32(np.hstack([tables, columns.reshape(len(columns), -1)])).astype(np.int32)
