"""The kernels of a core's folder as a library for this machine: intrinsics have the same meaning in C there."""

import ctypes
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from host_kernels import KERNELS, compile_library, parameters

from edgetx.ir import Array, Arrays, Graph, Value
from edgetx.ops import KernelCall
from edgetx.plan import plan_program

BEHIND = {"neon_dot": "neon"}
"""The folder that targets search behind another."""
FOLDERS = tuple(sorted(folder.name for folder in KERNELS.iterdir() if any(folder.glob("*.c"))))


@cache
def library(folder: str) -> ctypes.CDLL:
    return compile_library(sorted(as_written(folder).glob("*.c")))


@cache
def as_written(folder: str) -> Path:
    """All kernels and headers in one place, as generated C has them: a core's files replace those of the same name."""
    target = Path(tempfile.mkdtemp())
    for source in (KERNELS, *(KERNELS / name for name in (BEHIND.get(folder), folder) if name)):
        for path in source.glob("*.[ch]"):
            shutil.copy(path, target)
    return target


def planned_call(graph: Graph, folder: str) -> KernelCall:
    """The call of the only node of `graph` as the planner chooses it."""
    (step,) = plan_program(graph, (folder,)).steps
    return step.call


def run_fast(graph: Graph, folder: str, inputs: Sequence[Array], *, in_place: bool = False) -> Arrays:
    """The results of the only node, from memory of exactly the sizes that the kernel may touch."""
    call = planned_call(graph, folder)
    values = {value.name: np.ascontiguousarray(x).copy() for value, x in zip(graph.inputs, inputs, strict=True)}
    results = [np.empty(value.shape, value.type.dtype) for value in graph.nodes[0].outputs]
    if in_place:
        operand = call.operands[call.in_place or 0]
        assert isinstance(operand, Value)
        results = [values[operand.name]]
    _run(call, {**graph.consts, **values}, results, library(folder))
    (value,) = graph.nodes[0].outputs
    return (results[0].view(value.type.dtype).reshape(value.shape),)


def _run(call: KernelCall, values: Mapping[str, Array], results: Sequence[Array], kernels: ctypes.CDLL) -> None:
    operands = [values[o.name] if isinstance(o, Value) else np.ascontiguousarray(o) for o in call.operands]
    pointers = [ctypes.c_void_p(array.ctypes.data) for array in operands]
    arguments = [(ctypes.c_void_p * len(pointers))(*pointers)] if call.variadic else pointers
    scratch = np.full(call.scratch_bytes, 0x5A, np.int8)
    arguments += [ctypes.c_void_p(array.ctypes.data) for array in (*results, *([scratch] if scratch.size else []))]
    getattr(kernels, f"etx_{call.kernel}")(ctypes.byref(parameters(call)), *arguments)
