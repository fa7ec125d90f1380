"""What layers on spikes take on the simulated core, dense and event-driven, and from which firing rate on.

Writes `targets/events/<core>.toml` for each board named, and with --plot a picture of one layer's break-even:
`python benchmarks/spikes.py nucleo-l4r5zi nucleo-g0b1re --plot docs/spikes.svg`.
"""

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from edgetx import ops
from edgetx.backends.c import emit_c, write_c
from edgetx.compiler.profiling import layers_of
from edgetx.compiler.spikes import EventCosts, dense_counts, event_counts
from edgetx.firmware import build_firmware
from edgetx.ir import Graph, GraphBuilder, QuantParams
from edgetx.ops.lif import Gain
from edgetx.ops.quant_rule import Bias, Weight
from edgetx.plan import load_schedule
from edgetx.plan.events import SpikeLayer, spike_layers
from edgetx.resources import data_dir
from edgetx.runtimes.simulator import SimulatorRuntime
from edgetx.targets import Target, load_target

SHAPES = [(49, 192, 64), (49, 64, 64), (49, 96, 64), (49, 128, 64), (49, 256, 64), (49, 64, 256), (25, 128, 256),
          (25, 256, 256), (49, 64, 1), (49, 49, 64), (1, 192, 64), (1, 64, 256),
          (12, 64, 64), (98, 64, 64), (98, 128, 16)]  # fmt: skip
"""Rows, inputs and outputs of the layers measured; the first is plotted."""
RATES = (0.0, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0)


@dataclass(frozen=True)
class Measurement:
    """One layer at one rate."""

    layer: SpikeLayer
    rate: float
    dense: int
    events: int


def spiking_layer(rows: int, inputs: int, outputs: int) -> Graph:
    """A neuron per input that fires where the input is positive, then a layer."""
    rng = np.random.default_rng(0)
    b, op = GraphBuilder("spikes"), ops.Lif(tau=1.0)
    x = b.input("x", (1, rows, inputs), "int8", QuantParams((0.05,)))
    gain, quant = Gain(op.unit).quantize(np.ones(inputs), [x.type], x.type)
    constants = [b.const(gain, "gain", quant), b.const(np.zeros(inputs, np.int32), "shift", quant)]
    fixed = op.quant_rule().fixed
    start = b.const(np.zeros((1, inputs), np.int16), "start", fixed[1][1])
    spikes, _ = b.ops(op, x, *constants, start, quants=[("int8", fixed[0][1]), ("int16", fixed[1][1])], name="lif")
    w = b.const(*_swapped(Weight(0).quantize(rng.normal(0, 0.1, (outputs, inputs)), [], x.type), "w"))
    bias = b.const(*_swapped(Bias().quantize(rng.normal(0, 0.1, outputs), [spikes.type, w.type], x.type), "b"))
    return b.graph(b.op(ops.FullyConnected(), spikes, w, bias, quant=("int8", QuantParams((0.05,), 3)), name="layer"))


def _swapped(quantized: tuple[object, QuantParams], name: str) -> tuple[object, str, QuantParams]:
    return quantized[0], name, quantized[1]


def measure(target: Target, shape: tuple[int, int, int]) -> list[Measurement]:
    """Both forms of a layer at all rates."""
    graph = spiking_layer(*shape)
    (layer,) = spike_layers(graph)
    rng = np.random.default_rng(1)
    xs = [np.where(rng.random((1, *shape[:2])) < rate, 127, -128).astype(np.int8) for rate in RATES]
    cycles = []
    for events in ((), ("layer",)):
        sources = emit_c(graph, target.kernels, events, schedule=load_schedule(target))
        with tempfile.TemporaryDirectory() as folder:
            write_c(sources, Path(folder) / "c")
            firmware = build_firmware(Path(folder) / "c", target, Path(folder) / "firmware.elf", [])
            runtime = SimulatorRuntime(target, firmware.elf, graph, count=True)
            runtime.run(xs[:1])  # caches are warm in all that is counted
            row = []
            for x in xs:
                runtime.write([x])
                profile = runtime.profile(layers_of(sources))
                row += [r["cycles"] for r in profile["layers"] if r["name"] == "layer"]
        cycles.append(row)
    rates = [float((x > 0).mean()) for x in xs]
    return [Measurement(layer, rate, dense, event) for rate, dense, event in zip(rates, *cycles, strict=True)]


