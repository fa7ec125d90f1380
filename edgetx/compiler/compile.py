"""`edgetx compile`: everything from a source to a folder of artifacts and its report, in the order it happens."""

import json
import shutil
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from edgetx.backends.c import CSources, emit_c, write_c
from edgetx.backends.onnx import write_onnx
from edgetx.backends.tflite import micro_sources, write_tflite
from edgetx.compiler.artifact import FORM_OF, REPORT, Artifact, is_installed
from edgetx.compiler.board import STREAM_SPOTTER_HEADER, layers_header, spotter_header, write_board
from edgetx.compiler.budget import Budget
from edgetx.compiler.evaluation import NoLabelsError, evaluate, evaluation_data
from edgetx.compiler.frontend import write_frontend
from edgetx.compiler.hop import continuous_audio, profile_hops, write_stream
from edgetx.compiler.listening import can_listen, make_listener
from edgetx.compiler.lmu_forms import choose_lmu_form, lmu_report
from edgetx.compiler.profiling import LAYERS, layers_of, layers_text, profile_artifact
from edgetx.compiler.quantized import Quantized, as_inputs, integer_model, quantize_for_tflite
from edgetx.compiler.report import Measured, build_report
from edgetx.compiler.settings import (
    FORMS,
    input_settings,
    lmu_form,
    overridden,
    spike_kernels,
    states_as_inputs,
    stream_settings,
)
from edgetx.compiler.source import Source, load_source
from edgetx.compiler.spikes import LayerSpikes, spike_statistics, spikes_report
from edgetx.compiler.streaming import (
    StreamedModel,
    compare_with_clip,
    parse_stream_options,
    stream_model,
    summary,
)
from edgetx.compiler.verification import make_cases, verify_artifact
from edgetx.errors import UnsupportedOpError
from edgetx.firmware import Firmware, GoldenAudio, GoldenCase, build_firmware
from edgetx.firmware.phone import build_phone_program
from edgetx.ir import Array, Arrays
from edgetx.ir.serialize import save_graph
from edgetx.output import replaced_folder
from edgetx.passes.expose_states import ExposeStates
from edgetx.quant import QuantRecipe, parse_recipe
from edgetx.recipe import recipe_path
from edgetx.reference import execute, initial_state
from edgetx.runtimes.tflm import TflmRuntime
from edgetx.targets import Target

Progress = Callable[[str], None]
GOLDEN_CASES = 2
COMPARED_CLIPS = 32
"""Clips on which a stream is compared with the clip model."""
SEQUENCE = 256
"""Successive hops on which the runtimes of a stream are compared at least: more than its rings hold."""
EVALUATED_INPUTS = 1000
"""Labelled inputs on which accuracy is measured at most."""


@dataclass(frozen=True)
class CompileOptions:
    """What to compile, to what.

    Attributes:
        source: A name in the zoo, a model folder, a recipe or a model file.
        target: The board or phone.
        out: Folder to write.
        forms: Output forms out of `FORMS`.
        data: Audio folder or `.npz`; calibrates models that bring no calibration inputs, and measures accuracy if it
            is labelled.
        settings: Keys of the recipe to override.
        budget: Limits that the result must keep.
        cases: Inputs on which every runtime is compared with the reference.
        simulated_cases: How many of them the simulated core runs.
        stream: Whether to turn the clip model into one that runs hop by hop.
        lenient: Whether to leave out a TFLite file that the model cannot have, and say so in the report.
    """

    source: str
    target: Target
    out: Path
    forms: tuple[str, ...] = FORMS
    data: Path | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    budget: Budget = field(default_factory=Budget)
    cases: int = 32
    simulated_cases: int = 4
    stream: bool = False
    lenient: bool = False


@dataclass
class _Work:
    """What the stages hand on to each other."""

    options: CompileOptions
    source: Source
    samples: Array
    recipe: QuantRecipe
    model: Quantized
    folder: Path
    progress: Progress
    clips: Array
    streaming: StreamedModel | None = None
    spikes: Sequence[LayerSpikes] = ()
    artifacts: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


