"""The files of an artifact: graphs, output forms, firmware, and what projects around it need."""

import json
import shutil
import zlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from edgetx.backends.c import CSources, emit_c, write_c
from edgetx.backends.onnx import write_onnx
from edgetx.backends.tflite import micro_sources, write_tflite
from edgetx.compiler.artifact import Artifact
from edgetx.compiler.board import layers_header, write_board
from edgetx.compiler.frontend import write_frontend
from edgetx.compiler.pace import write_stream
from edgetx.compiler.profiling import LAYERS, layers_of, layers_text
from edgetx.compiler.quantized import quantize_for_tflite
from edgetx.compiler.settings import kernel_schedule, states_as_inputs
from edgetx.compiler.verification import make_cases
from edgetx.compiler.work import Work, real_cases
from edgetx.errors import UnsupportedOpError
from edgetx.firmware import Firmware, GoldenAudio, GoldenCase, build_firmware
from edgetx.firmware.phone import build_phone_program
from edgetx.ir import Arrays
from edgetx.ir.serialize import save_graph
from edgetx.passes.expose_states import ExposeStates
from edgetx.recipe import recipe_path
from edgetx.reference import execute, initial_state

GOLDEN_CASES = 2


def write_graphs(work: Work) -> None:
    """Write the graphs, the plan, and copies of recipe and target."""
    graphs = work.folder / "graphs"
    graphs.mkdir()
    save_graph(work.model.float_graph, graphs / "float.npz")
    save_graph(work.model.graph, graphs / "integer.npz")
    if work.streaming is not None:
        save_graph(work.streaming.clip.graph, graphs / "clip.npz")
        save_graph(work.streaming.clip.float_graph, graphs / "float-clip.npz")
    (work.folder / "plan.json").write_text(json.dumps(work.model.plan.to_json(), indent=2) + "\n", encoding="utf-8")
    if work.source.recipe is not None:
        shutil.copyfile(recipe_path(work.options.source), work.folder / "recipe.toml")
    target = json.dumps(asdict(work.options.target, dict_factory=_without_none), indent=2)
    (work.folder / "target.json").write_text(target + "\n", encoding="utf-8")


def write_forms(work: Work) -> tuple[CSources, Firmware | None]:
    """Write the output forms that were asked for; returns the C, written or not, and the firmware if it was built."""
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
    schedule = kernel_schedule(work.options.settings, work.options.target)
    sources = emit_c(work.model.graph, work.options.target.kernels, events, schedule=schedule)
    firmware = None
    if "c" in forms:
        _write_model(sources, folder)
        audio = write_frontend(
            work.source.recipe, work.model.graph.inputs[0].type, work.options.target.kernels, folder / "c"
        )
        if work.pace is not None and work.source.recipe is not None:
            write_stream(work.pace, work.model.graph, work.source.recipe, work.streaming, folder / "c")
        work.artifacts["c"] = "c"
        if work.options.target.kind == "mcu":
            work.progress("firmware")
            golden = _golden(work)
            firmware = _built(work, golden, audio)
            room = work.options.budget.ram_bytes
            if room is not None and firmware.ram_bytes > room:
                most = sources.program.arena.nbytes + room - firmware.ram_bytes
                larger, sources = (
                    sources,
                    emit_c(work.model.graph, work.options.target.kernels, events, arena_bytes=most, schedule=schedule),
                )
                for name in larger.files.keys() - sources.files.keys():
                    (folder / "c" / name).unlink()
                _write_model(sources, folder)
                firmware = _built(work, golden, audio)
            work.artifacts["firmware"] = "firmware.elf"
            _write_board(work, golden, audio)
        elif work.options.target.kind == "phone":
            work.progress("program")
            build_phone_program(folder / "c", work.options.target, folder / "program", _golden(work), audio=audio)
            work.artifacts["program"] = "program"
    return sources, firmware


def _write_model(sources: CSources, folder: Path) -> None:
    write_c(sources, folder / "c")
    (folder / LAYERS).write_text(layers_text(layers_of(sources)), encoding="utf-8")


def _built(work: Work, golden: list[GoldenCase], audio: GoldenAudio) -> Firmware:
    return build_firmware(work.folder / "c", work.options.target, work.folder / "firmware.elf", golden, audio=audio)


def _write_tflite(work: Work) -> None:
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


def _write_board(work: Work, golden: list[GoldenCase], audio: GoldenAudio) -> None:
    """What firmware projects need beside the C."""
    board, artifact = work.folder / "board", Artifact(work.folder)
    write_board(work.options.target, work.folder / "c", golden, audio, board)
    rows = json.loads(artifact.file(LAYERS).read_text(encoding="utf-8"))
    (board / "etx_layers.h").write_text(layers_header(rows), encoding="utf-8")


def _golden(work: Work) -> list[GoldenCase]:
    """Cases that the image checks itself."""
    artifact = Artifact(work.folder)
    cases = make_cases(work.model.graph, real_cases(artifact, work.samples), GOLDEN_CASES)
    state = initial_state(work.model.graph)
    return [GoldenCase(_bytes(case), zlib.crc32(_bytes(execute(work.model.graph, case, state)))) for case in cases]


def _without_none(items: Sequence[tuple[str, object]]) -> dict[str, object]:
    return {key: value for key, value in items if value is not None}


def _bytes(arrays: Arrays) -> bytes:
    return b"".join(array.tobytes() for array in arrays)
