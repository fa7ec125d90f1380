"""What transformers spend where, and what fused attention saves.

python benchmarks/transformers.py > benchmarks/results/transformers.md
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from kernels import Network, measure, quantized

from edgetx import ops
from edgetx.backends.c import emit_c, write_c
from edgetx.compiler.quantized import quantize_model
from edgetx.firmware import build_firmware
from edgetx.frontends.torch import import_program
from edgetx.ir import Graph, Value
from edgetx.nn.encoder import Encoder, EncoderOptions
from edgetx.nn.presets import ENCODERS as PRESETS
from edgetx.passes.legalize_attention import LegalizeAttention
from edgetx.passes.simplify_movement import SimplifyMovement
from edgetx.plan import load_schedule
from edgetx.profile import Simulator
from edgetx.profile.profiling import profile_run
from edgetx.quant import QuantRecipe
from edgetx.targets import Target, load_target

TARGETS = ("nucleo-l4r5zi", "nucleo-u575zi", "nucleo-h7a3zi")
ENCODERS = ("tt-6k", "tt-20k", "kwt-micro-32", "kwt-micro-64")
TOKENS, FEATURES, CLASSES = 49, 40, 12
PARTS = {
    "norms": ("etx_layer_norm_packed_s8",),
    "softmax": ("etx_weigh_pairs", "etx_weigh_keys", "etx_weight_of", "etx_softmax_s8"),
    "GELU": ("etx_lut_s8",),
    "products of attention": (
        "etx_attention_pairs_s8",
        "etx_score_pairs",
        "etx_interleave_values",
        "any_results",
        "divisor_of",
        "etx_expand_query",
    ),
    "layers": ("etx_fully_connected_packed_s8", "memcpy"),
}
"""Functions of the firmware; within attention, weighing is what a softmax does."""
LENGTHS = (48, 98, 196)


@dataclass(frozen=True)
class Shares:
    """Cycles of an invocation, and the share of each part."""

    cycles: int
    parts: dict[str, float]


def encoder(name: str) -> Graph:
    """An encoder with random weights, quantized on noise."""
    torch.manual_seed(0)
    model = Encoder((TOKENS, FEATURES), CLASSES, EncoderOptions(**PRESETS[name])).eval()
    noise = torch.randn(16, TOKENS, FEATURES, generator=torch.Generator().manual_seed(1))
    graph = import_program(torch.export.export(model, (noise[:1],)), name)
    return quantize_model(graph, noise.numpy(), QuantRecipe()).graph


def shares(graph: Graph, target: Target) -> Shares:
    with tempfile.TemporaryDirectory() as folder:
        write_c(emit_c(graph, target.kernels, schedule=load_schedule(target)), Path(folder, "c"))
        firmware = build_firmware(Path(folder, "c"), target, Path(folder, "firmware.elf"), [])
        sim = Simulator(target, firmware.elf)
        x = np.random.default_rng(2).integers(-128, 128, graph.inputs[0].shape).astype(np.int8)
        sim.write(sim.call(sim.symbol("edgetx_input"), 0), x.tobytes())
        span = profile_run(sim, lambda: sim.call(sim.symbol("edgetx_invoke"))).span
    own = {function.name: function.cycles for function in span.functions()}
    total = span.cycles
    return Shares(total, {part: sum(own.get(name, 0) for name in names) / total for part, names in PARTS.items()})


def attention(length: int, *, fused: bool) -> Graph:
    """Attention with two heads of 16, as one op or in TFLite's built-ins."""

    def layers(net: Network, x: Value) -> Value:
        return net.b.op(ops.Attention(2, 0.25), x, x, x)

    graph = Network("attention", (1, length, 32), layers).graph
    return quantized(graph if fused else SimplifyMovement().run(LegalizeAttention().run(graph)))


def main() -> None:
    print(f"# Transformers\n\n{__doc__}\nRandom weights, {TOKENS} tokens of {FEATURES} features, {CLASSES} classes.")
    parts = list(PARTS)
    three = parts[:3]
    print(f"\n| encoder | board | cycles | {' | '.join(parts)} | {' + '.join(three)} |")
    print("|---|---|" + "--:|" * (len(parts) + 2))
    for name in ENCODERS:
        graph = encoder(name)
        for target in map(load_target, TARGETS):
            found = shares(graph, target)
            figures = " | ".join(f"{found.parts[part]:.1%}" for part in parts)
            together = sum(found.parts[part] for part in three)
            print(f"| `{name}` | {target.name} | {found.cycles:,} | {figures} | **{together:.1%}** |", flush=True)
    print("\nAttention of two heads of 16: fused, fused without copies of values, and in TFLite's built-ins, with our")
    print("kernels or portable ones. Cycles, how many times those of the first, and bytes of the arena. Operand and")
    print("result, which no lowering can do without, are most of it for few tokens: the last column is what")
    print("built-ins take beyond them, to what attention without copies does.\n")
    print("| tokens | board | fused | no copies | built-ins | portable | arena | no copies | built-ins | beyond |")
    print("|--:|---|" + "--:|" * 8)
    for length in LENGTHS:
        for target in map(load_target, (*TARGETS, "nucleo-g0b1re")):
            print(attention_row(length, target), flush=True)


def attention_row(length: int, target: Target) -> str:
    fused, built_ins = attention(length, fused=True), attention(length, fused=False)
    with tempfile.TemporaryDirectory() as folder:
        best = measure(fused, target, target.kernels, Path(folder, "best"))
        least = measure(fused, target, target.kernels, Path(folder, "least"), arena_bytes=0)
        many = measure(built_ins, target, target.kernels, Path(folder, "many"))
        portable = measure(built_ins, target, (), Path(folder, "portable"))
    times = " | ".join(f"{m.cycles:,} ({m.cycles / best.cycles:.2f})" for m in (least, many, portable))
    arenas = " | ".join(f"{m.arena_bytes:,}" for m in (best, least, many))
    ends = sum(value.type.nbytes for value in (*fused.inputs, *fused.outputs))
    beyond = (many.arena_bytes - ends) / (least.arena_bytes - ends)
    return f"| {length} | {target.name} | {best.cycles:,} | {times} | {arenas} | {beyond:.1f} |"


if __name__ == "__main__":
    main()
