"""Cycles per multiply-accumulate of fully connected layers by their sizes, and of their inner loops alone.

python benchmarks/matmul.py > benchmarks/results/matmul.md
"""

import itertools

import numpy as np
from kernels import Network, quantized

from edgetx.compiler.tuning import measured_forms
from edgetx.targets import Target, load_target

TARGETS = ("nucleo-l4r5zi", "nucleo-u575zi", "nucleo-h7a3zi")
ROWS, INPUTS, OUTPUTS = (1, 48), (64, 128, 256), (16, 64)


def fastest(target: Target, rows: int, inputs: int, outputs: int) -> tuple[str, int]:
    """The fastest form of a layer and its cycles, were there memory for it."""
    graph = quantized(Network("layer", (1, rows, inputs), lambda net, x: net.dense(x, outputs)).graph)
    best = min(measured_forms(graph, target), key=lambda one: one.cycles)
    return best.form.removeprefix("fully_connected_"), best.cycles


def main() -> None:
    print(f"# Matrix products\n\n{__doc__}")
    print(
        "A whole layer copies weights, expands rows, multiplies and rescales. What a layer with more inputs takes more,"
    )
    print("by its additional products, is the inner loop with its share of copies and expanded rows; cycles per MAC.")
    for target in map(load_target, TARGETS):
        print(
            f"\n## {target.name}: {target.core}\n\n| rows | outputs | " + " | ".join(f"{i} inputs" for i in INPUTS),
            end="",
        )
        print(" | inner loop | form |\n|--:|--:|" + "--:|" * (len(INPUTS) + 1) + "---|")
        for rows, outputs in itertools.product(ROWS, OUTPUTS):
            found = [fastest(target, rows, inputs, outputs) for inputs in INPUTS]
            cycles, macs = np.array([c for _, c in found]), rows * outputs * np.array(INPUTS)
            whole = " | ".join(f"{each:.2f}" for each in cycles / macs)
            inner = (cycles[1] - cycles[0]) / (macs[1] - macs[0])
            print(
                f"| {rows} | {outputs} | {whole} | {inner:.2f} | {', '.join(dict.fromkeys(f for f, _ in found))} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
