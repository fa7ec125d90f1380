"""What weights of four bits would cost in accuracy, and what unpacking them would in cycles.

    python benchmarks/compression/int4.py kws-transformer-micro kws-lmuformer-micro --data RECORDINGS
    python benchmarks/compression/int4.py --cycles

Weights of layers are rounded to 15 levels, per output channel, with the scale of the least squared error; activations
stay as they are. Tuned ones learn with rounded weights (straight through) from labels and from the float model. Biases
keep their bits. The cycles are those of a loop that makes int8 weights from packed ones, which hold two to a byte as
multiples of 16, so that nothing need be extended and the int8 kernels could read them, beside a plain copy.
"""

import argparse
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from edgetx.compress.distill import objective
from edgetx.compress.trained import Trained, load_trained, taught_by
from edgetx.compress.tuning import Tuner, schedule
from edgetx.compress.views import load_tuning_data
from edgetx.ir import Graph
from edgetx.ops import Conv2D, DepthwiseConv2D, FullyConnected
from edgetx.profile import Simulator
from edgetx.targets import load_target
from edgetx.train.evaluate import evaluate
from edgetx.train.examples import Examples
from edgetx.train.graph import GraphModule

EPOCHS, RATE, VIEWS, SEEDS = 6, 1e-3, 4, (0, 1, 2)
SHARES = np.linspace(1.0, 0.5, 26)
BOARDS = ("nucleo-g0b1re", "nucleo-l4r5zi")
WEIGHTS = 4096
CODE = f"""
#include <stdint.h>
const uint32_t packed[{WEIGHTS // 8}] = {{1}};
const uint32_t plain[{WEIGHTS // 4}] = {{1}};
uint32_t weights[{WEIGHTS // 4}];
__attribute__((noinline)) void unpack(const uint32_t *from, uint32_t *to, const uint32_t *end) {{
  do {{
    const uint32_t a = from[0], b = from[1];
    to[0] = (a << 4) & 0xF0F0F0F0u;
    to[1] = a & 0xF0F0F0F0u;
    to[2] = (b << 4) & 0xF0F0F0F0u;
    to[3] = b & 0xF0F0F0F0u;
    from += 2;
    to += 4;
  }} while (from != end);
}}
__attribute__((noinline)) void copy(const uint32_t *from, uint32_t *to, const uint32_t *end) {{
  do {{
    const uint32_t a = from[0], b = from[1], c = from[2], d = from[3];
    to[0] = a, to[1] = b, to[2] = c, to[3] = d;
    from += 4;
    to += 4;
  }} while (from != end);
}}
void unpack_all(void) {{ unpack(packed, weights, packed + {WEIGHTS // 8}); }}
void copy_all(void) {{ copy(plain, weights, plain + {WEIGHTS // 4}); }}
void _start(void) {{ unpack_all(); copy_all(); for (;;) {{}} }}
"""


def layer_weights(graph: Graph, ends: bool) -> list[str]:
    """Names of the weights of layers; with or without those of the first and of the last layer."""
    layers = [node for node in graph.nodes if isinstance(node.op, FullyConnected | Conv2D | DepthwiseConv2D)]
    chosen = layers if ends else layers[1:-1]
    return [node.inputs[1].name for node in chosen if node.inputs[1].name in graph.consts]


def four_bits(weight: Tensor) -> Tensor:
    """Rounded to 15 levels per output channel."""
    rows = weight.detach().flatten(1) if weight.ndim != 4 or weight.shape[0] != 1 else weight.detach().flatten(0, 2).T
    peak = rows.abs().amax(1, keepdim=True).clamp_min(1e-12)
    scales = torch.stack([peak * share / 7 for share in SHARES])
    rounded = torch.clamp(torch.round(rows / scales), -7, 7) * scales
    best = ((rounded - rows) ** 2).sum(2).argmin(0)
    chosen = rounded[best, torch.arange(len(rows))]
    return chosen.reshape(weight.shape) if len(rows) == weight.shape[0] else chosen.T.reshape(weight.shape)


class FourBitModule(GraphModule):
    """A float graph that computes with some weights rounded; gradients pass straight through."""

    def __init__(self, graph: Graph, rounded: Sequence[str]) -> None:
        super().__init__(graph)
        self.rounded = frozenset(rounded)

    def _constants(self) -> list[Tensor]:
        pairs = zip(self.graph.consts, self.weights, strict=True)
        return [w + (four_bits(w) - w).detach() if name in self.rounded else w for name, w in pairs]


def accuracies(model: Trained, data: Path) -> None:
    """Print one row per choice of layers."""
    recipe = replace(model.recipe, distillation=replace(model.recipe.distillation, views=VIEWS))
    known = load_tuning_data(data, recipe)
    views, test = taught_by(model.graph, known.views), Examples.of(known.test)
    plain = evaluate(GraphModule(model.graph), test).accuracy
    for ends in (True, False):
        names = layer_weights(model.graph, ends)
        share = sum(model.graph.consts[name].size for name in names) / model.graph.parameters
        after = evaluate(FourBitModule(model.graph, names), test).accuracy
        tuned = []
        for seed in SEEDS:
            module = FourBitModule(model.graph, names)
            slow = replace(schedule(recipe.training, EPOCHS, RATE), seed=seed, weight_decay=0.0)
            Tuner(module, views, known.valid, slow, objective(recipe)).run()
            tuned.append(evaluate(module, test).accuracy)
        row = " | ".join(f"{accuracy:.2%}" for accuracy in (plain, after, *tuned))
        print(f"| {recipe.name}, {'all' if ends else 'all but first and last'}, {share:.0%} | {row} |", flush=True)


def cycles() -> None:
    """Print cycles per weight of the loops."""
    print("| board | unpack, cycles per weight | copy, cycles per weight |\n|--|--:|--:|")
    for board in BOARDS:
        with tempfile.TemporaryDirectory() as folder:
            target = load_target(board)
            rom, ram = (target.memory[target.region_of(role)].base_address for role in ("code", "data"))
            source, image = Path(folder) / "unpack.c", Path(folder) / "unpack.elf"
            source.write_text(CODE)
            flags = [f"-mcpu={target.core}", "-mthumb", "-O2", "-ffreestanding", "-nostdlib", f"-Wl,-Ttext=0x{rom:x}"]
            places = [f"-Wl,-Tdata=0x{ram:x}", f"-Wl,-Tbss=0x{ram:x}", "-Wl,--no-warn-rwx-segments"]
            subprocess.run(["arm-none-eabi-gcc", *flags, *places, str(source), "-o", str(image)], check=True)
            simulator, spent = Simulator(board, image), []
            for name in ("unpack_all", "copy_all"):
                before = simulator.cycles
                simulator.call(simulator.symbol(name))
                spent.append((simulator.cycles - before) / WEIGHTS)
            print(f"| {board} | {spent[0]:.2f} | {spent[1]:.2f} |")


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--cycles", action="store_true")
    options = parser.parse_args()
    if options.cycles:
        cycles()
    if options.models:
        seeds = " | ".join(f"tuned, seed {seed}" for seed in SEEDS)
        print(f"| model, layers, share of parameters | float | rounded | {seeds} |\n|--|--:|--:|{'--:|' * len(SEEDS)}")
    for name in options.models:
        accuracies(load_trained(name), options.data)


if __name__ == "__main__":
    main()
