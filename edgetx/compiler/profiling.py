"""Cycles of a compiled model on the simulated core, layer by layer."""

import json
from dataclasses import asdict, dataclass
from typing import cast

from edgetx.backends.c import CSources
from edgetx.compiler.artifact import Artifact
from edgetx.ir import Arrays
from edgetx.ops import Op
from edgetx.runtimes.simulator import SimulatorRuntime

LAYERS = "layers.json"
Json = dict[str, object]


@dataclass(frozen=True)
class Layer:
    """A layer as the firmware holds it.

    Attributes:
        symbol: Its function.
        name: The node it computes.
        op: Name of the op.
        macs: Multiply-accumulates of one invocation.
    """

    symbol: str
    name: str
    op: str
    macs: int


def layers_of(sources: CSources) -> list[Layer]:
    """The layers of generated C, in the order in which they run."""
    nodes = {node.name: node for node in sources.program.graph.nodes}
    ops = {name: cast(Op, node.op) for name, node in nodes.items()}
    return [Layer(symbol, name, ops[name].name, ops[name].cost(nodes[name]).macs) for symbol, name in sources.layers]


def layers_text(layers: list[Layer]) -> str:
    """Contents of `layers.json`."""
    return json.dumps([asdict(layer) for layer in layers], indent=2) + "\n"


def profile_artifact(artifact: Artifact, inputs: Arrays) -> Json:
    """One invocation of the firmware on the simulated core.

    Args:
        artifact: A compiled folder with firmware.
        inputs: Quantized inputs of the invocation.

    Returns:
        The profile, as `edgetx profile --json` prints it.

    Raises:
        ModelError: If the folder has no firmware.
        DeviceError: If the image faults.
    """
    target = artifact.target
    runtime = SimulatorRuntime(target, artifact.file("firmware.elf"), artifact.graph, count=True)
    runtime.write(inputs)
    cycles, instructions = runtime.measure("edgetx_invoke")
    runtime.write(inputs)
    layers = []
    for layer in json.loads(artifact.file(LAYERS).read_text(encoding="utf-8")):
        spent = runtime.measure(layer.pop("symbol"))
        layers.append({**layer, "cycles": spent[0], "instructions": spent[1]})
    energy = target.energy_pj_per_cycle
    return {
        "schema": 1,
        "target": target.name,
        "core": target.core,
        "clock_hz": target.clock_hz,
        "engine": "simulate",
        "cycles": cycles,
        "instructions": instructions,
        "latency_us": cycles / target.clock_hz * 1e6,
        "energy_uj": None if energy is None else cycles * energy * 1e-6,
        "validation": {"cases": 0, "mape": None, "worst": None, "source": None},
        "layers": layers,
        "functions": [],
    }
