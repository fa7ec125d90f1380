"""From an imported float graph to integer graphs: the contract, and its form in TFLite's built-ins."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from edgetx.errors import DataError, QuantError
from edgetx.ir import Array, Arrays, Graph
from edgetx.ir.verify import FLOAT, INTEGER, verify
from edgetx.passes import Pass
from edgetx.passes.base import run_passes
from edgetx.passes.legalize_tflite import legalize_tflite
from edgetx.passes.lower_lmu import LmuForm
from edgetx.passes.pipeline import canonicalize, integer_passes
from edgetx.quant import (
    QuantPlan,
    QuantRecipe,
    Ranges,
    apply_plan,
    make_plan,
    observe,
    ranges_of,
    row_peaks,
    with_reach,
    with_telling_currents,
)
from edgetx.quant.restore import float_twin, plan_of

Watcher = Callable[[Pass, Graph, Graph], None]
AsStream = Callable[[Graph], Graph]
"""From a canonical float graph of a clip to one of some frames, with states."""

CALIBRATION_LIMIT = 256
"""Inputs used for calibration at most; more change the ranges little and take long."""
STATEFUL_LIMIT = 8
"""Times as many hops for a graph with state, which are short."""
HEADROOM = 1.25
"""A stream's outputs go beyond those of calibration, and there is no bound to the error of what is cut off."""
SPIKING_LIMIT = 32
"""Inputs on which spikes are compared."""
PEAK_LIMIT = 32
"""Inputs from which magnitudes are learned that decide how the TFLite form is written."""


@dataclass(frozen=True)
class Quantized:
    """A model in its float and integer forms.

    Attributes:
        float_graph: Canonical float graph.
        plan: Width and parameters of every activation.
        graph: The integer graph: the contract.
        imported: Whether the integers came with the model.
    """

    float_graph: Graph
    plan: QuantPlan
    graph: Graph
    imported: bool = False


def integer_model(
    imported: Graph,
    samples: Array,
    recipe: QuantRecipe,
    lmu: LmuForm = "fir",
    plan: QuantPlan | None = None,
    streamed: AsStream | None = None,
) -> Quantized:
    """A float graph quantized, or an integer graph as it is; see `quantize_model`."""
    if imported.outputs[0].type.is_float:
        return quantize_model(imported, samples, recipe, plan, lmu=lmu, streamed=streamed)
    verify(imported, INTEGER)
    graph = run_passes(imported, integer_passes(), lambda step, _, after: verify(after, INTEGER, blame=step.name))
    return Quantized(float_twin(graph), plan_of(graph), graph, imported=True)


def quantize_model(
    imported: Graph,
    samples: Array,
    recipe: QuantRecipe,
    plan: QuantPlan | None = None,
    progress: Callable[[int], None] | None = None,
    lmu: LmuForm = "fir",
    streamed: AsStream | None = None,
) -> Quantized:
    """Canonicalize, calibrate, plan and apply.

    Args:
        imported: Float graph from a frontend.
        samples: Calibration inputs, N × input shape.
        recipe: What to quantize to.
        plan: A plan to use as it is instead of one made from the calibration.
        progress: Called with the number of samples seen.
        lmu: Form of the memories of LMUs.
        streamed: What the graph is hop by hop, where it will run so: the inputs are then heard as clips and one after
            the other, and outputs keep what they reach in a stream.

    Raises:
        QuantError: If there is nothing to calibrate on.
        ModelError: If the graph is malformed, for example by a weight that is not a number.
    """
    verify(imported, FLOAT)
    endless = streamed is not None
    graph = canonicalize(imported, lambda step, _, after: verify(after, FLOAT, blame=step.name), lmu, endless)
    if plan is None:
        ranges = activation_ranges(graph, samples, recipe, progress, streamed)
        graph = with_reach(graph, ranges)
        plan = make_plan(graph, ranges, recipe)
    integer = apply_plan(graph, plan)
    verify(integer, INTEGER)
    return Quantized(graph, plan, integer)


