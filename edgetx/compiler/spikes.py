"""Spikes of a model: how often its neurons fire, what that saves, and which layers skip silent inputs."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from edgetx.compiler.settings import SpikeKernels
from edgetx.config import load_toml, parse
from edgetx.errors import TargetError
from edgetx.ir import Array, Arrays, Graph
from edgetx.ops import Lif
from edgetx.plan.events import SpikeLayer, spike_layers
from edgetx.reference import execute, initial_state
from edgetx.resources import data_dir

OBSERVED_INPUTS = 32


@dataclass(frozen=True)
class EventCosts:
    """`targets/events/<core>.toml`: what layers on spikes take on a core; `benchmarks/spikes.py` measures it.

    Attributes:
        core: The core.
        source: How the costs were found.
        dense_cycles_per_mac: Dense layer with its weights copied into RAM, by multiply-accumulate.
        dense_cycles_per_mac_in_flash: Dense layer that reads its weights where they are.
        dense_cycles_per_output: Dense layer, by result.
        dense_cycles_per_copied: Dense layer, by byte of weights copied.
        cycles_per_input: Event-driven layer, by input looked at, spike or not.
        cycles_per_output: Event-driven layer, by result.
        cycles_per_spike: Event-driven layer, by spike.
        cycles_per_operation: Event-driven layer with its columns copied into RAM, by spike and output.
        cycles_per_operation_in_flash: Event-driven layer that reads its columns where they are.
        cycles_per_copied: Event-driven layer, by byte of columns copied.
        worst_error: Largest relative error of these costs on the layers measured.
    """

    core: str
    source: str
    dense_cycles_per_mac: float
    dense_cycles_per_mac_in_flash: float
    dense_cycles_per_output: float
    dense_cycles_per_copied: float
    cycles_per_input: float
    cycles_per_output: float
    cycles_per_spike: float
    cycles_per_operation: float
    cycles_per_operation_in_flash: float
    cycles_per_copied: float
    worst_error: float

    def dense(self, layer: SpikeLayer) -> float:
        """Cycles of the dense form."""
        costs = (
            self.dense_cycles_per_mac,
            self.dense_cycles_per_mac_in_flash,
            self.dense_cycles_per_output,
            self.dense_cycles_per_copied,
        )
        return _total(costs, dense_counts(layer))

    def events(self, layer: SpikeLayer, rate: float) -> float:
        """Cycles of the event-driven form where a share `rate` of the inputs fires."""
        costs = (
            self.cycles_per_input,
            self.cycles_per_output,
            self.cycles_per_spike,
            self.cycles_per_operation,
            self.cycles_per_operation_in_flash,
            self.cycles_per_copied,
        )
        return _total(costs, event_counts(layer, rate))

    def break_even(self, layer: SpikeLayer) -> float:
        """The share of inputs that fire at which both forms take the same time, within 0 … 1."""
        silent = self.events(layer, 0.0)
        return float(np.clip((self.dense(layer) - silent) / (self.events(layer, 1.0) - silent), 0.0, 1.0))


def dense_counts(layer: SpikeLayer) -> list[float]:
    """How often a dense layer pays each of its costs, in the order of `EventCosts`."""
    copied = layer.copies_weights
    macs = 2 * -(-layer.rows // 2) * layer.inputs * layer.padded_outputs  # rows go two by two
    return [
        macs * copied,
        macs * (not copied),
        layer.rows * layer.outputs,
        layer.packed_bytes * copied,
    ]


def event_counts(layer: SpikeLayer, rate: float) -> list[float]:
    """How often an event-driven layer pays each of its costs, in the order of `EventCosts`."""
    copied, inputs = layer.copies_columns, layer.rows * layer.inputs
    operations = rate * inputs * layer.padded_outputs
    return [
        inputs,
        layer.rows * layer.outputs,
        rate * inputs,
        operations * copied,
        operations * (not copied),
        layer.packed_bytes * copied,
    ]


def _total(costs: Sequence[float], counts: Sequence[float]) -> float:
    return float(np.dot(costs, counts))


@dataclass(frozen=True)
class LayerSpikes:
    """What spikes mean for one layer.

    Attributes:
        layer: Its name.
        rate: Share of its inputs that fire, over calibration inputs.
        macs: Multiply-accumulates of the dense form.
        synaptic_operations: Those for which there is a spike, on average.
        break_even: Rate below which skipping silent inputs is faster; None where it was not measured.
        event_driven: Whether the generated code skips them.
    """

    layer: str
    rate: float
    macs: int
    synaptic_operations: float
    break_even: float | None
    event_driven: bool


def load_event_costs(core: str) -> EventCosts | None:
    """The costs of a core; None if none were measured.

    Raises:
        TargetError: If their file is not valid.
    """
    path: Path = data_dir("targets") / "events" / f"{core}.toml"
    return parse(load_toml(path, TargetError), EventCosts, f"events/{core}", TargetError) if path.is_file() else None


def spike_statistics(
    graph: Graph, inputs: Sequence[Arrays], core: str, kernels: SpikeKernels = "auto"
) -> list[LayerSpikes]:
    """Rates of all layers on spikes, and whether they should skip silent inputs; without costs none does.

    Args:
        graph: An integer graph.
        inputs: Quantized inputs of consecutive invocations; states are carried from one to the next.
        core: The core to decide for.
        kernels: What the user asks for.
    """
    layers = spike_layers(graph)
    if not layers or not inputs:
        return []
    costs = load_event_costs(core)
    rates = firing_rates(graph, inputs[:OBSERVED_INPUTS], {layer.node.inputs[0].name for layer in layers})
    found = []
    for layer in layers:
        rate = rates[layer.node.inputs[0].name]
        limit = None if costs is None else costs.break_even(layer)
        skips = kernels == "events" or (kernels == "auto" and limit is not None and rate < limit)
        found.append(LayerSpikes(layer.node.name, rate, layer.macs, rate * layer.macs, limit, skips))
    return found


def firing_rates(graph: Graph, inputs: Sequence[Arrays], names: Collection[str]) -> dict[str, float]:
    """Share of elements that are not 0, by the name of the value."""
    seen: dict[str, list[float]] = {name: [] for name in names}

    def observe(name: str, data: Array) -> None:
        if name in seen:
            seen[name].append(float((data != 0).mean()))

    state = initial_state(graph)
    for sample in inputs:
        execute(graph, sample, state, observe)
    return {name: float(np.mean(rates)) for name, rates in seen.items()}


def spikes_report(graph: Graph, layers: Sequence[LayerSpikes]) -> Mapping[str, object] | None:
    """The section of the report; None for a model without spikes."""
    if not layers:
        return None
    return {
        "neurons": sum(node.outputs[1].type.size for node in graph.nodes if isinstance(node.op, Lif)),
        "macs": sum(layer.macs for layer in layers),
        "synaptic_operations": sum(layer.synaptic_operations for layer in layers),
        "layers": [asdict(layer) for layer in layers],
    }
