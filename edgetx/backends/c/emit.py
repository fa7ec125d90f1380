"""Write a planned program as C."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from edgetx.backends.c.header import model_header
from edgetx.backends.c.names import layer_symbol
from edgetx.backends.c.source import model_source
from edgetx.ir import Graph
from edgetx.plan import UNTUNED, Program, Schedule, kernel_headers, plan_program


@dataclass(frozen=True)
class CSources:
    """Generated C.

    Attributes:
        files: File name to text: `model.c`, `model.h`, and the kernels with their headers.
        program: The program they were written from.
        layers: Symbol of each layer's function and the node it computes, in order.
    """

    files: Mapping[str, str]
    program: Program
    layers: tuple[tuple[str, str], ...]


def emit_c(
    graph: Graph,
    kernel_folders: tuple[str, ...] = (),
    events: Collection[str] = (),
    arena_bytes: float = float("inf"),
    schedule: Schedule = UNTUNED,
) -> CSources:
    """C for an integer graph.

    Args:
        graph: The integer graph.
        kernel_folders: Kernel folders that the target prefers over the portable kernels.
        events: Names of the layers on spikes that skip silent inputs.
        arena_bytes: What copies of weights may fill the arena to.
        schedule: Forms of kernels that were found to be the fastest on the target.

    Raises:
        UnsupportedOpError: If an op has no C kernel.
    """
    program = plan_program(graph, kernel_folders, events, arena_bytes, schedule)
    kernels = {step.source.name: step.source for step in program.steps} | kernel_headers(kernel_folders)
    files = {"model.c": model_source(program), "model.h": model_header(program)}
    files.update({path.name: path.read_text(encoding="utf-8") for _, path in sorted(kernels.items())})
    layers = tuple((layer_symbol(index, step), step.node.name) for index, step in enumerate(program.steps))
    return CSources(files, program, layers)


def write_c(sources: CSources, folder: Path) -> None:
    """Write the files into `folder`, which is created."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in sources.files.items():
        (folder / name).write_text(text, encoding="utf-8")
