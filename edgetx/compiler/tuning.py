"""The fastest forms of a model's layers, each built as firmware of its own and run in the cycle simulator."""

import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from edgetx.backends.c import emit_c, write_c
from edgetx.firmware import build_firmware
from edgetx.ir import Graph, Node
from edgetx.ops import KernelCall, Op
from edgetx.plan import Schedule, available_forms
from edgetx.plan.schedule import LayerShape, TunedLayer, read_schedule, schedule_text
from edgetx.targets import Target

WORTH = 1.01
"""A form that takes more memory than another must be faster by such a factor."""
TOO_SLOW = 1.5
"""A form that takes so many times the cycles of the best is no substitute for it where memory is short."""


@dataclass(frozen=True)
class MeasuredForm:
    """What a form of a layer takes: memory beside operands and results, cycles, code of the whole image."""

    form: str
    memory_bytes: int
    cycles: int
    code_bytes: int


def layers_to_tune(graphs: Iterable[Graph]) -> dict[LayerShape, Graph]:
    """The layers of integer graphs that have something to choose, each as a graph of its own."""
    found: dict[LayerShape, Graph] = {}
    for graph in graphs:
        for node in graph.nodes:
            op = cast(Op, node.op)
            shape = None if op.is_view else LayerShape.of(op.to_c(node))
            if shape is not None and shape not in found:
                found[shape] = _alone(graph, node)
    return found


def tune(
    graphs: Iterable[Graph],
    target: Target,
    source: str,
    progress: Callable[[str], None],
    unfinished: Path | None = None,
) -> Schedule:
    """Measure every form of every layer, and order them.

    Args:
        graphs: Integer graphs.
        target: The board.
        source: How the schedule can be found again.
        progress: Called with what is being measured.
        unfinished: File that keeps what was measured until everything is. What it holds of an interrupted call with the
            same target and source is not measured again.

    Raises:
        ToolchainError: If the firmware of a layer cannot be built.
        TargetError: If the file of an interrupted call is damaged.
        OSError: If that file cannot be written.
    """
    tuned = _measured_before(unfinished, target, source)
    known = {layer.shape for layer in tuned}
    layers = layers_to_tune(graphs)
    for index, (shape, graph) in enumerate(layers.items(), 1):
        if shape in known:
            continue
        progress(f"layer {index} of {len(layers)}: {shape.kernel} {shape.rows} × {shape.inputs} → {shape.outputs}")
        forms = worth_having(measured_forms(graph, target))
        columns = zip(*((m.form, m.cycles, m.code_bytes) for m in forms), strict=True)
        tuned.append(TunedLayer(shape.kernel, shape.rows, shape.inputs, shape.outputs, *columns))
        if unfinished is not None:
            _keep(Schedule(target.name, source, tuple(tuned)), unfinished)
    if unfinished is not None:
        unfinished.unlink(missing_ok=True)
    return Schedule(target.name, source, tuple(tuned))


def _keep(schedule: Schedule, path: Path) -> None:
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(schedule_text(schedule), encoding="utf-8")
    partial.replace(path)


def _measured_before(unfinished: Path | None, target: Target, source: str) -> list[TunedLayer]:
    if unfinished is None or not unfinished.is_file():
        return []
    schedule = read_schedule(unfinished)
    return list(schedule.layer) if (schedule.target, schedule.source) == (target.name, source) else []


def measured_forms(graph: Graph, target: Target) -> list[MeasuredForm]:
    """Every form of the only layer of an integer graph, measured with all the memory that it would like.

    Raises:
        ToolchainError: If its firmware cannot be built.
    """
    (node,) = graph.nodes
    call = cast(Op, node.op).to_c(node)
    data = [o if isinstance(o, np.ndarray) else graph.const(o) for o in call.operands]
    return [_measure(graph, form, target) for form, _ in available_forms(call, data, target.kernels)]


def worth_having(measured: Sequence[MeasuredForm]) -> list[MeasuredForm]:
    """The fastest form, then faster ones than all that take as little memory."""
    kept: list[MeasuredForm] = []
    for one in sorted(measured, key=lambda m: (m.memory_bytes, m.cycles)):
        if not kept or one.cycles * WORTH < kept[-1].cycles:
            kept.append(one)
    best = kept[-1].cycles
    return [one for one in reversed(kept) if one.cycles < TOO_SLOW * best]


def _alone(graph: Graph, node: Node) -> Graph:
    consts = {value.name: data for value in node.inputs if (data := graph.const(value)) is not None}
    inputs = tuple(value for value in dict.fromkeys(node.inputs) if value.name not in consts)
    return Graph("layer", inputs, node.outputs, (node,), consts)


def _measure(graph: Graph, form: KernelCall, target: Target) -> MeasuredForm:
    from edgetx.compiler.profiling import layers_of
    from edgetx.runtimes.simulator import SimulatorRuntime

    (node,) = graph.nodes
    shape = LayerShape.of(cast(Op, node.op).to_c(node))
    assert shape is not None
    only = TunedLayer(shape.kernel, shape.rows, shape.inputs, shape.outputs, (form.form,), (0,), (0,))
    sources = emit_c(graph, target.kernels, schedule=Schedule(layer=(only,)))
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        write_c(sources, Path(folder) / "c")
        firmware = build_firmware(Path(folder) / "c", target, Path(folder) / "firmware.elf", [])
        runtime = SimulatorRuntime(target, firmware.elf, graph, count=True)
        runtime.write([rng.integers(-128, 128, value.shape).astype(np.int8) for value in graph.inputs])
        cycles = cast(int, runtime.profile(layers_of(sources))["cycles"])
    return MeasuredForm(form.form, form.scratch_bytes, cycles, firmware.code_bytes)
