"""Arenas of all models against their lower bounds and against TFLite Micro's.

python benchmarks/arena.py > benchmarks/results/arena.md
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from edgetx.backends.tflite import write_tflite
from edgetx.compiler.quantized import quantize_for_tflite
from edgetx.errors import EdgetxError
from edgetx.plan import load_schedule, plan_program
from edgetx.quant import QuantRecipe
from edgetx.runtimes.tflm import ArenaUse, TflmRuntime
from edgetx.targets import load_target

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests" / "frontends"))

import third_party

TARGET = "nucleo-l4r5zi"
CRASHES = {"tflm_keyword_scrambled_int8.tflite"}
"""Files that the packaged TFLite Micro does not survive."""


@dataclass(frozen=True)
class Row:
    """Bytes: of the arena and its lower bound, without staged weights, of states, and what TFLite Micro needs."""

    name: str
    arena: int
    bound: int
    portable: int
    state: int
    tflm: ArenaUse | None

    @property
    def excess(self) -> float:
        """How far above the lower bound the arena is."""
        return self.arena / self.bound - 1


def tflm_arena(path: Path) -> ArenaUse | None:
    """The arena of TFLite Micro for the file itself, else for the TFLite form of its float graph."""
    if path.name in CRASHES:
        return None
    try:
        model = third_party.compiled(path)
        if path.suffix == ".tflite" and model.imported:
            return TflmRuntime(path.read_bytes()).arena()
        samples = third_party.samples(path)
        return TflmRuntime(write_tflite(quantize_for_tflite(model, samples, QuantRecipe()))).arena()
    except EdgetxError:
        return None


def row_of(path: Path) -> Row | None:
    try:
        graph = third_party.compiled(path).graph
    except EdgetxError:
        return None
    target = load_target(TARGET)
    program = plan_program(graph, target.kernels, schedule=load_schedule(target))
    portable = plan_program(graph)
    state = sum(s.read.type.nbytes for s in graph.states)
    arena = program.arena
    return Row(path.name, arena.nbytes, arena.lower_bound, portable.arena.nbytes, state, tflm_arena(path))


def main() -> None:
    rows = [found for path in third_party.model_files() if (found := row_of(path))]
    near = sum(row.excess <= 0.05 for row in rows)
    known = [(row, row.tflm) for row in rows if row.tflm is not None]
    below = sum(row.arena + row.state <= tflm.total_bytes for row, tflm in known)
    tensors = sum(row.portable <= tflm.activation_bytes for row, tflm in known)
    print(f"# Arenas\n\n{__doc__}")
    print(
        f"Bytes, for {TARGET}. The arena of the fast kernels also holds weights that are copied next to the\n"
        "core; that of the portable ones holds activations only. TFLite Micro keeps its structures and variables in\n"
        "its arena, too; the whole of it is that of a 64-bit host, about 8 % above a microcontroller's.\n"
        f"Without a figure, it lacks an operator. Within 5 % of the lower bound: {near} of {len(rows)}.\n"
        f"Arena and states not above the whole of TFLite Micro's: {below} of {len(known)};\n"
        f"activations not above its tensors: {tensors}.\n"
    )
    print("| model | arena | lower bound | above it | activations only | states | TFLM tensors | TFLM whole |")
    print("|---|" + "--:|" * 7)
    for row in rows:
        tflm = f"{row.tflm.activation_bytes:,} | {row.tflm.total_bytes:,}" if row.tflm else " | "
        figures = f"{row.arena:,} | {row.bound:,} | {row.excess:.1%} | {row.portable:,} | {row.state:,} | {tflm}"
        print(f"| `{row.name}` | {figures} |", flush=True)


if __name__ == "__main__":
    main()
