"""Cycles of the NEON kernels on simulated phones, each as a model of one layer in a program for 64-bit Arm Linux.

python benchmarks/neon_kernels.py > benchmarks/results/neon_kernels.md
"""

import tempfile
from pathlib import Path

from kernels import NETWORKS, Network, quantized

from edgetx.backends.c import emit_c, write_c
from edgetx.firmware.phone import build_phone_program
from edgetx.ir import Graph
from edgetx.profile.aprofile.profiling import profile_phone
from edgetx.targets import Target, load_target

PHONES = ("phone-cortex-a53", "phone-cortex-a55", "phone-cortex-a76")
MATMULS = ((64, 1024, 64), (64, 256, 64), (16, 256, 64), (1, 256, 64))
SHOWN = ("conv 3 × 3, 16 → 16", "conv 1 × 1, 64 → 64", "attention, 48 tokens, 2 heads of 16", "DS-CNN")


def dense(rows: int, inputs: int, outputs: int) -> tuple[str, Graph]:
    network = Network("kernel", (1, rows, inputs), lambda net, x: net.dense(x, outputs))
    return f"fully connected {rows} × {inputs} → {outputs}", quantized(network.graph)


def cycles(graph: Graph, target: Target) -> int:
    """Cycles of one invocation."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_c(emit_c(graph, target.kernels), folder / "c")
        program = build_phone_program(folder / "c", target, folder / "program")
        spent = profile_phone(program, target)["cycles"]
        assert isinstance(spent, int)
        return spent


def main() -> None:
    print(f"# NEON kernels\n\n{__doc__}")
    print("Simulated cycles with warm caches; the models rest on published tables and were not compared with silicon.")
    graphs = [dense(*shape) for shape in MATMULS]
    graphs += [(name, quantized(Network("k", shape, make).graph)) for name, shape, make in NETWORKS if name in SHOWN]
    for target in map(load_target, PHONES):
        print(f"\n## {target.name}: {', '.join(target.kernels)}\n")
        print("| layer | MACs | cycles | cycles per MAC |\n|---|--:|--:|--:|")
        for name, graph in graphs:
            macs = sum(node.op.cost(node).macs for node in graph.nodes)
            spent = cycles(graph, target)
            print(f"| {name} | {macs:,} | {spent:,} | {spent / macs:.3f} |", flush=True)


if __name__ == "__main__":
    main()
