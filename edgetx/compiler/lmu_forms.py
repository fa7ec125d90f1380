"""Which form the memories of LMUs take: every form built and measured, the fastest of the accurate ones chosen."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from edgetx.compiler.on_target import built_and_simulated
from edgetx.compiler.quantized import AsStream, Quantized, as_inputs, quantize_model
from edgetx.compiler.report import graph_macs
from edgetx.fixedpoint import dequantize, quantize
from edgetx.ir import Array, Graph, Node
from edgetx.ops import Concatenation, FullyConnected, Lif, Lmu
from edgetx.passes.lower_lmu import FORMS, READOUT, LmuForm, memory_state_bytes
from edgetx.passes.pipeline import canonicalize
from edgetx.quant import QuantRecipe
from edgetx.quant.apply import signal_to_noise_db
from edgetx.reference import execute
from edgetx.targets import Target

NEGLIGIBLE_DB = 1.0
"""A form whose result is that much noisier than the best one's is as accurate."""
COMPARED_INPUTS = 32
AsRun = Callable[[Quantized], Quantized]


@dataclass(frozen=True)
class LmuCandidate:
    """One form of a model's LMUs, as measured.

    Attributes:
        form: The form.
        snr_db: Power of the float model's output over that of the integer model's error, over calibration inputs.
        macs: Multiply-accumulates of one invocation of the whole model: of a clip, or of a hop where it streams.
        cycles: Of one invocation on the simulated core; None if nothing could be simulated.
        memory_cycles: Those of them between the memories' inputs and what reads them: memory, readout and what joins
            it with other operands.
        readout_cycles: Those of the memory and the layer that reads only it; None where one layer reads more, too.
        flash_bytes: Code and constants of the image; None if there is none.
        ram_bytes: What the image writes to, stack included.
        stream_state_bytes: What the memories keep from hop to hop when the model runs hop by hop.
    """

    form: LmuForm
    snr_db: float
    macs: int
    cycles: int | None
    memory_cycles: int | None
    readout_cycles: int | None
    flash_bytes: int | None
    ram_bytes: int | None
    stream_state_bytes: int


def choose_lmu_form(
    imported: Graph,
    samples: Array,
    recipe: QuantRecipe,
    target: Target,
    forced: LmuForm | None = None,
    progress: Callable[[str], None] = lambda _: None,
    as_run: AsRun = lambda clip: clip,
    streamed: AsStream | None = None,
) -> tuple[LmuForm, list[LmuCandidate]]:
    """The form to compile, and what was measured of all of them; nothing where there is no LMU.

    Args:
        imported: Float graph from a frontend.
        samples: Calibration inputs, N × input shape.
        recipe: What to quantize to.
        target: The board or phone.
        forced: A form that the user asks for.
        progress: Called with what is measured next.
        as_run: From the model of a clip to the one that the board runs: itself, or the model of a hop.
        streamed: What calibration hears of a model of hops; see `quantize_model`.
    """
    if not any(isinstance(node.op, Lmu) for node in imported.nodes):
        return forced or "fir", []
    candidates = []
    for form in FORMS:
        progress(f"LMU as {form}")
        candidates.append(_measured(form, imported, samples, recipe, target, as_run, streamed))
    return forced or fastest_accurate(candidates), candidates


def fastest_accurate(candidates: Sequence[LmuCandidate]) -> LmuForm:
    """The form with the fewest cycles, or products if there are none, of those as accurate as the best."""
    best = max(candidate.snr_db for candidate in candidates)
    accurate = [candidate for candidate in candidates if candidate.snr_db >= best - NEGLIGIBLE_DB]
    return min(accurate, key=lambda c: c.macs if c.cycles is None else c.cycles).form


def lmu_report(chosen: LmuForm, candidates: Sequence[LmuCandidate], unit: str = "clip") -> Mapping[str, object] | None:
    """The section of the report; None where there is no LMU.

    Args:
        chosen: The form.
        candidates: What was measured.
        unit: Of what the cycles are: a clip or a hop.
    """
    return {"form": chosen, "unit": unit, "candidates": [asdict(c) for c in candidates]} if candidates else None


