"""Cycles of a compiled model on the simulated core, layer by layer."""

import json
from dataclasses import asdict
from typing import cast

from edgetx.backends.c import CSources
from edgetx.compiler.artifact import Artifact
from edgetx.ir import Arrays
from edgetx.ops import Op
from edgetx.profile import Layer
from edgetx.targets import Target

LAYERS = "layers.json"
Json = dict[str, object]


def layers_of(sources: CSources) -> list[Layer]:
    """The layers of generated C, in the order in which they run."""
    nodes = {node.name: node for node in sources.program.graph.nodes}
    ops = {name: cast(Op, node.op) for name, node in nodes.items()}
    return [Layer(symbol, name, ops[name].name, ops[name].cost(nodes[name]).macs) for symbol, name in sources.layers]


def layers_text(layers: list[Layer]) -> str:
    """Contents of `layers.json`."""
    return json.dumps([asdict(layer) for layer in layers], indent=2) + "\n"


def profile_artifact(artifact: Artifact, inputs: Arrays, target: Target | None = None) -> Json:
    """One invocation of the firmware on the simulated core.

    Args:
        artifact: A compiled folder with firmware.
        inputs: Quantized inputs of the invocation.
        target: The board, if it is another than that of the compilation.

    Returns:
        The profile, as `edgetx profile --json` prints it.

    Raises:
        ModelError: If the folder has no firmware.
        DeviceError: If the image faults.
    """
    from edgetx.runtimes.simulator import SimulatorRuntime

    runtime = SimulatorRuntime(target or artifact.target, artifact.file("firmware.elf"), artifact.graph, count=True)
    runtime.write(inputs)
    rows = json.loads(artifact.file(LAYERS).read_text(encoding="utf-8"))
    return runtime.profile([Layer(**row) for row in rows])
