"""What multiply-accumulates and elements of each op take on each core, for `edgetx profile --engine estimate`.

    python benchmarks/estimates.py [BOARD…]

Compiles small encoders with random weights, simulates them, and fits the rates of `targets/estimates/<core>.toml` to
their layers. The distance of estimates from the simulator, in the same files and in
`benchmarks/results/estimates.md`, is that on other models.
"""

import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import cast

import numpy as np
import torch
from tqdm import tqdm

from edgetx.backends.c import emit_c, write_c
from edgetx.compiler.profiling import layers_of
from edgetx.compiler.quantized import integer_model
from edgetx.firmware import build_firmware
from edgetx.frontends.torch import export_module
from edgetx.ir import Graph
from edgetx.nn.registry import build
from edgetx.ops import Cost, Op
from edgetx.plan import load_schedule
from edgetx.profile.estimate import Distance, Estimates, Rate, load_estimates
from edgetx.profile.validation import error_summary
from edgetx.quant import QuantRecipe
from edgetx.recipe import Model, load_recipe
from edgetx.runtimes.simulator import SimulatorRuntime
from edgetx.targets import load_target

BOARDS = ("microbit", "nucleo-g0b1re", "mps2-an385", "nucleo-l4r5zi", "nucleo-u575zi", "nucleo-h7a3zi")
ZOO = "kws-transformer-micro"
FITTED = {
    "kwt-micro-32": Model("kwt-micro-32"),
    "kwt-micro-64": Model("kwt-micro-64", {"layers": 1}),
    "tt-6k": Model("tt-6k"),
    "zoo model, width 24": Model(
        "keyword_transformer",
        {**load_recipe(ZOO).model.options, "stem": [4, 8, 8], "width": 24, "mlp": 48, "layers": 1},
    ),
    "ds-cnn, 32 channels": Model("ds-cnn", {"channels": 32, "layers": 2}),
    "poolformer-micro": Model("poolformer-micro"),
    "music-transformer-micro": Model("music-transformer-micro", {"layers": 1}),
}
HELD_OUT = {
    ZOO: load_recipe(ZOO).model,
    "kwt-micro-48": Model("kwt-micro-48"),
    "tt-20k": Model("tt-20k"),
    "masformer-micro": Model("masformer-micro"),
    "ds-cnn": Model("ds-cnn"),
}
SOURCE = "benchmarks/estimates.py: least squares on the simulated layers of {} small models, kernels of {}"
RESULTS = Path(__file__).parent / "results" / "estimates.md"


@dataclass(frozen=True)
class Sample:
    """A layer as simulated."""

    op: str
    cost: Cost
    cycles: int


@cache
def integer_graph(name: str) -> Graph:
    """A model with random weights, quantized."""
    torch.manual_seed(0)
    recipe = load_recipe(ZOO)
    module = build(replace(recipe, model=(FITTED | HELD_OUT)[name])).eval()
    samples = np.random.default_rng(0).normal(size=(8, *recipe.input_shape)).astype(np.float32)
    return integer_model(export_module(module, samples[:1], "model"), samples, QuantRecipe()).graph


def simulate(name: str, board: str) -> tuple[int, list[Sample]]:
    """Cycles of an invocation, and of each of its layers."""
    target = load_target(board)
    target = replace(
        target, memory={n: replace(m, size_bytes=max(m.size_bytes, 2**22)) for n, m in target.memory.items()}
    )
    sources = emit_c(integer_graph(name), target.kernels, schedule=load_schedule(target))
    with tempfile.TemporaryDirectory() as folder:
        write_c(sources, Path(folder) / "c")
        build_firmware(Path(folder) / "c", target, Path(folder) / "firmware.elf", [])
        runtime = SimulatorRuntime(target, Path(folder) / "firmware.elf", integer_graph(name), count=True)
        report = runtime.profile(layers_of(sources))
    ops = {node.name: (cast(Op, node.op), node) for node in sources.program.graph.nodes}
    rows = cast(list[dict[str, object]], report["layers"])
    samples = []
    for row in rows:
        op, node = ops[cast(str, row["name"])]
        samples.append(Sample(op.name, op.cost(node), cast(int, row["cycles"])))
    return cast(int, report["cycles"]), samples


def fit(samples: Iterable[Sample]) -> Rate:
    """The rates with the least squares of relative errors; none is negative."""
    rows = [(s.cost.macs / s.cycles, s.cost.elementwise / s.cycles) for s in samples]
    work = np.array(rows)
    for columns in ([0, 1], [0], [1]):
        rates = np.zeros(2)
        rates[columns] = np.linalg.lstsq(work[:, columns], np.ones(len(rows)), rcond=None)[0]
        if (rates >= 0).all() and (rates > 0).any():
            return Rate(*(round(float(rate), 4) for rate in rates))
    raise ValueError("no rates fit")


def estimates_for(board: str) -> Estimates:
    """Rates of a board's core, and how far they lead from the simulator."""
    by_op: dict[str, list[Sample]] = defaultdict(list)
    for name in tqdm(FITTED, board):
        for sample in simulate(name, board)[1]:
            by_op[sample.op].append(sample)
    target = load_target(board)
    rates = {op: fit(samples) for op, samples in sorted(by_op.items())}
    other = fit([sample for samples in by_op.values() for sample in samples])
    source = SOURCE.format(len(FITTED), board)
    estimates = Estimates(target.core, source, other, rates)
    distances = []
    for name in HELD_OUT:
        cycles, _ = simulate(name, board)
        estimated = sum(estimates.cycles(n) for n in integer_graph(name).nodes if not cast(Op, n.op).is_view)
        distances.append(Distance(name, estimated, cycles))
    return replace(estimates, distance=tuple(distances))


def to_toml(estimates: Estimates) -> Iterator[str]:
    """Lines of a file in `targets/estimates/`."""
    yield "# Written by benchmarks/estimates.py: do not edit."
    yield f'core = "{estimates.core}"\nsource = "{estimates.source}"\nother = {_inline(estimates.other)}'
    yield "\n[rates]"
    yield from (f"{op} = {_inline(rate)}" for op, rate in estimates.rates.items())
    for d in estimates.distance:
        yield f'\n[[distance]]\nmodel = "{d.model}"'
        yield f"estimated_cycles = {d.estimated_cycles}\nsimulated_cycles = {d.simulated_cycles}"


def _inline(rate: Rate) -> str:
    return f"{{ cycles_per_mac = {rate.cycles_per_mac}, cycles_per_element = {rate.cycles_per_element} }}"


def to_markdown(all_estimates: list[Estimates]) -> Iterator[str]:
    """The distances as tables."""
    yield "Estimates compared with the simulator on models held out (`benchmarks/estimates.py`).\n"
    yield "| core | " + " | ".join(HELD_OUT) + " | mean | worst |"
    yield "|--|" + "--:|" * (len(HELD_OUT) + 2)
    for estimates in all_estimates:
        errors = [distance.error for distance in estimates.distance]
        total = error_summary(errors, None)
        shown = [f"{error:+.1%}" for error in errors] + [f"{total[key]:.1%}" for key in ("mape", "worst")]
        yield f"| {estimates.core} | " + " | ".join(shown) + " |"


def main(*boards: str) -> None:
    folder = Path(__file__).parents[1] / "targets" / "estimates"
    for board in boards or BOARDS:
        estimates = estimates_for(board)
        (folder / f"{estimates.core}.toml").write_text("\n".join(to_toml(estimates)) + "\n", encoding="utf-8")
    all_estimates = [load_estimates(load_target(board).core) for board in BOARDS]
    RESULTS.write_text("\n".join(to_markdown(all_estimates)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
