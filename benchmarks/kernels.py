"""Cycles and code of the kernels, portable against those of the core's folder, each as a model of one layer.

python benchmarks/kernels.py > benchmarks/results/kernels.md
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgetx import ops
from edgetx.backends.c import emit_c, write_c
from edgetx.firmware import build_firmware, elf_symbols
from edgetx.ir import Graph, GraphBuilder, Value
from edgetx.plan import UNTUNED, load_schedule
from edgetx.profile import Simulator
from edgetx.quant import apply_plan, calibrate, make_plan, parse_recipe
from edgetx.reference import execute
from edgetx.targets import Target, load_target

RUNTIME = {"main", "begin", "nothing", "etx_serve", "etx_exit", "etx_core_id", "step_over_semihosting"}
RUNTIME_PREFIXES = ("edgetx_", "etx_layer_0", "etx_console", "etx_cycles", "mem", "__gnu_thumb1")
TARGETS = ("nucleo-l4r5zi", "nucleo-u575zi", "nucleo-h7a3zi", "nucleo-g0b1re")
Layers = Callable[["Network", Value], Value]


class Network:
    """A float graph with random weights."""

    def __init__(self, name: str, shape: Sequence[int], layers: Layers) -> None:
        self.rng, self.b = np.random.default_rng(0), GraphBuilder(name)
        x = self.b.input("x", shape)
        self.graph = self.b.graph(layers(self, x))

    def weights(self, *shape: int) -> Value:
        scale = 1 / np.sqrt(np.prod(shape[1:]) if len(shape) > 1 else 100)
        return self.b.const((self.rng.standard_normal(shape) * scale).astype(np.float32))

    def conv(self, x: Value, outputs: int, size: tuple[int, int], stride: tuple[int, int] = (1, 1)) -> Value:
        op = ops.Conv2D(stride, (1, 1), "same", "relu")
        return self.b.op(op, x, self.weights(outputs, *size, x.shape[-1]), self.weights(outputs))

    def depthwise(self, x: Value) -> Value:
        channels = x.shape[-1]
        weight = self.b.const((self.rng.standard_normal((1, 3, 3, channels)) / 3).astype(np.float32))
        return self.b.op(ops.DepthwiseConv2D(padding="same", activation="relu"), x, weight, self.weights(channels))

    def dense(self, x: Value, outputs: int) -> Value:
        return self.b.op(ops.FullyConnected(), x, self.weights(outputs, x.shape[-1]), self.weights(outputs))

    def norm(self, x: Value) -> Value:
        ones = self.b.const(np.ones(x.shape[-1], np.float32))
        return self.b.op(ops.LayerNorm(), x, ones, self.weights(x.shape[-1]))


def logits_of_ds_cnn(net: Network, x: Value) -> Value:
    """The keyword network of MLPerf Tiny up to its logits."""
    x = net.conv(x, 64, (10, 4), (2, 2))
    for _ in range(4):
        x = net.conv(net.depthwise(x), 64, (1, 1))
    x = net.b.op(ops.AveragePool2D((25, 5), (25, 5)), x)
    return net.dense(net.b.op(ops.Reshape((1, 64)), x), 12)


def ds_cnn(net: Network, x: Value) -> Value:
    """The whole of it."""
    return net.b.op(ops.Softmax(), logits_of_ds_cnn(net, x))


def attention(net: Network, x: Value) -> Value:
    return net.b.op(ops.Attention(2, 0.25), x, x, x)


NETWORKS: tuple[tuple[str, tuple[int, ...], Layers], ...] = (
    ("fully connected 1 × 64 → 64", (1, 64), lambda net, x: net.dense(x, 64)),
    ("fully connected 48 × 64 → 64", (1, 48, 64), lambda net, x: net.dense(x, 64)),
    ("fully connected 48 × 256 → 64", (1, 48, 256), lambda net, x: net.dense(x, 64)),
    ("conv 10 × 4, 1 → 64, stride 2", (1, 49, 10, 1), lambda net, x: net.conv(x, 64, (10, 4), (2, 2))),
    ("conv 3 × 3, 16 → 16", (1, 20, 10, 16), lambda net, x: net.conv(x, 16, (3, 3))),
    ("conv 1 × 1, 64 → 64", (1, 25, 5, 64), lambda net, x: net.conv(x, 64, (1, 1))),
    ("depthwise 3 × 3, 64", (1, 25, 5, 64), lambda net, x: net.depthwise(x)),
    ("attention, 48 tokens, 2 heads of 16", (1, 48, 32), attention),
    ("layer norm 48 × 64", (1, 48, 64), lambda net, x: net.norm(x)),
    ("GELU 48 × 128", (1, 48, 128), lambda net, x: net.b.op(ops.Gelu(), x)),
    ("softmax 48 × 48", (1, 48, 48), lambda net, x: net.b.op(ops.Softmax(), x)),
    ("add 48 × 64", (1, 48, 64), lambda net, x: net.b.op(ops.Add(), x, net.weights(48, 64))),
    ("product of computed 98 × 64 matrices", (1, 98, 64), lambda net, x: net.b.op(ops.BatchMatmul(adj_y=True), x, x)),
    ("DS-CNN", (1, 49, 10, 1), ds_cnn),
)
WIDE: tuple[tuple[str, tuple[int, ...], Layers], ...] = (
    ("fully connected 48 × 64 → 64, 16 bits", (1, 48, 64), lambda net, x: net.dense(x, 64)),
    ("conv 3 × 3, 16 → 16, 16 bits", (1, 20, 10, 16), lambda net, x: net.conv(x, 16, (3, 3))),
)
"""With activations of 16 bits."""


@dataclass(frozen=True)
class Measured:
    cycles: int
    code_bytes: int
    arena_bytes: int


def quantized(graph: Graph, recipe: str = "static_wi8_ai8") -> Graph:
    noise = np.random.default_rng(1).standard_normal((4, *graph.inputs[0].shape)).astype(np.float32)
    ranges = calibrate(graph, [(x,) for x in noise])
    return apply_plan(graph, make_plan(graph, ranges, parse_recipe(recipe)))


def measure(
    graph: Graph, target: Target, folders: tuple[str, ...], folder: Path, arena_bytes: float = float("inf")
) -> Measured:
    """One invocation, whose result is compared with the reference."""
    schedule = load_schedule(target) if folders else UNTUNED
    sources = emit_c(graph, folders, arena_bytes=arena_bytes, schedule=schedule)
    write_c(sources, folder / "c")
    firmware = build_firmware(folder / "c", target, folder / "firmware.elf", [])
    sim = Simulator(target, firmware.elf)
    x = np.random.default_rng(2).integers(-128, 128, graph.inputs[0].shape).astype(graph.inputs[0].type.dtype)
    sim.write(sim.call(sim.symbol("edgetx_input"), 0), x.tobytes())
    before = sim.cycles
    sim.call(sim.symbol("edgetx_invoke"))
    cycles = sim.cycles - before
    (expected,) = execute(graph, (x,))
    assert sim.read(sim.call(sim.symbol("edgetx_output"), 0), expected.nbytes) == expected.tobytes()
    functions = {s.name: s.size_bytes for s in elf_symbols(firmware.elf) if s.kind == "function"}
    return Measured(cycles, sum(functions[name] for name in functions if not is_runtime(name)), firmware.arena_bytes)


def is_runtime(name: str) -> bool:
    """Whether a function of an image belongs to none of its kernels."""
    return name in RUNTIME or name.startswith(RUNTIME_PREFIXES) or name.endswith("_Handler")


def row(name: str, graph: Graph, target: Target) -> str:
    with tempfile.TemporaryDirectory() as folder:
        portable = measure(graph, target, (), Path(folder, "portable"))
        fast = measure(graph, target, target.kernels, Path(folder, "fast"))
    macs = sum(node.op.cost(node).macs for node in graph.nodes)
    per_mac = f"{fast.cycles / macs:.2f}" if macs else ""
    return (
        f"| {name} | {portable.cycles:,} | {fast.cycles:,} | {portable.cycles / fast.cycles:.1f} | {per_mac} "
        f"| {portable.code_bytes:,} | {fast.code_bytes:,} | {portable.arena_bytes:,} | {fast.arena_bytes:,} |"
    )


def main() -> None:
    print(f"# Kernels\n\n{__doc__}\nCycles of the simulated board; cycles per MAC, code and arena in bytes.")
    graphs = [(name, quantized(Network("kernel", shape, layers).graph)) for name, shape, layers in NETWORKS]
    graphs += [(name, quantized(Network("kernel", *rest).graph, "static_wi8_ai16")) for name, *rest in WIDE]
    for target in map(load_target, TARGETS):
        print(f"\n## {target.name}: {target.core}\n")
        print("| layer | portable | fast | ratio | per MAC | code portable | code fast | arena portable | arena fast |")
        print("|---|--:|--:|--:|--:|--:|--:|--:|--:|")
        for name, graph in graphs:
            print(row(name, graph, target), flush=True)


if __name__ == "__main__":
    main()