def activation_ranges(
    graph: Graph,
    samples: Array,
    recipe: QuantRecipe,
    progress: Callable[[int], None] | None = None,
    streamed: AsStream | None = None,
) -> Ranges:
    """Ranges over clips and over the stream that they make, those of 8-bit currents chosen for their spikes.

    Args:
        graph: A canonical float graph.
        samples: Calibration inputs, N × input shape.
        recipe: What to quantize to.
        progress: Called with the number of samples seen.
        streamed: See `quantize_model`.

    Raises:
        QuantError: If there are no samples.
    """
    ranges = _observed(graph, samples, recipe, progress, streamed)
    if recipe.activation_bits != 8:
        return ranges
    raised = {name: found for name, found in ranges.items() if name in recipe.raised}
    return {**with_telling_currents(graph, ranges, as_inputs(graph, samples, SPIKING_LIMIT)), **raised}


def _observed(
    graph: Graph, samples: Array, recipe: QuantRecipe, progress: Callable[[int], None] | None, streamed: AsStream | None
) -> Ranges:
    seen = observe(graph, as_inputs(graph, samples), progress)
    if streamed is None:
        return ranges_of(seen, recipe.method, recipe.raised)
    running = streamed(graph)
    size, shape = running.inputs[0].type.size, running.inputs[0].shape
    pieces = samples.reshape(-1)[: samples.size // size * size].reshape(-1, *shape)
    seen = observe(running, as_inputs(running, pieces), progress, seen)
    outputs = {value.name for value in graph.outputs}
    ranges = ranges_of(seen, recipe.method, outputs | recipe.raised)
    return {n: (HEADROOM * a, HEADROOM * b) if n in outputs else (a, b) for n, (a, b) in ranges.items()}


def quantize_for_tflite(model: Quantized, samples: Array, recipe: QuantRecipe, *, keep: bool = False) -> Graph:
    """The integer graph in TFLite's built-ins, with the inputs and outputs of the contract.

    Args:
        model: The model.
        samples: Calibration inputs.
        recipe: What to quantize to.
        keep: Whether whatever both forms compute keeps the parameters of the contract, as a stream does those of its
            clip; otherwise only inputs and outputs do.
    """
    if model.imported:
        return model.graph
    peaks = row_peaks(model.float_graph, as_inputs(model.float_graph, samples, PEAK_LIMIT))
    legal = legalize_tflite(model.float_graph, peaks)
    if legal is model.float_graph:
        return model.graph
    ends = zip(legal.inputs + legal.outputs, model.float_graph.inputs + model.float_graph.outputs, strict=True)
    border = {value.name: model.plan.tensors[original.name] for value, original in ends}
    given = {**model.plan.tensors, **border} if keep else border
    ranges = ranges_of(observe(legal, as_inputs(legal, samples)), recipe.method, recipe.raised)
    graph = apply_plan(legal, make_plan(legal, ranges, recipe, given))
    verify(graph, INTEGER)
    return graph


def as_inputs(graph: Graph, samples: Array, limit: int = CALIBRATION_LIMIT) -> list[Arrays]:
    """At most `limit` samples one by one, in the shapes of the graph's inputs, which a sample holds end to end.

    Raises:
        QuantError: If there are none.
        DataError: If they have another size.
    """
    if len(samples) == 0:
        several = len(graph.inputs) > 1
        keys = ", ".join(f"in{i}" for i in range(len(graph.inputs))) if several else "x"
        raise QuantError(
            "no calibration data", where=graph.name, hint=f"--data calib.npz with {keys} of shape N × input shape"
        )
    sizes = [value.type.size for value in graph.inputs]
    if samples[0].size != sum(sizes):
        shapes = [value.shape[1:] if value.shape[:1] == (1,) else value.shape for value in graph.inputs]
        wanted = ", ".join(" × ".join(map(str, shape)) for shape in shapes)
        raise DataError(f"inputs of shape {samples.shape[1:]}, the model takes {wanted}", where="x")
    if graph.states:
        chosen = samples[: STATEFUL_LIMIT * limit]  # one after the other, as they come
    else:
        chosen = samples[np.linspace(0, len(samples) - 1, min(len(samples), limit)).astype(int)]
    return [_parted(graph, sample, sizes) for sample in chosen]


def _parted(graph: Graph, sample: Array, sizes: Sequence[int]) -> Arrays:
    parts = np.split(np.asarray(sample, np.float32).ravel(), np.cumsum(sizes)[:-1])
    return tuple(part.reshape(value.shape) for part, value in zip(parts, graph.inputs, strict=True))
