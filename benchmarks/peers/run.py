"""The keyword DS-CNN of MLPerf Tiny, compiled by edgetx and by bakenn, side by side in one run.

python benchmarks/peers/run.py [--work build/peers] [--write]
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from foreign import adapt

sys.path.append(str(Path(__file__).resolve().parents[1]))

from kernels import TARGETS, Network, is_runtime, logits_of_ds_cnn, quantized

from edgetx.backends.c import emit_c, write_c
from edgetx.backends.tflite import builder, write_tflite
from edgetx.firmware import build_firmware, elf_symbols
from edgetx.ir import Array, Graph
from edgetx.passes.legalize_tflite import legalize_tflite
from edgetx.plan import UNTUNED, load_schedule
from edgetx.profile import Simulator
from edgetx.reference import execute
from edgetx.targets import Target, load_target

HERE = Path(__file__).resolve().parent
RESULTS = HERE.parent / "results" / "peers.md"
BAKENN = "bakenn[tflite]==1.0.0"
PUBLISHED = {
    "nucleo-l4r5zi": "21.83 M TFLM, 11.98 M microTVM + CMSIS-NN, 7.22 M HALE, 5.73 M Plumerai, 5.18 M X-CUBE-AI 9",
    "nucleo-u575zi": "6.17 M HALE, 4.81 M Plumerai, 4.65 M X-CUBE-AI 9",
    "nucleo-h7a3zi": "4.11 M HALE, 3.88 M Plumerai, 3.17 M X-CUBE-AI 9",
    "nucleo-g0b1re": "30.37 M HALE",
}
"""Cycles of the whole network on these boards: clock times latency in MLCommons' logs of MLPerf Tiny v0.5 to v1.2."""
HEAD = """\
# Against other compilers

{doc}
The network with random weights and without its softmax, which bakenn does not know: 2,656,768 multiply-accumulates. All
images are built by one compiler with -O2 and run in the simulator; outputs of all are equal, byte for byte. Code and
constants are those of the model, without start-up code; RAM is arena, input and output.
"""


@dataclass(frozen=True)
class Row:
    """What one compiler's code costs on one board."""

    name: str
    cycles: int
    code: int
    constants: int
    ram: int


def python_with_bakenn(folder: Path) -> Path:
    python = folder / "bin" / "python"
    if not python.exists():
        print(f"installing {BAKENN} in {folder}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", BAKENN], check=True)
    return python


def model_file(graph: Graph) -> bytes:
    """A TFLite file with the scales of biases, which edgetx leaves out and bakenn wants."""
    left_out = builder._is_bias
    builder._is_bias = lambda _: False
    try:
        return write_tflite(graph)
    finally:
        builder._is_bias = left_out


def measure(name: str, sources: Path, target: Target, graph: Graph, ram: int | None = None) -> Row:
    """Cycles of one invocation and what the linker kept."""
    with tempfile.TemporaryDirectory() as folder:
        firmware = build_firmware(sources, target, Path(folder, "image.elf"), [])
        sim = Simulator(target, firmware.elf)
        x = np.random.default_rng(2).integers(-128, 128, graph.inputs[0].shape).astype(np.int8)
        sim.write(sim.call(sim.symbol("edgetx_input"), 0), x.tobytes())
        before = sim.cycles
        sim.call(sim.symbol("edgetx_invoke"))
        cycles = sim.cycles - before
        expected = execute(graph, (x,))[0]
        found = sim.read(sim.call(sim.symbol("edgetx_output"), 0), expected.nbytes)
        if found != expected.tobytes():
            sys.exit(f"{name} on {target.name}: {list(found)} instead of {ints(expected)}")
        symbols = [s for s in elf_symbols(firmware.elf) if not is_runtime(s.name)]
        code = sum(s.size_bytes for s in symbols if s.kind == "function")
        constants = sum(s.size_bytes for s in symbols if s.section.startswith(".rodata"))
        return Row(name, cycles, code, constants, firmware.arena_bytes if ram is None else ram)


def ints(array: Array) -> list[int]:
    return array.ravel().view(np.uint8).tolist()


def rows(target: Target, graph: Graph, work: Path) -> Iterator[Row]:
    tuned = ("**edgetx**", target.kernels, load_schedule(target))
    for name, folders, schedule in (("edgetx, portable kernels", (), UNTUNED), tuned):
        with tempfile.TemporaryDirectory() as folder:
            write_c(emit_c(graph, folders, schedule=schedule), Path(folder, "c"))
            yield measure(name, Path(folder, "c"), target, graph)
    routes = {"portable": "bakenn, its portable kernels", "cmsis": "bakenn with CMSIS-NN"}
    for kernels, name in routes.items():
        if kernels == "portable" or "cortex_m_dsp" in target.kernels:
            with tempfile.TemporaryDirectory() as folder:
                ram = adapt(work / kernels, Path(folder, "c"))
                yield measure(name, Path(folder, "c"), target, graph, ram)


def page(work: Path) -> str:
    graph = quantized(legalize_tflite(Network("model", (1, 49, 10, 1), logits_of_ds_cnn).graph))
    macs = sum(node.op.cost(node).macs for node in graph.nodes)
    python = python_with_bakenn(work / "bakenn")
    (work / "model.tflite").write_bytes(model_file(graph))
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    for kernels in ("portable", "cmsis"):
        command = [python, HERE / "bakenn_route.py", work / "model.tflite", work / kernels, kernels]
        subprocess.run(command, check=True, env=environment)
    text = HEAD.format(doc=__doc__)
    for target in map(load_target, TARGETS):
        text += (
            f"\n## {target.name}: {target.core}\n\nPublished (MLPerf Tiny, with softmax): {PUBLISHED[target.name]}.\n\n"
        )
        text += "| compiler | cycles | per MAC | code | constants | RAM |\n|---|--:|--:|--:|--:|--:|\n"
        for row in rows(target, graph, work):
            figures = f"{row.code:,} | {row.constants:,} | {row.ram:,}"
            text += f"| {row.name} | {row.cycles:,} | {row.cycles / macs:.2f} | {figures} |\n"
            print(target.name, row, flush=True)
    return text


def main() -> None:
    """Print the page, or write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("build/peers"))
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    text = page(options.work.resolve())
    if options.write:
        RESULTS.write_text(text, encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