def compile_model(options: CompileOptions, progress: Progress = lambda _: None) -> Mapping[str, object]:
    """Compile a model.

    Args:
        options: What to compile, to what.
        progress: Called with the name of each stage as it begins.

    Returns:
        The report, as written to `report.json`.

    Raises:
        EdgetxError: If anything is wrong with the model, data, target, toolchain or disk; `options.out` is untouched.
    """
    stream_options, kernels = parse_stream_options(stream_settings(options.settings)), spike_kernels(options.settings)
    progress("import")
    source = load_source(options.source, input_settings(options.settings))
    clips = samples = calibration_samples(source, options.data)
    recipe = overridden(default_recipe(source), options.settings)
    lmu, compared = choose_lmu_form(source.graph, samples, recipe, options.target, lmu_form(options.settings), progress)
    progress("quantize")
    model = integer_model(source.graph, samples, recipe, lmu, source.plan)
    streaming = None
    if options.stream:
        progress("stream")
        streaming = stream_model(model, stream_options, source.recipe)
        model, samples = streaming.model, streaming.hops(clips) if len(clips) else clips
    with replaced_folder(options.out.resolve(), marker=REPORT) as folder:
        work = _Work(options, source, samples, recipe, model, folder, progress, clips, streaming)
        _write_graphs(work)
        real = real_cases(Artifact(folder), samples)
        work.spikes = spike_statistics(model.graph, real, options.target.core, kernels)
        sources, firmware = _write_forms(work)
        report = {
            **_measure(work, sources, firmware),
            "lmu": lmu_report(lmu, compared),
            "spikes": spikes_report(model.graph, work.spikes),
            "left_out": dict(work.left_out),
        }
        options.budget.check(report)
        (folder / REPORT).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return report


def default_recipe(source: Source) -> QuantRecipe:
    """The quantization that the model's own recipe asks for."""
    if source.recipe is None:
        return QuantRecipe()
    return parse_recipe(source.recipe.quantization.recipe, source.recipe.quantization.calibration)


def calibration_samples(source: Source, data: Path | None) -> Array:
    """Calibration inputs: those that came with the model, else those of `data`.

    Raises:
        DataError: If the data is not inputs of the model.
    """
    if len(source.calibration) or data is None:
        return source.calibration
    from edgetx.compiler.data import model_data

    dataset = model_data(data, source.graph, source.recipe)
    return np.asarray(dataset.x if data.suffix == ".npz" else dataset.part("train").x)


def _write_graphs(work: _Work) -> None:
    graphs = work.folder / "graphs"
    graphs.mkdir()
    save_graph(work.model.float_graph, graphs / "float.npz")
    save_graph(work.model.graph, graphs / "integer.npz")
    if work.streaming is not None:
        save_graph(work.streaming.clip.graph, graphs / "clip.npz")
        save_graph(work.streaming.clip.float_graph, graphs / "float-clip.npz")
    plan = {"method": work.recipe.method, **work.model.plan.to_json()}
    (work.folder / "plan.json").write_text(json.dumps(plan, indent=2) + "\n", encoding="utf-8")
    if work.source.recipe is not None:
        shutil.copyfile(recipe_path(work.options.source), work.folder / "recipe.toml")
    target = json.dumps(asdict(work.options.target, dict_factory=_without_none), indent=2)
    (work.folder / "target.json").write_text(target + "\n", encoding="utf-8")


def _write_forms(work: _Work) -> tuple[CSources, Firmware | None]:
    forms, folder = work.options.forms, work.folder
    if "tflite" in forms:
        work.progress("TFLite")
        try:
            _write_tflite(work)
        except UnsupportedOpError as refusal:
            if not work.options.lenient:
                raise
            work.left_out["tflite"] = str(refusal)
    if "onnx" in forms:
        work.progress("ONNX")
        (folder / "model.onnx").write_bytes(write_onnx(work.model.graph))
        work.artifacts["onnx"] = "model.onnx"
    work.progress("C")
    events = [layer.layer for layer in work.spikes if layer.event_driven]
    sources = emit_c(work.model.graph, work.options.target.kernels, events)
    firmware = None
    if "c" in forms:
        write_c(sources, folder / "c")
        audio = write_frontend(work.source.recipe, work.model.graph.inputs[0].type, folder / "c")
        if work.streaming is not None:
            write_stream(work.streaming, work.source.recipe, folder / "c")
        (folder / LAYERS).write_text(layers_text(layers_of(sources)), encoding="utf-8")
        work.artifacts["c"] = "c"
        if work.options.target.kind == "mcu":
            work.progress("firmware")
            elf = folder / "firmware.elf"
            golden = _golden(work)
            firmware = build_firmware(folder / "c", work.options.target, elf, golden, audio=audio)
            work.artifacts["firmware"] = "firmware.elf"
            _write_board(work, golden, audio)
        else:
            work.progress("program")
            build_phone_program(folder / "c", work.options.target, folder / "program", _golden(work), audio=audio)
            work.artifacts["program"] = "program"
    return sources, firmware


