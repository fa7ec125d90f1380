"""What is measured of an artifact: equality, accuracy, cycles."""

from collections.abc import Mapping
from dataclasses import asdict

import numpy as np

from edgetx.backends.c import CSources
from edgetx.compiler.artifact import FORM_OF, Artifact, is_installed
from edgetx.compiler.drift import answers_of, distance_of, memory_of
from edgetx.compiler.evaluation import Accuracy, NoLabelsError, evaluate, evaluation_data
from edgetx.compiler.hop import continuous_audio, profile_hops, quantized_hops
from edgetx.compiler.midstream import accuracy_in_stream
from edgetx.compiler.profiling import profile_artifact
from edgetx.compiler.quantized import as_inputs
from edgetx.compiler.report import Measured, build_report
from edgetx.compiler.states import measure_states
from edgetx.compiler.streaming import compare_with_clip, summary
from edgetx.compiler.verification import make_cases, verify_artifact
from edgetx.compiler.work import Work, real_cases
from edgetx.data.stream import Mix, stream_of_folder
from edgetx.firmware import Firmware
from edgetx.ir import Array
from edgetx.runtimes.runtime import Runtime
from edgetx.runtimes.tflm import TflmRuntime

COMPARED_CLIPS = 32
"""Clips on which a stream is compared with the clip model."""
SEQUENCE = 256
"""Successive hops on which the runtimes of a stream are compared at least: more than its rings hold."""
DRIFT_SECONDS, DRIFT_HOPS = 240.0, 12_000
"""Continuous audio on which a stream is compared with the float model, and hops at most."""
DENSE = Mix(gap_low_s=0.1, gap_high_s=1.0)
"""Words one soon after another."""
MID_STREAM_SECONDS = 600.0
"""Continuous audio of the test split on which answers are counted."""
WIDTH_HOPS = 3000
"""Hops on which widths of states are tried."""
EVALUATED_INPUTS = 1000
"""Labelled inputs on which accuracy is measured at most."""


def measured_report(work: Work, sources: CSources, firmware: Firmware | None) -> Mapping[str, object]:
    """The report of what was written, with everything in it that can be measured here."""
    options, artifact = work.options, Artifact(work.folder)
    count = options.cases if work.streaming is None else max(options.cases, SEQUENCE)
    cases = make_cases(artifact.graph, real_cases(artifact, work.samples), count)
    runtimes = [name for name, form in FORM_OF.items() if form in work.artifacts and name != "simulator"]
    usable = [name for name in runtimes if is_installed(name)]
    measured = Measured(
        verification=verify_artifact(artifact, cases, usable, lambda name: work.progress(f"verify {name}")),
        accuracy=_accuracy(work, artifact),
    )
    if "tflm" in usable:
        measured.tflm_arena = asdict(TflmRuntime(artifact.file("model.tflite").read_bytes()).arena())
    if firmware is not None and is_installed("simulator"):
        work.progress("simulate")
        measured.verification |= verify_artifact(artifact, cases[: options.simulated_cases], ["simulator"])
        measured.profile = profile_artifact(artifact, cases[0])
    if "program" in work.artifacts and is_installed("simulator"):
        from edgetx.profile.aprofile.profiling import profile_phone

        work.progress("simulate")
        measured.profile = profile_phone(work.folder, options.target)
    report = build_report(work.source, options.target, work.artifacts, artifact, sources, firmware, measured)
    return report if work.streaming is None else {**report, "streaming": _streaming(work, artifact)}


def _streaming(work: Work, artifact: Artifact) -> Mapping[str, object]:
    """How the stream compares with the clip model, and what its hops cost."""
    assert work.streaming is not None
    work.progress("compare with the clip model")
    clip = work.streaming.clip.graph
    real = [artifact.quantized(x) for x in as_inputs(clip, work.clips)] if len(work.clips) else []
    (cases,) = zip(*make_cases(clip, real, COMPARED_CLIPS), strict=True)
    equality = compare_with_clip(clip, work.streaming.streamed, np.concatenate(cases))
    work.progress("measure drift")
    drift = _drift(work, artifact)
    if work.pace is None or "firmware" not in work.artifacts or not is_installed("simulator"):
        return summary(work.streaming, equality, drift)
    work.progress("simulate hops")
    assert work.source.recipe is not None
    audio = continuous_audio(work.options.data, work.source.recipe)
    return summary(work.streaming, equality, {**drift, **profile_hops(artifact, work.streaming, audio)})


def _drift(work: Work, artifact: Artifact) -> dict[str, object]:
    """What the stream remembers, and its distance from the float model, over minutes of calibration audio."""
    streaming = work.streaming
    assert streaming is not None
    hops = _minutes(work, artifact)
    if len(streaming.model.graph.outputs) != 1 or not len(hops):
        return {"memory": None, "error": None, "states": None, "mid_stream": None}
    runtime = artifact.runtime("c" if "c" in work.artifacts else "int")
    answers = answers_of(runtime, hops)
    memory = memory_of(streaming.streamed, runtime, hops, answers)
    (error,) = distance_of(streaming.streamed, streaming.model.float_graph, hops, answers, streaming.frame_ms)
    states = measure_states(streaming.streamed, streaming.model.float_graph, hops[:WIDTH_HOPS])
    return {
        "memory": None if memory is None else asdict(memory),
        "error": asdict(error),
        "states": asdict(states),
        "mid_stream": _mid_stream(work, artifact, runtime),
    }


def _mid_stream(work: Work, artifact: Artifact, runtime: Runtime) -> dict[str, object] | None:
    """Accuracy on test clips in continuous audio; None without an audio folder."""
    streaming, recipe, data = work.streaming, work.source.recipe, work.options.data
    assert streaming is not None
    (source,) = artifact.graph.inputs
    if recipe is None or data is None or not data.is_dir() or source.type.dtype != "int8":
        return None
    audio, placed = stream_of_folder(data, "test", None, MID_STREAM_SECONDS, recipe.data.sample_rate_hz, DENSE)
    hops = quantized_hops(streaming, recipe, audio).reshape(-1, *source.shape)
    found = accuracy_in_stream(streaming, recipe, runtime, hops, placed)
    return None if found is None else asdict(found)


def _minutes(work: Work, artifact: Artifact) -> Array:
    """Quantized hops of continuous audio: words of the training speakers if there is a folder, else the clips."""
    streaming, recipe, data = work.streaming, work.source.recipe, work.options.data
    assert streaming is not None
    (source,) = artifact.graph.inputs
    if recipe is None or data is None or not data.is_dir() or source.type.dtype != "int8":
        (hops,) = artifact.quantized((work.samples[:DRIFT_HOPS],))
    else:
        audio, _ = stream_of_folder(data, "train", None, DRIFT_SECONDS, recipe.data.sample_rate_hz, DENSE)
        hops = quantized_hops(streaming, recipe, audio)[:DRIFT_HOPS]
    return hops.reshape(-1, *source.shape)


def _accuracy(work: Work, artifact: Artifact) -> Accuracy:
    """Accuracy of the float and the integer graph, if the data is labelled."""
    data = work.options.data
    if data is None or len(artifact.graph.inputs) > 1:
        return Accuracy(0)
    try:
        labelled = evaluation_data(artifact, data, limit=EVALUATED_INPUTS)
    except NoLabelsError:
        return Accuracy(0)
    return evaluate(artifact, labelled, ("float", "int"), lambda name: work.progress(f"evaluate {name}"))
