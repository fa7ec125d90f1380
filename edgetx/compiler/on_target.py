"""An integer graph as firmware of its own: cycles by layer, flash and RAM, before anything is written for the user."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgetx.backends.c import emit_c, write_c
from edgetx.compiler.artifact import is_installed
from edgetx.compiler.profiling import layers_of
from edgetx.firmware import build_firmware
from edgetx.fixedpoint import quantize
from edgetx.ir import Arrays, Graph
from edgetx.plan import load_schedule
from edgetx.targets import Target


def built_and_simulated(
    graph: Graph, inputs: Arrays, target: Target
) -> tuple[Mapping[str, Any] | None, int | None, int | None]:
    """Profile, flash and RAM; None where there is no firmware or no simulator.

    Args:
        graph: An integer graph.
        inputs: Real numbers, one array per input of the graph.
        target: The board or phone.

    Raises:
        ToolchainError: If the firmware cannot be built.
    """
    if target.kind != "mcu":
        return None, None, None
    sources = emit_c(graph, target.kernels, schedule=load_schedule(target))
    with tempfile.TemporaryDirectory() as folder:
        write_c(sources, Path(folder) / "c")
        firmware = build_firmware(Path(folder) / "c", target, Path(folder) / "firmware.elf", [])
        if not is_installed("simulator"):
            return None, firmware.flash_bytes, firmware.ram_bytes
        from edgetx.runtimes.simulator import SimulatorRuntime

        runtime = SimulatorRuntime(target, firmware.elf, graph, count=True)
        types = (value.type for value in graph.inputs)
        runtime.write([quantize(x, t.scale, t.zero_point, t.dtype) for x, t in zip(inputs, types, strict=True)])
        profile = runtime.profile(layers_of(sources))
    return profile, firmware.flash_bytes, firmware.ram_bytes