def _measured(
    form: LmuForm,
    imported: Graph,
    samples: Array,
    recipe: QuantRecipe,
    target: Target,
    as_run: AsRun,
    streamed: AsStream | None,
) -> LmuCandidate:
    model = quantize_model(imported, samples, recipe, lmu=form, streamed=streamed)
    running = as_run(model)
    given = running.graph.inputs[0]
    sample = samples[0].reshape(-1)[: given.type.size].reshape(given.shape)
    profile, flash, ram = built_and_simulated(running.graph, (sample,), target)
    layers = {} if profile is None else {layer["name"]: layer["cycles"] for layer in profile["layers"]}
    between, alone = memory_layers(imported, running.float_graph), readout_layers(imported, running.float_graph)
    return LmuCandidate(
        form=form,
        snr_db=_snr(model, samples),
        macs=graph_macs(running.graph),
        cycles=None if profile is None else profile["cycles"],
        memory_cycles=None if profile is None else sum(layers.get(name, 0) for name in between),
        readout_cycles=None if profile is None or alone is None else sum(layers.get(name, 0) for name in alone),
        flash_bytes=flash,
        ram_bytes=ram,
        stream_state_bytes=memory_state_bytes(model.graph),
    )


def _snr(model: Quantized, samples: Array) -> float:
    """Noise of the output over some of the calibration inputs."""
    given, found = model.graph.inputs[0].type, model.graph.outputs[0].type
    reals, restored = [], []
    for inputs in as_inputs(model.float_graph, samples, COMPARED_INPUTS):
        integers = quantize(inputs[0], given.scale, given.zero_point, given.dtype)
        reals.append(execute(model.float_graph, inputs)[0])
        restored.append(dequantize(execute(model.graph, [integers])[0], found.scale, found.zero_point))
    return signal_to_noise_db(np.stack(reals), np.stack(restored))


def memory_layers(imported: Graph, lowered: Graph) -> set[str]:
    """Names of the layers of a lowered graph between the inputs of its memories and what reads them.

    Args:
        imported: The graph before any form was chosen.
        lowered: The same in some form.
    """
    reference = canonicalize(imported, lmu="recurrence")
    found: set[str] = set()
    for segment in _segments(reference):
        inside = {node.name for node in segment}
        outside = {v.name for node in segment for v in node.inputs} - {v.name for n in segment for v in n.outputs}
        before = set().union(*(_ancestors(reference, name) for name in outside)) - inside
        found |= _ancestors(lowered, segment[-1].outputs[0].name) - before
    return found


def readout_layers(imported: Graph, lowered: Graph) -> set[str] | None:
    """Names of the layers of a lowered graph that are a memory or read nothing else.

    Args:
        imported: The graph before any form was chosen.
        lowered: The same in some form.

    Returns:
        The names; None if a layer reads a memory along with other operands.
    """
    reference = canonicalize(imported, lmu="recurrence")
    found: set[str] = set()
    for segment in _segments(reference):
        memory, reader = segment[0], segment[-1]
        joined = any(isinstance(node.op, Concatenation) for node in segment)
        end = reader.name + READOUT if joined else reader.name
        if not any(node.name == end for node in lowered.nodes):
            return None
        (result,) = (node.outputs[0] for node in lowered.nodes if node.name == end)
        found |= _ancestors(lowered, result.name) - _ancestors(lowered, memory.inputs[0].name)
    return found


def _segments(reference: Graph) -> list[list[Node]]:
    """Each memory, and what follows it up to the neuron or layer that reads it."""
    segments = []
    for memory in (node for node in reference.nodes if isinstance(node.op, Lmu)):
        segment, reader = [memory], memory
        while not isinstance(reader.op, FullyConnected | Lif):
            (reader,) = reference.users(reader.outputs[0])
            segment.append(reader)
        segments.append(segment)
    return segments


def _ancestors(graph: Graph, name: str) -> set[str]:
    """Names of the nodes on which a value depends."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        node = graph.producers.get(waiting.pop())
        if node is not None and node.name not in found:
            found.add(node.name)
            waiting += [value.name for value in node.inputs]
    return found