def _write_tflite(work: _Work) -> None:
    folder = work.folder
    legal = quantize_for_tflite(work.model, work.samples, work.recipe, keep=work.streaming is not None)
    model = write_tflite(ExposeStates().run(legal) if states_as_inputs(work.options.settings) else legal)
    if legal is not work.model.graph:
        save_graph(legal, folder / "graphs" / "tflite.npz")
    (folder / "model.tflite").write_bytes(model)
    (folder / "tflite").mkdir()
    for name, text in micro_sources(model).items():
        (folder / "tflite" / name).write_text(text, encoding="utf-8")
    work.artifacts["tflite"] = "model.tflite"


def _write_board(work: _Work, golden: list[GoldenCase], audio: GoldenAudio) -> None:
    """What firmware projects need beside the C."""
    board, artifact = work.folder / "board", Artifact(work.folder)
    write_board(work.options.target, work.folder / "c", golden, audio, board)
    rows = json.loads(artifact.file(LAYERS).read_text(encoding="utf-8"))
    (board / "etx_layers.h").write_text(layers_header(rows), encoding="utf-8")
    if work.streaming is not None:
        if (work.folder / "c" / "stream.h").is_file():
            (board / "spotter_settings.h").write_text(STREAM_SPOTTER_HEADER, encoding="utf-8")
    elif can_listen(artifact):
        listener = make_listener(artifact)
        text = spotter_header(listener.settings, listener.recipe.data.classes, listener.frames, listener.step)
        (board / "spotter_settings.h").write_text(text, encoding="utf-8")


def _golden(work: _Work) -> list[GoldenCase]:
    """Cases that the image checks itself."""
    artifact = Artifact(work.folder)
    cases = make_cases(work.model.graph, real_cases(artifact, work.samples), GOLDEN_CASES)
    state = initial_state(work.model.graph)
    return [GoldenCase(_bytes(case), zlib.crc32(_bytes(execute(work.model.graph, case, state)))) for case in cases]


def real_cases(artifact: Artifact, samples: Array) -> list[Arrays]:
    """Real inputs, quantized."""
    return [artifact.quantized(inputs) for inputs in as_inputs(artifact.graph, samples)] if len(samples) else []


def _measure(work: _Work, sources: CSources, firmware: Firmware | None) -> Mapping[str, object]:
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
    report = build_report(work.source, options.target, work.artifacts, artifact, sources, firmware, measured)
    return report if work.streaming is None else {**report, "streaming": _streaming(work, artifact)}


def _streaming(work: _Work, artifact: Artifact) -> Mapping[str, object]:
    """How the stream compares with the clip model, and what its hops cost."""
    assert work.streaming is not None
    work.progress("compare with the clip model")
    clip = work.streaming.clip.graph
    real = [artifact.quantized(x) for x in as_inputs(clip, work.clips)] if len(work.clips) else []
    (cases,) = zip(*make_cases(clip, real, COMPARED_CLIPS), strict=True)
    equality = compare_with_clip(clip, work.streaming.streamed, np.concatenate(cases))
    if not (work.folder / "c" / "stream.h").is_file():
        return summary(work.streaming, equality, {})
    assert work.source.recipe is not None
    decision = {"decision": asdict(work.streaming.decision(work.source.recipe.data.classes))}
    if "firmware" not in work.artifacts or not is_installed("simulator"):
        return summary(work.streaming, equality, decision)
    work.progress("simulate hops")
    audio = continuous_audio(work.options.data, work.source.recipe)
    return summary(work.streaming, equality, {**decision, **profile_hops(artifact, work.streaming, audio)})


def _accuracy(work: _Work, artifact: Artifact) -> dict[str, float]:
    """Accuracy of the float and the integer graph, if the data is labelled."""
    data = work.options.data
    if data is None:
        return {}
    try:
        labelled = evaluation_data(artifact, data, limit=EVALUATED_INPUTS)
    except NoLabelsError:
        return {}
    return evaluate(artifact, labelled, ("float", "int"), lambda name: work.progress(f"evaluate {name}")).accuracy


def _without_none(items: Sequence[tuple[str, object]]) -> dict[str, object]:
    return {key: value for key, value in items if value is not None}


def _bytes(arrays: Arrays) -> bytes:
    return b"".join(array.tobytes() for array in arrays)
