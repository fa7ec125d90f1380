"""A compiled model on a real device: outputs against the host's, cycles of each layer against the simulator's."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict

import numpy as np

from edgetx.compiler.artifact import Artifact, is_installed
from edgetx.compiler.profiling import LAYERS, profile_artifact
from edgetx.compiler.verification import make_cases, outputs_of
from edgetx.device import COUNTERS, DeviceClient, Hello
from edgetx.errors import DeviceError
from edgetx.firmware import image_id
from edgetx.flash.identity import check_core
from edgetx.ir import Array, Arrays, TensorType
from edgetx.profile import Layer
from edgetx.profile.validation import validation_of
from edgetx.runtimes.reference import ReferenceRuntime
from edgetx.targets import Target

Json = dict[str, object]
Progress = Callable[[str], None]
CASES = 4


class DeviceRuntime:
    """The model as a device runs it."""

    name = "device"

    def __init__(self, client: DeviceClient, artifact: Artifact, target: Target) -> None:
        self._client, self._graph = client, artifact.graph
        self.hello = client.hello()
        _check(self.hello, artifact, target)

    def reset(self) -> None:
        """Bring the state back to where it was at the start."""
        self._client.reset()

    def run(self, inputs: Sequence[Array]) -> Arrays:
        """One invocation."""
        for index, (value, data) in enumerate(zip(self._graph.inputs, inputs, strict=True)):
            self._client.write(index, np.asarray(data, value.type.dtype).tobytes())
        self._client.run()
        return tuple(self._read(index, value.type) for index, value in enumerate(self._graph.outputs))

    def layer_cycles(self) -> list[int]:
        """Cycles of each layer in the last invocation."""
        return self._client.cycles(self.hello.layers)

    def _read(self, index: int, type_: TensorType) -> Array:
        raw = self._client.read(index, type_.nbytes)
        return np.frombuffer(raw, type_.dtype).reshape(type_.shape).copy()


def profile_on_device(
    artifact: Artifact, target: Target, client: DeviceClient, progress: Progress = lambda _: None
) -> Json:
    """Run a compiled model on a device.

    Args:
        artifact: A compiled folder; the device runs its firmware.
        target: The board.
        client: The device.
        progress: Called with each step as it begins.

    Returns:
        A profile as `edgetx profile --json` prints it. Each layer has the device's `cycles`, and `simulated_cycles`
        and their relative `error` if the image can be simulated; `comparison` holds outputs against the host's.

    Raises:
        DeviceError: If the device does not answer, or holds another image, or its outputs are not the host's.
    """
    progress("ask the device what it is")
    runtime = DeviceRuntime(client, artifact, target)
    cases = make_cases(artifact.graph, (), CASES)
    progress("run on the device")
    found, cycles = [], []
    for case in cases:
        runtime.reset()
        found.append(runtime.run(case))
        cycles.append(runtime.layer_cycles())
    expected = outputs_of(ReferenceRuntime(artifact.graph), cases)
    different = sum(_differ(a, b) for a, b in zip(expected, found, strict=True))
    if different:
        what = f"the outputs of {different} of {CASES} cases are not those of the host"
        raise DeviceError(what, where=target.name, hint="please report this model")
    rows = [Layer(**row) for row in json.loads(artifact.file(LAYERS).read_text(encoding="utf-8"))]
    layers: list[Json] = [_row(layer, spent) for layer, spent in zip(rows, cycles[0], strict=True)]
    if target.kind == "mcu" and is_installed("simulator"):
        progress("simulate")
        _add_simulated(layers, profile_artifact(artifact, cases[0], target))
    return _report(runtime.hello, target, layers, cycles)


def _add_simulated(layers: list[Json], simulated: Json) -> None:
    rows = simulated["layers"]
    assert isinstance(rows, list)
    for row, other in zip(layers, rows, strict=True):
        measured, modelled = row["cycles"], other["cycles"]
        assert isinstance(measured, int)
        row["simulated_cycles"] = modelled
        row["error"] = modelled / measured - 1 if measured else None
        row["instructions"] = other["instructions"]


def _row(layer: Layer, cycles: int) -> Json:
    row = asdict(layer)
    del row["symbol"]
    return {**row, "cycles": cycles, "instructions": None}


def _report(hello: Hello, target: Target, layers: list[Json], cycles: list[list[int]]) -> Json:
    total = sum(cycles[0])
    simulated = [row["simulated_cycles"] for row in layers if "simulated_cycles" in row]
    modelled = sum(c for c in simulated if isinstance(c, int)) if simulated else None
    totals = [sum(case) for case in cycles]
    return {
        "schema": 1,
        "target": target.name,
        "core": target.core,
        "clock_hz": hello.clock_hz,
        "engine": "device",
        "counter": COUNTERS.get(hello.counter, "unknown"),
        "cycles": total,
        "instructions": None,
        "latency_us": total / hello.clock_hz * 1e6,
        "energy_uj": None,
        "simulated_cycles": modelled,
        "error": modelled / total - 1 if modelled is not None and total else None,
        "comparison": {"cases": len(cycles), "mismatches": 0, "least_cycles": min(totals), "most_cycles": max(totals)},
        "validation": validation_of(target.core),
        "image_id": hello.image_id,
        "layers": layers,
        "functions": [],
    }


def _check(hello: Hello, artifact: Artifact, target: Target) -> None:
    """The device is of the right kind, and holds this model."""
    where = target.name
    if target.kind == "mcu":
        check_core(target, hello.cpuid, where)
    if hello.image_id != image_id(artifact.file("c")):
        hint = "edgetx flash OUT --target T"
        raise DeviceError("the device runs the firmware of another model or another build", where=where, hint=hint)
    graph = artifact.graph
    if (hello.inputs, hello.outputs) != (len(graph.inputs), len(graph.outputs)):
        raise DeviceError("the device's model has other inputs or outputs", where=where, hint="flash it anew")


def _differ(expected: Arrays, found: Arrays) -> bool:
    return any(not np.array_equal(a, b) for a, b in zip(expected, found, strict=True))
