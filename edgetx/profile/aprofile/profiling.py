"""Profile the program of a phone on its simulated core, as the JSON of a profile."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from edgetx.errors import DeviceError, TargetError
from edgetx.profile.aprofile.counter import BlockCounter, Node
from edgetx.profile.aprofile.parameters import load_application_core
from edgetx.profile.aprofile.process import Process
from edgetx.profile.image import Image
from edgetx.profile.layer import Layer
from edgetx.profile.lines import LineTable
from edgetx.targets import Target

Json = dict[str, object]
SHOWN_LINES = 400


def profile_phone(artifact: Path, target: Target, function: str | None = None) -> Json:
    """Profile one call of a function on the simulated core, after one that warms caches and branch prediction.

    Args:
        artifact: A folder that `edgetx compile` wrote for a phone, or a static program for 64-bit Arm Linux.
        target: The phone.
        function: What to call; by default the model.

    Raises:
        DeviceError: If the program faults, or is not for 64-bit Arm Linux.
        TargetError: If there is no timing model of the core.
    """
    if target.kind != "phone":
        raise TargetError(f"programs are not for a {target.kind}", where=target.name)
    program = artifact / "program" if artifact.is_dir() else artifact
    if not program.exists():
        raise DeviceError("the folder has no program", where=str(artifact), hint="compile for a phone with --to c")
    rows = artifact / "layers.json"
    layers = [Layer(**row) for row in json.loads(rows.read_text(encoding="utf-8"))] if rows.exists() else []
    core = load_application_core(target.core)
    process = Process(program)
    entry = process.image.symbol(function or "edgetx_invoke").address
    is_model = process.image.has_symbol("edgetx_reset")
    process.start("edgetx_reset" if is_model else "main")
    counter = BlockCounter(process, core, target)
    counter.layer_addresses = frozenset(process.image.symbol(layer.symbol).address for layer in layers)
    process.watch(counter.on_block, counter.on_access)
    for _ in range(2):
        if is_model:
            process.call(process.image.symbol("edgetx_reset").address)
        counter.begin()
        process.call(entry)
    counter.mark(0)
    counter.finish()
    return _report(target, core.basis, process.image, counter, layers)


def _report(target: Target, basis: str, image: Image, counter: BlockCounter, layers: Sequence[Layer]) -> Json:
    totals = counter.totals()
    instructions = totals.pop("instructions")
    return {
        "schema": 1,
        "target": target.name,
        "core": target.core,
        "clock_hz": target.clock_hz,
        "engine": "simulate",
        "cycles": counter.cycles,
        "instructions": instructions,
        "latency_us": counter.cycles / target.clock_hz * 1e6,
        "energy_uj": None,
        "validation": {"cases": 0, "mape": None, "worst": None, "source": basis},
        "stack_bytes": counter.stack_at_begin - counter.lowest_stack,
        "stalls": _causes(totals),
        "memory": [{"region": "data", "read_bytes": counter.traffic[0], "written_bytes": counter.traffic[1]}],
        "layers": list(_layers(counter, layers, image)),
        "functions": _functions(counter, image),
        "lines": _lines(counter, image),
    }


def _causes(totals: Counter[str]) -> dict[str, int]:
    return {cause: cycles for cause, cycles in totals.most_common() if cycles and cause != "instructions"}


def _layers(counter: BlockCounter, layers: Sequence[Layer], image: Image) -> Iterator[Json]:
    by_address = {image.symbol(layer.symbol).address: layer for layer in layers}
    for (address, begin, before), (_, end, after) in zip(counter.layers, counter.layers[1:], strict=False):
        layer, spent = by_address[address], after - before
        yield {
            "name": layer.name,
            "op": layer.op,
            "cycles": end - begin,
            "instructions": spent["instructions"],
            "macs": layer.macs,
            "stalls": _causes(spent),
        }


def _functions(counter: BlockCounter, image: Image) -> list[Json]:
    cycles: Counter[str] = Counter()
    executed: Counter[str] = Counter()
    for node in _executed(counter):
        name = _function_name(image, node.address)
        cycles[name] += node.count * node.cycles + node.late + node.surprises
        executed[name] += node.count * len(node.block)
    called = {_function_name(image, address): calls for address, calls in counter.functions.items()}
    return [
        {
            "name": name,
            "cycles": spent,
            "instructions": executed[name],
            "total_cycles": called[name].cycles if name in called else spent,
            "calls": called[name].calls if name in called else 0,
        }
        for name, spent in cycles.most_common()
    ]


def _lines(counter: BlockCounter, image: Image) -> list[Json]:
    table = LineTable(image.path)
    cycles: Counter[tuple[str, int]] = Counter()
    for node in _executed(counter):
        for instruction, spent in zip(node.block, node.timing.cycles, strict=True):
            if table and (line := table.at(instruction.address)):
                extra = node.late + node.surprises if instruction is node.block[0] else 0
                cycles[line] += node.count * spent + extra
    return [{"file": f, "line": n, "cycles": c} for (f, n), c in cycles.most_common(SHOWN_LINES)]


def _executed(counter: BlockCounter) -> Iterator[Node]:
    return (node for node in counter.nodes.values() if node.count)


def _function_name(image: Image, address: int) -> str:
    found = image.function_at(address)
    return found.name if found else f"0x{address:x}"
