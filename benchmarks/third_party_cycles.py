"""Real models from elsewhere on the four cores: cycles of an invocation, and what most of them go into.

python benchmarks/third_party_cycles.py > benchmarks/results/third_party_cycles.md
"""

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np

from edgetx.backends.c import emit_c, write_c
from edgetx.errors import EdgetxError
from edgetx.firmware import build_firmware
from edgetx.ir import Graph
from edgetx.ops import Op
from edgetx.plan import load_schedule
from edgetx.profile import Simulator
from edgetx.profile.profiling import profile_run
from edgetx.reference import execute, initial_state
from edgetx.targets import Target, load_target

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests" / "frontends"))

import third_party

BOARDS = ("nucleo-l4r5zi", "nucleo-u575zi", "nucleo-h7a3zi", "nucleo-g0b1re")
ROOM = 1 << 24


def roomy(target: Target) -> Target:
    """The board with memory for any model."""
    return replace(target, memory={n: replace(m, size_bytes=max(m.size_bytes, ROOM)) for n, m in target.memory.items()})


def invoke(graph: Graph, target: Target, folder: Path) -> tuple[int, str]:
    """Cycles of an invocation, whose results are compared with the reference, and the kernel with the largest share."""
    rng = np.random.default_rng(2)
    inputs = [rng.integers(-100, 100, v.shape).astype(v.type.dtype) for v in graph.inputs]
    write_c(emit_c(graph, target.kernels, schedule=load_schedule(target)), folder / "c")
    sim = Simulator(target, build_firmware(folder / "c", target, folder / "firmware.elf", []).elf)
    if graph.states:
        sim.call(sim.symbol("edgetx_reset"))
    for index, x in enumerate(inputs):
        sim.write(sim.call(sim.symbol("edgetx_input"), index), x.tobytes())
    span = profile_run(sim, lambda: sim.call(sim.symbol("edgetx_invoke"))).span
    for index, expected in enumerate(execute(graph, inputs, initial_state(graph))):
        assert sim.read(sim.call(sim.symbol("edgetx_output"), index), expected.nbytes) == expected.tobytes()
    most = max(span.functions(), key=lambda function: function.cycles)
    return span.cycles, f"{most.name.removeprefix('etx_')} {most.cycles / span.cycles:.0%}"


def row(path: Path, graph: Graph, targets: Sequence[Target]) -> str:
    macs = sum(cast(Op, node.op).cost(node).macs for node in graph.nodes)
    with tempfile.TemporaryDirectory() as folder:
        found = [invoke(graph, target, Path(folder, target.name)) for target in targets]
    cells = " | ".join(f"{cycles / 1000:,.0f} ({cycles / max(macs, 1):.2f})" for cycles, _ in found)
    return f"| `{path.name}` | {macs / 1000:,.0f} | {cells} | {found[0][1]} |"


def main() -> None:
    targets = [roomy(load_target(name)) for name in BOARDS]
    cores = [target.core for target in targets]
    print(f"# Real models from elsewhere\n\n{__doc__}")
    print("Thousands of cycles, and cycles per MAC; boards have as much memory as a model takes. Results are compared")
    print("with the integer graph, bit for bit.\n")
    print(f"| model | 1000 MACs | {' | '.join(cores)} | most on {cores[0]} |\n|---|--:|{'--:|' * len(cores)}---|")
    for path in third_party.model_files():
        try:
            graph = third_party.compiled(path).graph
        except EdgetxError:
            continue
        print(row(path, graph, targets), flush=True)


if __name__ == "__main__":
    main()
