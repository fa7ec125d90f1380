"""Run firmware on the simulated core and report what it costs, as the JSON of a profile."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgetx.errors import DeviceError
from edgetx.profile.attribution import Snapshot, Span, take_snapshot
from edgetx.profile.layer import Layer
from edgetx.profile.lines import LineTable
from edgetx.profile.simulator import Simulator
from edgetx.profile.trace.tracer import Tracer
from edgetx.profile.validation import validation_of
from edgetx.targets import Target

Json = dict[str, object]
SHOWN_FUNCTIONS, SHOWN_LINES = 200, 400


@dataclass(frozen=True)
class Profile:
    """What a stretch of execution cost.

    Attributes:
        report: The JSON that `edgetx profile --json` prints.
        span: What it was computed from.
    """

    report: Json
    span: Span
    exit_status: int | None = None


def profile_artifact(artifact: Path, target: Target, base: int | None = None, function: str | None = None) -> Profile:
    """Profile a compiled folder, layer by layer, or a firmware image.

    Args:
        artifact: A folder that `edgetx compile` wrote, or an ELF, Intel HEX or raw image.
        target: The board.
        base: Address of a raw image.
        function: What to call; by default `edgetx_invoke` if the image has it, else the whole program runs.

    Raises:
        DeviceError: If the image faults, hangs or is not for this target.
    """
    if not artifact.is_dir():
        return _profile_image(target, artifact, (), base, function)
    image = artifact / "firmware.elf"
    if not image.exists():
        raise DeviceError("the folder has no firmware.elf", where=str(artifact), hint="compile with --to c")
    rows = artifact / "layers.json"
    layers = [Layer(**row) for row in json.loads(rows.read_text(encoding="utf-8"))] if rows.exists() else []
    return _profile_image(target, image, layers, None, function)


def profile_firmware(target: Target, image: Path, layers: Sequence[Layer] = (), base: int | None = None) -> Json:
    """Profile a firmware image: its `edgetx_invoke` if it has one, else all of it until it ends.

    Args:
        target: The board.
        image: ELF, Intel HEX or raw binary.
        layers: Functions to report as layers.
        base: Address of a raw image.

    Raises:
        DeviceError: If the image faults, hangs or is not for this target.
    """
    return _profile_image(target, image, layers, base, None).report


def _profile_image(
    target: Target, image: Path, layers: Sequence[Layer], base: int | None, function: str | None
) -> Profile:
    sim = Simulator(target, image, base)
    entry = function or ("edgetx_invoke" if sim.image.has_symbol("edgetx_invoke") else None)
    if entry is None:
        return profile_run(sim, sim.run, layers)
    address = sim.symbol(entry)
    if sim.image.has_symbol("edgetx_reset"):
        sim.call(sim.symbol("edgetx_reset"))
    return profile_run(sim, lambda: sim.call(address), layers)


def profile_run(sim: Simulator, run: Callable[[], object], layers: Sequence[Layer] = ()) -> Profile:
    """Profile whatever `run` makes the simulator do.

    Raises:
        DeviceError: If the simulator does not count, or the firmware fails.
    """
    tracer = sim.tracer
    if tracer is None:
        raise DeviceError("this simulator does not count cycles", hint="Simulator(..., count=True)")
    stack = sim.emulator.register("sp")
    tracer.engine.lowest_stack = stack
    watch = _LayerWatch(sim, tracer, layers)
    before = take_snapshot(tracer)
    watch.run(run)
    span = Span(tracer, sim.image, before, take_snapshot(tracer))
    report = _report(sim, span, stack - tracer.engine.lowest_stack, watch.rows())
    return Profile(report, span, sim.exit_status)


def _report(sim: Simulator, span: Span, stack_bytes: int, layers: list[Json]) -> Json:
    target = sim.target
    energy = target.energy_pj_per_cycle
    return {
        "schema": 1,
        "target": target.name,
        "core": target.core,
        "clock_hz": target.clock_hz,
        "engine": "simulate",
        "cycles": span.cycles,
        "instructions": span.instructions,
        "latency_us": span.cycles / target.clock_hz * 1e6,
        "energy_uj": None if energy is None else span.cycles * energy * 1e-6,
        "validation": validation_of(target.core),
        "stack_bytes": stack_bytes,
        "stalls": span.stalls(),
        "memory": _memory(target, span),
        "layers": layers,
        "functions": _functions(span),
        "lines": _lines(sim.image.path, span),
    }


def _functions(span: Span) -> list[Json]:
    return [
        {
            "name": f.name,
            "cycles": f.cycles,
            "instructions": f.instructions,
            "total_cycles": f.total_cycles,
            "calls": f.calls,
        }
        for f in span.functions()[:SHOWN_FUNCTIONS]
    ]


def _memory(target: Target, span: Span) -> list[Json]:
    totals: dict[str, list[int]] = {name: [0, 0] for name in target.memory}
    for base, (read, written) in span.bytes_by_region().items():
        for name, region in target.memory.items():
            starts = (region.base_address, *region.aliases)
            if any(start <= base < start + region.size_bytes for start in starts):
                totals[name][0] += read
                totals[name][1] += written
    return [{"region": n, "read_bytes": r, "written_bytes": w} for n, (r, w) in totals.items() if r or w]


def _lines(image: Path, span: Span) -> list[Json]:
    table = LineTable(image)
    if not table:
        return []
    cycles: Counter[tuple[str, int]] = Counter()
    for address, spent in span.instruction_cycles().items():
        if line := table.at(address):
            cycles[line] += spent
    return [{"file": f, "line": n, "cycles": c} for (f, n), c in cycles.most_common(SHOWN_LINES)]


class _LayerWatch:
    """Stops at the entry of each layer, so that what it costs can be told from what the others cost."""

    def __init__(self, sim: Simulator, tracer: Tracer, layers: Sequence[Layer]) -> None:
        self._sim, self._tracer = sim, tracer
        self._layers = {sim.symbol(layer.symbol): layer for layer in layers}
        self._marks: list[tuple[Layer | None, Snapshot]] = []

    def run(self, run: Callable[[], object]) -> None:
        with self._sim.watching(self._layers, self._enter):
            run()
        self._mark(None)

    def rows(self) -> list[Json]:
        spans = zip(self._marks, self._marks[1:], strict=False)
        return [self._row(layer, before, after) for (layer, before), (_, after) in spans if layer]

    def _enter(self, address: int) -> None:
        self._mark(self._layers[address])

    def _mark(self, layer: Layer | None) -> None:
        self._marks.append((layer, take_snapshot(self._tracer)))

    def _row(self, layer: Layer, before: Snapshot, after: Snapshot) -> Json:
        span = Span(self._tracer, self._sim.image, before, after)
        return {
            "name": layer.name,
            "op": layer.op,
            "cycles": span.cycles,
            "instructions": span.instructions,
            "macs": layer.macs,
            "stalls": span.stalls(),
        }
