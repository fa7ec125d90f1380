"""`edgetx compile`: everything from a source to a folder of artifacts and its report, in the order it happens."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import numpy as np

from edgetx.compiler.artifact import REPORT, Artifact
from edgetx.compiler.heads import joined
from edgetx.compiler.lmu_forms import choose_lmu_form, lmu_report
from edgetx.compiler.measuring import measured_report
from edgetx.compiler.mixed import with_raised
from edgetx.compiler.pace import pace_of, pace_report
from edgetx.compiler.quantized import as_inputs, integer_model
from edgetx.compiler.settings import (
    given_plan,
    import_is_checked,
    input_settings,
    lmu_form,
    overridden,
    spike_kernels,
    stream_settings,
)
from edgetx.compiler.source import Source, load_source
from edgetx.compiler.source_check import CASES, SourceCheck, check_source
from edgetx.compiler.spikes import spike_statistics, spikes_report
from edgetx.compiler.streaming import for_calibration, parse_stream_options, stream_model
from edgetx.compiler.work import CompileOptions, Progress, Work, real_cases
from edgetx.compiler.writing import write_forms, write_graphs
from edgetx.errors import ConfigError
from edgetx.ir import Array, Arrays
from edgetx.output import replaced_folder
from edgetx.quant import QuantRecipe, parse_recipe, raised_in


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
    if options.stream and options.heads:
        raise ConfigError("several heads answer for clips, not hop by hop", where="--head", hint="leave out --stream")
    progress("import")
    source, heads = joined(
        load_source(options.source, input_settings(options.settings)), [load_source(head) for head in options.heads]
    )
    clips = samples = calibration_samples(source, options.data)
    checked = checked_import(options, source, samples)
    recipe = overridden(default_recipe(source), options.settings)
    streamed = partial(for_calibration, options=stream_options) if options.stream else None
    lmu, compared = choose_lmu_form(
        source.graph, samples, recipe, options.target, lmu_form(options.settings), progress,
        lambda clip: stream_model(clip, stream_options, source.recipe).model if options.stream else clip, streamed,
    )  # fmt: skip
    progress("quantize")
    plan, mixed = given_plan(options.settings) or source.plan, None
    if plan is None:
        recipe, mixed = with_raised(source.graph, samples, recipe, options.target, lmu, progress, streamed)
    model = integer_model(source.graph, samples, recipe, lmu, plan, streamed)
    if plan is not None:
        recipe = replace(recipe, raised=raised_in(model.plan, model.float_graph, recipe))
    streaming = None
    if options.stream:
        progress("stream")
        streaming = stream_model(model, stream_options, source.recipe)
        model, samples = streaming.model, streaming.hops(clips) if len(clips) else clips
    with replaced_folder(options.out.resolve(), marker=REPORT) as folder:
        pace = pace_of(model.graph, source.recipe, stream_options, streaming)
        work = Work(options, source, samples, recipe, model, folder, progress, clips, streaming, pace)
        write_graphs(work)
        real = real_cases(Artifact(folder), samples)
        work.spikes = spike_statistics(model.graph, real, options.target.core, kernels)
        sources, firmware = write_forms(work)
        report = {
            **measured_report(work, sources, firmware),
            "listening": pace_report(pace),
            "lmu": lmu_report(lmu, compared, "hop" if options.stream else "clip"),
            "spikes": spikes_report(model.graph, work.spikes),
            "heads": [asdict(head) for head in heads],
            "mixed": mixed.to_json() if mixed else None,
            "left_out": dict(work.left_out),
            "import": None if checked is None else asdict(checked),
            "notes": list(source.notes),
        }
        if options.enforce:
            options.budget.check(report)
        (folder / REPORT).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return report


def checked_import(options: CompileOptions, source: Source, samples: Array) -> SourceCheck | None:
    """How the imported graph compares with the runtime of its file, if that is installed.

    Raises:
        ModelError: If it computes something else.
    """
    if not import_is_checked(options.settings):
        return None
    real: list[Arrays] = []
    if len(samples) and source.graph.inputs[0].type.is_float:
        real = as_inputs(source.graph, samples, CASES)
    return check_source(Path(options.source), source, input_settings(options.settings), real)


def default_recipe(source: Source) -> QuantRecipe:
    """The quantization that the model's own recipe asks for."""
    if source.recipe is None:
        return QuantRecipe()
    settings = source.recipe.quantization
    return parse_recipe(settings.recipe, settings.calibration, settings.extra_cycles)


def calibration_samples(source: Source, data: Path | None) -> Array:
    """Calibration inputs: those that came with the model, else those of `data`.

    Raises:
        DataError: If the data is not inputs of the model.
    """
    if len(source.calibration) or data is None:
        return source.calibration
    from edgetx.compiler.data import inputs_end_to_end, model_data

    if len(source.graph.inputs) > 1 and data.suffix == ".npz":
        return inputs_end_to_end(data, source.graph)
    dataset = model_data(data, source.graph, source.recipe)
    return np.asarray(dataset.x if data.suffix == ".npz" else dataset.part("train").x)
