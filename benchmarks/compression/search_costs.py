"""What a search said that networks cost, beside firmware built from their trained weights.

    edgetx search benchmarks/compression/student-search.toml --data RECORDINGS --target nucleo-l4r5zi \
        --budget ram=16K,flash=64K,latency=50ms --study build/study -o build/searched
    python benchmarks/compression/search_costs.py build/searched build/study --ram 16384

The search takes its costs from networks with random weights, each built once; here each has its part of the supernet's.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from edgetx.compress.cost import NO_LIMIT, Cost, built_report, cost_of, estimated_cost
from edgetx.compress.space import Choice
from edgetx.compress.supernet import Supernet
from edgetx.compress.trained import Trained, load_trained
from edgetx.frontends.torch import export_module
from edgetx.passes.pipeline import canonicalize
from edgetx.recipe import load_recipe
from edgetx.targets import load_target
from edgetx.train.saving import load_checkpoint


def main() -> None:
    """Print one row per network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("searched", type=Path)
    parser.add_argument("study", type=Path)
    parser.add_argument("--target", default="nucleo-l4r5zi")
    parser.add_argument("--ram", type=float, default=NO_LIMIT.ram_bytes)
    options = parser.parse_args()
    recipe, board = load_recipe(options.searched), load_target(options.target)
    model = load_trained(str(options.searched))
    inputs = np.asarray(model.calibration, np.float32)
    supernet = Supernet(recipe)
    (weights,) = options.study.glob("supernet-*.pt")
    supernet.load_state_dict(load_checkpoint(weights))
    limit = Cost(NO_LIMIT.cycles, options.ram, NO_LIMIT.flash_bytes)
    rows = json.loads((options.searched / "search.json").read_text(encoding="utf-8"))
    print("| network | accuracy, valid | search, cycles | built, cycles | apart | search, RAM | built, RAM "
          "| search, flash | built, flash | estimate, cycles |\n|--|--:|--:|--:|--:|--:|--:|--:|--:|--:|")  # fmt: skip
    seen = set()
    for row in rows:
        choice = Choice(tuple(row["options"].items()))
        if choice in seen:
            continue
        seen.add(choice)
        graph = canonicalize(export_module(supernet.subnet(choice, torch.from_numpy(inputs)), inputs[:1], recipe.name))
        cost = cost_of(built_report(Trained(graph, recipe, model.text, inputs), board, limit=limit))
        print(f"| {choice} | {row['accuracy']:.2%} | {row['cycles']:,.0f} | {cost.cycles:,.0f} | "
              f"{row['cycles'] / cost.cycles - 1:+.2%} | {row['ram_bytes']:,.0f} | {cost.ram_bytes:,.0f} | "
              f"{row['flash_bytes']:,.0f} | {cost.flash_bytes:,.0f} | "
              f"{estimated_cost(graph, board).cycles:,.0f} |", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
