"""The whole hop: what it costs on the simulated core."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgetx.audio.dataset import load_recordings
from edgetx.compiler.artifact import Artifact
from edgetx.compiler.rows import quantized_rows
from edgetx.compiler.streaming import StreamedModel, as_hops
from edgetx.ir import Array
from edgetx.recipe import Recipe, samples
from edgetx.reference import execute, initial_state

PROFILED_HOPS = 24
"""Hops whose cycles are counted after as many as fill the rings' caches; strided models differ from hop to hop."""
PARTS = {"edgetx_frontend_push": "front end", "edgetx_invoke": "model", "etx_decide": "smoothing and decision"}
"""Functions of a hop that are shown apart."""


def profile_hops(
    artifact: Artifact, streaming: StreamedModel, audio: NDArray[np.int16], hops: int = PROFILED_HOPS
) -> Mapping[str, object]:
    """Cycles of the firmware's own hop loop on audio, and whether it decides as the reference does.

    Args:
        artifact: A compiled folder whose firmware has the loop.
        streaming: The model.
        audio: Continuous samples.
        hops: Hops to count.
    """
    from edgetx.profile import Simulator
    from edgetx.profile.profiling import profile_run

    recipe, target = artifact.recipe, artifact.target
    assert recipe is not None
    size = streaming.streamed.hop * samples(recipe.frontend.hop_ms, recipe.data.sample_rate_hz)
    sim = Simulator(target, artifact.file("firmware.elf"))
    sim.call(sim.symbol("edgetx_stream_reset"))
    reference = reference_hops(streaming, recipe, audio[: hops * size])
    cycles: list[int] = []
    parts, mismatches = dict.fromkeys(PARTS.values(), 0), 0
    for hop in range(hops):
        piece = audio[hop * size : (hop + 1) * size].astype("<i2")
        sim.write(sim.symbol("etx_hop_samples"), piece.tobytes())
        span = profile_run(sim, lambda: sim.call(sim.symbol("etx_hop"))).span
        cycles.append(span.cycles)
        for function in span.functions():
            if function.name in PARTS:
                parts[PARTS[function.name]] += function.total_cycles
        found = np.frombuffer(sim.read(sim.call(sim.symbol("edgetx_output"), 0), len(reference[hop])), np.int8)
        mismatches += int(not np.array_equal(found, reference[hop]))
    assert streaming.hop_ms is not None
    budget = target.clock_hz * streaming.hop_ms / 1000
    mean = float(np.mean(cycles))
    return {
        "duty_cycle": mean / budget,
        "worst_hop_cycles": int(max(cycles)),
        "mean_hop_cycles": mean,
        "worst_duty_cycle": max(cycles) / budget,
        "parts": {name: total / hops for name, total in parts.items()},
        "hops_profiled": hops,
        "hop_mismatches": mismatches,
        "clock_hz": target.clock_hz,
    }


def continuous_audio(data: Path | None, recipe: Recipe, seconds: float = 10.0) -> NDArray[np.int16]:
    """Test recordings of a folder one after the other; noise if there is no folder."""
    count = round(seconds * recipe.data.sample_rate_hz)
    if data is None or not data.is_dir():
        return np.asarray(np.random.default_rng(0).normal(0, 1000, count), np.int16)
    return np.resize(load_recordings(data, recipe.data, "test").x.reshape(-1), count)


def reference_hops(streaming: StreamedModel, recipe: Recipe, audio: NDArray[np.int16]) -> list[Array]:
    """Logits of each hop of continuous audio after silence, by the integer reference."""
    graph = streaming.model.graph
    state, outputs = initial_state(graph), []
    for rows in quantized_hops(streaming, recipe, audio):
        outputs.append(execute(graph, [rows], state)[0].reshape(-1))
    return outputs


def quantized_hops(streaming: StreamedModel, recipe: Recipe, audio: NDArray[np.int16]) -> NDArray[np.int8]:
    """Model inputs of continuous audio that begins after silence: hops × frames × features."""
    (rows,) = quantized_rows(recipe, streaming.model.graph.inputs[0].type, [audio])
    return np.asarray(as_hops(rows, streaming.streamed.hop))