def fitted(measured: Sequence[Measurement]) -> dict[str, float]:
    """Costs with the least squared relative error."""

    def solve(rows: list[list[float]], cycles: list[int]) -> np.ndarray:
        weights = 1 / np.array(cycles, float)
        matrix = np.array(rows) * weights[:, None]
        found, kept = np.zeros(matrix.shape[1]), np.ones(matrix.shape[1], bool)
        while not found.any() or (found < 0).any():
            kept &= found >= 0  # no cost is negative
            found = np.zeros(len(kept))
            found[kept] = np.linalg.lstsq(matrix[:, kept], np.ones(len(cycles)), rcond=None)[0]
        return found

    dense_rows = [dense_counts(m.layer) for m in measured]
    event_rows = [event_counts(m.layer, m.rate) for m in measured]
    dense = solve(dense_rows, [m.dense for m in measured])
    events = solve(event_rows, [m.events for m in measured])
    errors = [np.array(dense_rows) @ dense / [m.dense for m in measured] - 1,
              np.array(event_rows) @ events / [m.events for m in measured] - 1]  # fmt: skip
    names = [field.name for field in fields(EventCosts) if "cycles" in field.name]
    return {**dict(zip(names, map(float, (*dense, *events)), strict=True)),
            "worst_error": float(np.abs(np.concatenate(errors)).max())}  # fmt: skip


def write_costs(target: Target, measured: Sequence[Measurement]) -> None:
    """`targets/events/<core>.toml`."""
    source = f"simulated {target.name}: benchmarks/spikes.py, {len(SHAPES)} layers at {len(RATES)} rates each"
    lines = [f'core = "{target.core}"', f'source = "{source}"']
    lines += [f"{name} = {value:.4g}" for name, value in fitted(measured).items()]
    path = data_dir("targets") / "events" / f"{target.core}.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def plot(results: dict[str, list[Measurement]], path: Path) -> None:
    """Cycles over the firing rate, for each board the layer of SHAPES[0]."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    mpl.rcParams["svg.hashsalt"] = "edgetx"
    figure, axes = plt.subplots(1, len(results), figsize=(5 * len(results), 3.6), squeeze=False)
    for axis, (board, measured) in zip(axes[0], results.items(), strict=True):
        rows = [m for m in measured if (m.layer.rows, m.layer.inputs, m.layer.outputs) == SHAPES[0]]
        rates = [m.rate for m in rows]
        axis.plot(rates, [m.dense / 1e3 for m in rows], "o-", label="dense")
        axis.plot(rates, [m.events / 1e3 for m in rows], "s-", label="event-driven")
        crossing = break_even(rows)
        if crossing is not None:
            axis.axvline(crossing, color="0.6", linestyle=":")
            axis.annotate(f"break-even {crossing:.0%}", (crossing, 0), ha="right", rotation=90, fontsize=8)
        axis.set(title=f"{board}: {SHAPES[0][1]} spikes to {SHAPES[0][2]}", xlabel="firing rate", ylabel="kilocycles")
        axis.set_ylim(bottom=0)
        axis.legend()
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def break_even(rows: Sequence[Measurement]) -> float | None:
    """The rate at which both forms take the same, between the rates measured; None if they never do."""
    gap = np.array([m.events - m.dense for m in rows], float)
    crossing = np.flatnonzero((gap[:-1] < 0) & (gap[1:] >= 0))
    if not crossing.size:
        return None
    i = int(crossing[0])
    return float(np.interp(0.0, gap[i : i + 2], [rows[i].rate, rows[i + 1].rate]))


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("boards", nargs="+")
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()
    results = {}
    for board in arguments.boards:
        target = load_target(board)
        results[board] = [m for shape in SHAPES for m in measure(target, shape)]
        write_costs(target, results[board])
        for shape in SHAPES:
            rows = [m for m in results[board] if (m.layer.rows, m.layer.inputs, m.layer.outputs) == shape]
            print(f"{board} {shape}: break-even {break_even(rows)}, dense {rows[0].dense}, "
                  f"event-driven {[(round(m.rate, 2), m.events) for m in rows]}", flush=True)  # fmt: skip
    if arguments.plot:
        plot(results, arguments.plot)


if __name__ == "__main__":
    main()
